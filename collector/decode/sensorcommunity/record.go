package sensorcommunity

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// record is one object with sensordatavalues: a push, or one sensor's moment of the API.
type record struct {
	values    decode.ValueSet
	lat, lon  nhip.Opt[float64]
	sensor    nhip.Opt[int] // number of the sensor in the API
	hasValues bool          // there are sensordatavalues

	in     *decode.Input
	faults *decode.Faults // for values that are rejected alone
	name   string         // of the record in a list, or ""

	seen [len(sensors)]uint8 // bits of the quantities that were read, by sensor: a name must not occur twice
}

// readOne reads a push, a message to a custom API, or one record of the API.
func readOne(s *jsonscan.Scanner, in *decode.Input, out *nhip.Facts) error {
	faults := in.Faults()
	r := record{in: in, faults: &faults}
	err := r.read(s)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	if r.sensor.Known() {
		return r.finish(in, out)
	}
	r.values.Station = decode.Device(in.Topic)
	if r.values.Time.IsZero() {
		r.values.Time = in.Arrival()
		out.Undated = true
	}
	return r.finish(in, out)
}

// readList reads a response of the API, which holds the sensors of many owners. A faulty record is rejected alone.
func readList(s *jsonscan.Scanner, in *decode.Input, out *nhip.Facts) error {
	i, faults := -1, in.Faults()
	err := s.Array(func() error {
		i++
		return decode.Element(s, out, i, faults.Reject, func() error {
			r := record{in: in, faults: &faults, name: "[" + strconv.Itoa(i) + "]"}
			if err := r.read(s); err != nil {
				return err
			}
			if !r.sensor.Known() {
				return nhip.Errorf(nhip.CodeMissing, "sensor.id", "is required")
			}
			return r.finish(in, out)
		})
	})
	if err == nil {
		err = s.End()
	}
	return err
}

func (r *record) read(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return r.field(s, key)
	})
}

func (r *record) field(s *jsonscan.Scanner, key []byte) (err error) {
	switch string(key) {
	case "timestamp":
		var text []byte
		if text, err = s.Text(); err == nil {
			r.values.Time, err = decode.LocalTime(string(text), time.UTC)
		}
		return err
	case "location":
		return r.location(s)
	case "sensor":
		if s.Next() != '{' {
			return s.Skip() // in pushes it may be the number of the pin
		}
		return r.identity(s)
	case "sensordatavalues":
		r.hasValues = true
		return s.Array(func() error { return r.tryValue(s) })
	}
	return s.Skip()
}

func (r *record) location(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) error {
		to, name := &r.lat, "latitude"
		switch string(key) {
		case name:
		case "longitude":
			to, name = &r.lon, "longitude"
		default:
			return s.Skip()
		}
		fault, broken := decode.Recover(s, func() (err error) { *to, err = decode.Measured(s); return err })
		r.in.DropField(r.name, name, fault)
		return broken
	})
}

func (r *record) identity(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) (err error) {
		if string(key) != "id" {
			return s.Skip()
		}
		r.sensor, err = decode.Int(s)
		return err
	})
}

// tryValue reads one element of sensordatavalues. A faulty one is rejected alone.
func (r *record) tryValue(s *jsonscan.Scanner) error {
	fault, broken := decode.Recover(s, func() error { return r.value(s) })
	if fault != nil {
		at := "sensordatavalues"
		if r.name != "" {
			at = r.name + "." + at
		}
		r.faults.Reject(jsonscan.InField(fault, at))
	}
	return broken
}

// value reads one element of sensordatavalues. The name may follow the value, and only values whose names are used must
// be numbers.
func (r *record) value(s *jsonscan.Scanner) error {
	var name []byte
	var at jsonscan.Scanner
	hasValue := false
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "value_type":
			name, err = s.Text()
			return err
		case "value":
			at, hasValue = *s, true
		}
		return s.Skip()
	})
	switch {
	case err != nil:
		return err
	case name == nil:
		return nhip.Errorf(nhip.CodeMissing, "value_type", "is required")
	case !hasValue:
		return nhip.Errorf(nhip.CodeMissing, string(name), "has no value")
	}
	if err := r.measure(name, &at); err != nil {
		return jsonscan.InField(err, string(name))
	}
	return nil
}

// measure reads the value with a name, with the scanner at the value.
func (r *record) measure(name []byte, at *jsonscan.Scanner) (err error) {
	switch string(name) {
	case "interval":
		return r.interval(at)
	case "GPS_lat", "lat":
		r.lat, err = coordinate(at)
		return err
	case "GPS_lon", "lon":
		r.lon, err = coordinate(at)
		return err
	}
	sensor, q := named(name)
	if q == "" {
		return nil
	}
	if r.seen[sensor]&bit(q) != 0 {
		return nhip.Errorf(nhip.CodeMalformed, "", "occurs twice")
	}
	r.seen[sensor] |= bit(q)
	v, err := decode.Measured(at)
	if x, ok := v.Get(); ok {
		r.values.Offer(q, x, decode.Instrument{Rank: sensor})
	}
	return err
}

// noFix is the coordinate that the firmware sends while its GPS receiver has no fix.
const noFix = -200

func coordinate(at *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := decode.Measured(at)
	if v.Or(0) == noFix {
		v = nhip.Opt[float64]{}
	}
	return v, err
}

// interval reads the interval of messages in ms, as the averaging period in whole seconds.
func (r *record) interval(at *jsonscan.Scanner) error {
	v, err := decode.Measured(at)
	ms, ok := v.Get()
	if err != nil || !ok {
		return err
	}
	if !(ms >= 1000 && ms <= float64(nhip.MaxPeriod/time.Millisecond)) {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must be between 1 s and 366 days, in ms, got %v", ms)
	}
	r.values.Period = time.Duration(ms/1000) * time.Second
	return nil
}

// finish checks the required fields of a record, and appends its readings.
func (r *record) finish(in *decode.Input, out *nhip.Facts) error {
	if !r.hasValues {
		return nhip.Errorf(nhip.CodeMissing, "sensordatavalues", "is required")
	}
	if r.values.Time.IsZero() {
		return nhip.Errorf(nhip.CodeMissing, "timestamp", "is required")
	}
	if id, ok := r.sensor.Get(); ok {
		r.values.Station = strconv.Itoa(id)
	}
	if r.values.Period == 0 {
		r.values.Period = in.Feed.PeriodOr(defaultPeriod)
	}
	r.values.Point = point(r.lat, r.lon)
	r.values.AppendTo(out)
	return nil
}
