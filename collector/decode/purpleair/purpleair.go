// Package purpleair decodes the answers of PurpleAir's API, version 1: those of /v1/sensors (many
// sensors, a list of fields and rows) and of /v1/sensors/<index> (one sensor, an object).
//
//	topic    nhip/in/purpleair/pull
//	payload  {"api_version":"V1.0.14-0.0.58","time_stamp":1771257490,
//	          "fields":["sensor_index","last_seen","latitude","longitude","humidity","temperature",
//	                    "pressure","pm1.0_cf_1","pm2.5_cf_1","pm10.0_cf_1"],
//	          "data":[[131075,1771257482,21.0285,105.8542,71,79,1008.4,31.2,48.7,55.1],
//	                  [131079,1771257466,21.0412,105.8021,null,null,null,28.9,44.0,49.3]]}
//	payload  {"sensor":{"sensor_index":131075,"last_seen":1771257482,"pm2.5_cf_1":48.7,…}}
//
// The station is the sensor_index, whatever the topic: one answer holds many. The time is last_seen,
// seconds since 1970. Particles are in µg/m³, humidity in %; temperature comes in °F and pressure in
// millibar, and are kept in °C and Pa.
//
// The fields to ask for are those of the example. sensor_index and last_seen must be there, and at
// least one measured value; where any PM2.5 is asked for, pm2.5_cf_1 must be. An answer that lacks
// one is refused with the name of the missing field.
//
// Traps of the format:
//
//   - There are a dozen PM2.5s. pm2.5_atm is pm2.5_cf_1 bent by the sensor's maker, the more the
//     dustier the air; pm2.5 is the one or the other by whether the sensor is registered as indoors;
//     pm2.5_alt is PurpleAir's own calculation. pm2.5_cf_1, the mean of both channels, is kept as
//     the raw value, because the correction of Barkjohn et al. (2021) was fitted to it and a
//     correction of another column would be wrong in silence. Where only pm2.5_cf_1_a and
//     pm2.5_cf_1_b were asked for, their mean is the value (or the one that is left).
//   - PM1 and PM10 are pm1.0_cf_1 and pm10.0_cf_1, or else pm1.0 and pm10.0. Ask for those with
//     cf_1: beside a PM2.5 of the other kind, PM10 may be the smaller one.
//   - pm2.5_10minute, pm2.5_60minute and so on, and everything under stats, are running means of the
//     same values and are passed over: ours are made from the raw ones.
//   - temperature and humidity are those inside the housing, some 4 °C too warm and 4 % too dry. Raw
//     stays.
//   - null is missing, never 0.
//   - A pull more often than each 2 minutes brings the same values with the same last_seen, which
//     count as duplicates. max_age=0 brings sensors that died years ago, which are refused as too
//     old each time.
//   - location_type is not looked at. Ask with location_type=0: indoor air is not the city's.
//   - /v1/sensors/<index>/history has no sensor_index in its rows and is refused.
//   - Fields that are not listed above are passed over, known or new.
//
// A value is the mean of 2 minutes, which is the period unless the feed declares another.
//
// To test:
//
//	curl -H "X-API-Key: $KEY" 'https://api.purpleair.com/v1/sensors?location_type=0&fields=last_seen,…' |
//	  mosquitto_pub -t nhip/in/purpleair/pull -q 1 -s
//
// Sources: api.purpleair.com; community.purpleair.com/t/4652 for the fields; Barkjohn, Gantt and
// Clements (2021), doi:10.5194/amt-14-4617-2021.
package purpleair

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads the answers of PurpleAir's API.
var Decoder = decode.Decoder{Format: "purpleair", Version: 2, Decode: read}

// realTime is what a sensor averages over before it speaks.
const realTime = 2 * time.Minute

// answer is what one payload holds.
type answer struct {
	in  *decode.Input
	out *nhip.Facts

	columns  []field          // of the rows, once fields has been read
	set      fieldSet         // the same, without their order
	data     jsonscan.Scanner // at the rows, when they come before fields
	waits    bool
	answered bool // there is a sensor, or rows
}

func read(in decode.Input, out *nhip.Facts) error {
	a := answer{in: &in, out: out}
	s := jsonscan.New(in.Payload)
	err := s.Object(func(key []byte) error { return a.field(&s, key) })
	if err == nil {
		err = s.End()
	}
	switch {
	case err != nil:
		return err
	case a.waits && a.columns == nil:
		return nhip.Errorf(nhip.Missing, "fields", "is required where there is data")
	case a.waits:
		return jsonscan.In(a.rows(&a.data), "data")
	case !a.answered:
		return nhip.Errorf(nhip.Missing, "data", "is required, with fields, where there is no sensor")
	}
	return nil
}

func (a *answer) field(s *jsonscan.Scanner, key []byte) error {
	switch string(key) {
	case "fields":
		return a.names(s)
	case "data":
		a.answered = true
		if a.columns != nil {
			return a.rows(s)
		}
		a.data, a.waits = *s, true
		return s.Skip()
	case "sensor":
		a.answered = true
		return a.sensor(s)
	case "error":
		text, err := s.String()
		if err == nil {
			err = nhip.Errorf(nhip.Malformed, "", "PurpleAir has no answer but %q", text)
		}
		return err
	}
	return s.Skip()
}

// names reads the list of fields, the columns of the rows.
func (a *answer) names(s *jsonscan.Scanner) error {
	a.columns = make([]field, 0, 32)
	err := s.Array(func() error {
		name, err := s.Text()
		if err != nil {
			return err
		}
		f := fieldOf(name)
		if !f.shared() && a.set.has(f) {
			return nhip.Errorf(nhip.Malformed, "", "%q stands twice", name)
		}
		a.columns = append(a.columns, f)
		a.set.add(f)
		return nil
	})
	if err != nil {
		return err
	}
	if lacks := a.set.lacks(); lacks != "" {
		return nhip.Errorf(nhip.Missing, "", "must name %s", lacks)
	}
	return nil
}

func (a *answer) rows(s *jsonscan.Scanner) error {
	i := -1
	return s.Array(func() error {
		i++
		var r row
		err := a.row(s, &r)
		if err == nil {
			err = r.appendTo(a.set, a.in, a.out)
		}
		if err != nil {
			return jsonscan.In(err, "["+strconv.Itoa(i)+"]")
		}
		return nil
	})
}

func (a *answer) row(s *jsonscan.Scanner, r *row) error {
	n := 0
	err := s.Array(func() error {
		f := other
		if n < len(a.columns) {
			f = a.columns[n]
		}
		n++
		return r.read(s, f)
	})
	if err == nil && n != len(a.columns) {
		err = nhip.Errorf(nhip.Malformed, "", "holds %d values where fields names %d", n, len(a.columns))
	}
	return err
}

// sensor reads the one sensor of the other form.
func (a *answer) sensor(s *jsonscan.Scanner) error {
	var r row
	var set fieldSet
	err := s.Object(func(key []byte) error {
		f := fieldOf(key)
		set.add(f)
		return r.read(s, f)
	})
	if err != nil {
		return err
	}
	if lacks := set.lacks(); lacks != "" {
		return nhip.Errorf(nhip.Missing, lacks, "is required")
	}
	return r.appendTo(set, a.in, a.out)
}
