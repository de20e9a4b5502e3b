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
	box      decode.Box
	lat, lon nhip.Opt[float64]
	sensor   nhip.Opt[int] // the API's number of it
	valued   bool          // there are sensordatavalues

	said [len(parts)]uint8 // by part, the bits of what it has said: a name must not stand twice
}

// readOne reads a push, a message of the custom API, or one record of the API.
func readOne(s *jsonscan.Scanner, in *decode.Input, out *nhip.Facts) error {
	var r record
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
	r.box.Station = decode.Device(in.Topic)
	if r.box.Time.IsZero() {
		r.box.Time = in.Arrival()
		out.Undated = true
	}
	return r.finish(in, out)
}

// readList reads the API's answer.
func readList(s *jsonscan.Scanner, in *decode.Input, out *nhip.Facts) error {
	i := -1
	err := s.Array(func() error {
		i++
		var r record
		err := r.read(s)
		if err == nil && !r.sensor.Known() {
			err = nhip.Errorf(nhip.Missing, "sensor.id", "is required")
		}
		if err == nil {
			err = r.finish(in, out)
		}
		if err != nil {
			return jsonscan.In(err, "["+strconv.Itoa(i)+"]")
		}
		return nil
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
			r.box.Time, err = decode.LocalTime(string(text), time.UTC)
		}
		return err
	case "location":
		return r.location(s)
	case "sensor":
		if s.Next() != '{' {
			return s.Skip() // a push may say the number of its pin
		}
		return r.identity(s)
	case "sensordatavalues":
		r.valued = true
		return s.Array(func() error { return r.value(s) })
	}
	return s.Skip()
}

func (r *record) location(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "latitude":
			r.lat, err = decode.Measured(s)
		case "longitude":
			r.lon, err = decode.Measured(s)
		default:
			err = s.Skip()
		}
		return err
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

// value reads one element of sensordatavalues. The name may follow its value, and only values whose
// names are ours must be numbers.
func (r *record) value(s *jsonscan.Scanner) error {
	var name []byte
	var at jsonscan.Scanner
	valued := false
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "value_type":
			name, err = s.Text()
			return err
		case "value":
			at, valued = *s, true
		}
		return s.Skip()
	})
	switch {
	case err != nil:
		return err
	case name == nil:
		return nhip.Errorf(nhip.Missing, "value_type", "is required")
	case !valued:
		return nhip.Errorf(nhip.Missing, string(name), "has no value")
	}
	if err := r.measure(name, &at); err != nil {
		return jsonscan.In(err, string(name))
	}
	return nil
}

// measure takes a value by its name, with the scanner at it.
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
	part, q := named(name)
	if q == "" {
		return nil
	}
	if r.said[part]&bit(q) != 0 {
		return nhip.Errorf(nhip.Malformed, "", "stands twice")
	}
	r.said[part] |= bit(q)
	v, err := decode.Measured(at)
	if x, ok := v.Get(); ok {
		r.box.Offer(q, x, decode.Instrument{Rank: part})
	}
	return err
}

// noFix is what the firmware says for a coordinate while its receiver has none.
const noFix = -200

func coordinate(at *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := decode.Measured(at)
	if v.Or(0) == noFix {
		v = nhip.Opt[float64]{}
	}
	return v, err
}

// interval reads how often the node sends, in ms; whole seconds count, as the grain of a period.
func (r *record) interval(at *jsonscan.Scanner) error {
	v, err := decode.Measured(at)
	ms, ok := v.Get()
	if err != nil || !ok {
		return err
	}
	if !(ms >= 1000 && ms <= float64(nhip.MaxPeriod/time.Millisecond)) {
		return nhip.Errorf(nhip.OutOfRange, "", "must be from 1 s to 366 days, in ms, got %v", ms)
	}
	r.box.Period = time.Duration(ms/1000) * time.Second
	return nil
}

// finish checks what every record must have and appends its readings.
func (r *record) finish(in *decode.Input, out *nhip.Facts) error {
	if !r.valued {
		return nhip.Errorf(nhip.Missing, "sensordatavalues", "is required")
	}
	if r.box.Time.IsZero() {
		return nhip.Errorf(nhip.Missing, "timestamp", "is required")
	}
	if id, ok := r.sensor.Get(); ok {
		r.box.Station = strconv.Itoa(id)
	}
	if r.box.Period == 0 {
		r.box.Period = in.Feed.PeriodOr(usualInterval)
	}
	r.box.Point = point(r.lat, r.lon)
	r.box.AppendTo(out)
	return nil
}
