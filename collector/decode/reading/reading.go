// Package reading decodes our own JSON for air monitors, which new monitors should use.
//
//	{"time":"2026-02-16T15:00:00Z","period":"1h","lat":21.02,"lon":105.81,
//	 "values":{"pm25":69.2,"pm10":110,"so2":5,"no2":43,"co":300,"o3":24,
//	           "temperature":27.1,"humidity":80}}
//
// The station is the last level of the topic, as in nhip/in/reading/hn-01; characters that are not allowed in topics
// are percent-encoded. time, period and at least one value are required:
//
//	time      the END of the averaging period, RFC 3339 with its offset
//	period    the averaging period: "30s", "5m", "1h", "1d"
//	values    pm1 pm25 pm10 tsp so2 no no2 co o3 in µg/m³ at 25 °C and 1 atm, temperature in °C,
//	          humidity in %, pressure in Pa; null: no value
//	lat, lon  WGS84 degrees, both or none; a faulty one costs the place
//	origin    must be "simulated" if present
//
// A monitor that was offline sends the messages that it buffered as an array of such objects, oldest first, at most
// 500. Each value is a row, in this order; an error names the element as in "[3].values.pm25".
//
// Traps: time is the END of the period; with its start, every value is dated one period too early. Gases are in µg/m³,
// not ppb, and CO is not in mg/m³. Pressure is in Pa, not hPa. An unknown field or quantity is an error.
//
// To test one: publish it with mosquitto_pub -t nhip/in/reading/test -q 1 -f file.json and query the station, or the
// dead letter with the error.
package reading

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder decodes our own JSON for air monitors.
var Decoder = decode.Decoder{Format: "reading", Version: 4, Decode: read}

// header holds what the values of a message share.
type header struct {
	time     time.Time
	period   time.Duration
	lat, lon nhip.Opt[float64]
	noPlace  bool // one of them is faulty, which is reported
	origin   nhip.Origin

	faults   *decode.Faults // for values that are rejected alone
	rejected bool           // a value was
	element  int            // number of the object in a list; -1: there is no list
}

func read(in decode.Input, out *nhip.Facts) error {
	station := decode.Device(in.Topic)
	s := jsonscan.New(in.Payload)
	faults := in.Faults()
	n, isList := -1, s.IsArray()
	return decode.Batch(&s, out, faults.Reject, func() error {
		n++
		h := header{faults: &faults, element: -1}
		if isList {
			h.element = n
		}
		return h.read(&s, station, &in, out)
	})
}

func (h *header) read(s *jsonscan.Scanner, station string, in *decode.Input, out *nhip.Facts) error {
	first := len(out.Readings)
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return h.field(s, key, in, out)
	})
	if err != nil {
		return err
	}
	rows := out.Readings[first:]
	if err := h.check(rows); err != nil {
		return err
	}
	h.fill(rows, station, in)
	return nil
}

func (h *header) field(s *jsonscan.Scanner, key []byte, in *decode.Input, out *nhip.Facts) (err error) {
	switch string(key) {
	case "time":
		h.time, err = decode.Time(s)
	case "period":
		var text string
		if text, err = s.View(); err == nil {
			h.period, err = nhip.ParsePeriod(text)
		}
	case "lat":
		err = h.coordinate(s, in, "lat", &h.lat)
	case "lon":
		err = h.coordinate(s, in, "lon", &h.lon)
	case "values":
		err = h.values(s, out)
	case "origin":
		h.origin, err = decode.Origin(s)
	default:
		return nhip.Errorf(nhip.CodeUnknownField, "", "is not a field of a reading")
	}
	return err
}

// coordinate reads a coordinate. A faulty one costs the place and not the values.
func (h *header) coordinate(s *jsonscan.Scanner, in *decode.Input, name string, to *nhip.Opt[float64]) error {
	var v nhip.Opt[float64]
	fault, broken := decode.Recover(s, func() (err error) { v, err = decode.Float(s); return err })
	if fault != nil {
		h.noPlace = true
		in.DropField(h.name(), name, fault)
	} else if broken == nil {
		*to = v
	}
	return broken
}

// values reads each value as a row; null means that the monitor has no value. A faulty one is rejected alone.
func (h *header) values(s *jsonscan.Scanner, out *nhip.Facts) error {
	return s.Object(func(key []byte) error {
		start := *s
		err := value(s, key, out)
		if err == nil || !decode.Resume(s, start) {
			return err
		}
		h.rejected = true
		err = jsonscan.InField(jsonscan.InField(err, string(key)), "values")
		if h.element >= 0 {
			err = jsonscan.InField(err, h.name())
		}
		h.faults.Reject(err)
		return nil
	})
}

// name returns the name of the object in a list, or "".
func (h *header) name() string {
	if h.element < 0 {
		return ""
	}
	return "[" + strconv.Itoa(h.element) + "]"
}

func value(s *jsonscan.Scanner, key []byte, out *nhip.Facts) error {
	if s.Null() {
		return nil
	}
	v, err := s.Float()
	if err != nil {
		return err
	}
	q, ok := nhip.ParseQuantity(string(key))
	if !ok {
		return nhip.Errorf(nhip.CodeUnknownField, "", "is not a known quantity")
	}
	out.Readings = append(out.Readings, nhip.Reading{Quantity: q, Value: v, Flag: nhip.FlagNotEvaluated})
	return nil
}

func (h *header) check(rows []nhip.Reading) error {
	switch {
	case h.time.IsZero():
		return nhip.Errorf(nhip.CodeMissing, "time", "is required")
	case h.period == 0:
		return nhip.Errorf(nhip.CodeMissing, "period", "is required")
	case len(rows) == 0 && !h.rejected:
		return nhip.Errorf(nhip.CodeMissing, "values", "must contain at least one value")
	}
	return nil
}

func (h *header) fill(rows []nhip.Reading, station string, in *decode.Input) {
	var point nhip.Opt[orb.Point]
	switch lat, lon := h.lat.Known(), h.lon.Known(); {
	case h.noPlace:
	case lat && lon:
		point = nhip.Some(orb.Point{h.lon.Or(0), h.lat.Or(0)})
	case lat:
		in.DropField(h.name(), "lon", nhip.Errorf(nhip.CodeMissing, "", "is required with lat"))
	case lon:
		in.DropField(h.name(), "lat", nhip.Errorf(nhip.CodeMissing, "", "is required with lon"))
	}
	for i := range rows {
		r := &rows[i]
		r.Station, r.Time, r.Period, r.Point, r.Origin = station, h.time, h.period, point, h.origin
	}
}
