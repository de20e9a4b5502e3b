// Package reading decodes our own JSON for monitors: what a new air monitor should speak.
//
//	{"time":"2026-02-16T15:00:00Z","period":"1h","lat":21.02,"lon":105.81,
//	 "values":{"pm25":69.2,"pm10":110,"so2":5,"no2":43,"co":300,"o3":24,
//	           "temperature":27.1,"humidity":80}}
//
// time is the END of the averaging period; values are in µg/m³ at 25 °C and 1 atm, °C, % and Pa.
// time, period and at least one value are required; lat and lon come together or not at all. The
// station is the topic's last level. A field or quantity that is not known is an error.
package reading

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder reads our own JSON for monitors.
var Decoder = decode.Decoder{Format: "reading", Version: 1, Decode: read}

// header is what all values of one message share.
type header struct {
	time     time.Time
	period   time.Duration
	lat, lon nhip.Opt[float64]
	origin   nhip.Origin
}

func read(in decode.Input, out *nhip.Facts) error {
	var h header
	first := len(out.Readings)
	s := jsonscan.New(in.Payload)
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return h.field(&s, key, out)
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	rows := out.Readings[first:]
	if err := h.check(rows); err != nil {
		return err
	}
	h.fill(rows, decode.Device(in.Topic))
	return nil
}

func (h *header) field(s *jsonscan.Scanner, key []byte, out *nhip.Facts) (err error) {
	switch string(key) {
	case "time":
		h.time, err = decode.Time(s)
	case "period":
		var text string
		if text, err = s.String(); err == nil {
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
		q := nhip.Quantity(key)
		if !q.Known() {
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
