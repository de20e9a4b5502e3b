// Package reading decodes our own JSON for monitors: what a new air monitor should speak.
//
//	{"time":"2026-02-16T15:00:00Z","period":"1h","lat":21.02,"lon":105.81,
//	 "values":{"pm25":69.2,"pm10":110,"so2":5,"no2":43,"co":300,"o3":24,
//	           "temperature":27.1,"humidity":80}}
//
// The station is the topic's last level, as in nhip/in/reading/hn-01; what a topic can't hold is
// percent-encoded. time, period and at least one value are required:
//
//	time      the END of the averaging period, RFC 3339 with its offset
//	period    what was averaged over: "30s", "5m", "1h", "1d"
//	values    pm1 pm25 pm10 tsp so2 no no2 co o3 in µg/m³ at 25 °C and 1 atm, temperature in °C,
//	          humidity in %, pressure in Pa; null where there is none
//	lat, lon  WGS84 degrees, together or not at all
//	origin    "simulated", and nothing else
//
// A monitor that had no line sends what it kept as an array of such objects, oldest first, 500 at
// most. Each value is a row of its own, in that order; an error names the element as in
// "[3].values.pm25".
//
// Traps. A mean that is stamped with the BEGINNING of its hour is an hour late for ever after. Gases
// are µg/m³, not ppb, and CO is not mg/m³. Pressure is Pa, not hPa. A field or quantity that is not
// known is an error.
//
// To test one: publish it with mosquitto_pub -t nhip/in/reading/test -q 1 -f file.json and ask for
// the station, or for the dead letter that says why there is none.
package reading

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder reads our own JSON for monitors.
var Decoder = decode.Decoder{Format: "reading", Version: 2, Decode: read}

// header is what all values of one message share.
type header struct {
	time     time.Time
	period   time.Duration
	lat, lon nhip.Opt[float64]
	origin   nhip.Origin
}

func read(in decode.Input, out *nhip.Facts) error {
	station := decode.Device(in.Topic)
	s := jsonscan.New(in.Payload)
	faults := in.Faults()
	return decode.Batch(&s, out, faults.Reject, func() error {
		return readMessage(&s, station, out)
	})
}

func readMessage(s *jsonscan.Scanner, station string, out *nhip.Facts) error {
	var h header
	first := len(out.Readings)
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return h.field(s, key, out)
	})
	if err != nil {
		return err
	}
	rows := out.Readings[first:]
	if err := h.check(rows); err != nil {
		return err
	}
	h.fill(rows, station)
	return nil
}

func (h *header) field(s *jsonscan.Scanner, key []byte, out *nhip.Facts) (err error) {
	switch string(key) {
	case "time":
		h.time, err = decode.Time(s)
	case "period":
		var text string
		if text, err = s.View(); err == nil {
			h.period, err = nhip.ParsePeriod(text)
		}
	case "lat":
		h.lat, err = decode.Float(s)
	case "lon":
		h.lon, err = decode.Float(s)
	case "values":
		err = values(s, out)
	case "origin":
		h.origin, err = decode.Origin(s)
	default:
		return nhip.Errorf(nhip.UnknownField, "", "is not a field of a reading")
	}
	return err
}

// values reads each quantity as a row of its own. A null is a value that the monitor does not have.
func values(s *jsonscan.Scanner, out *nhip.Facts) error {
	return s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		v, err := s.Float()
		if err != nil {
			return err
		}
		q, ok := nhip.ParseQuantity(string(key))
		if !ok {
			return nhip.Errorf(nhip.UnknownField, "", "is not a known quantity")
		}
		out.Readings = append(out.Readings, nhip.Reading{Quantity: q, Value: v, Flag: nhip.NotEvaluated})
		return nil
	})
}

func (h *header) check(rows []nhip.Reading) error {
	switch {
	case h.time.IsZero():
		return nhip.Errorf(nhip.Missing, "time", "is required")
	case h.period == 0:
		return nhip.Errorf(nhip.Missing, "period", "is required")
	case len(rows) == 0:
		return nhip.Errorf(nhip.Missing, "values", "must hold at least one value")
	case h.lat.Known() && !h.lon.Known():
		return nhip.Errorf(nhip.Missing, "lon", "is required where there is a lat")
	case h.lon.Known() && !h.lat.Known():
		return nhip.Errorf(nhip.Missing, "lat", "is required where there is a lon")
	}
	return nil
}

func (h *header) fill(rows []nhip.Reading, station string) {
	var point nhip.Opt[orb.Point]
	if lat, ok := h.lat.Get(); ok {
		point = nhip.Some(orb.Point{h.lon.Or(0), lat})
	}
	for i := range rows {
		r := &rows[i]
		r.Station, r.Time, r.Period, r.Point, r.Origin = station, h.time, h.period, point, h.origin
	}
}
