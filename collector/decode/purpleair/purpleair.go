// Package purpleair decodes responses of PurpleAir's API, version 1: those of /v1/sensors (many sensors, as a list of
// fields and rows) and of /v1/sensors/<index> (one sensor, as an object).
//
//	topic    nhip/in/purpleair/pull
//	payload  {"api_version":"V1.0.14-0.0.58","time_stamp":1771257490,
//	          "fields":["sensor_index","last_seen","latitude","longitude","humidity","temperature",
//	                    "pressure","pm1.0_cf_1","pm2.5_cf_1","pm10.0_cf_1"],
//	          "data":[[131075,1771257482,21.0285,105.8542,71,79,1008.4,31.2,48.7,55.1],
//	                  [131079,1771257466,21.0412,105.8021,null,null,null,28.9,44.0,49.3]]}
//	payload  {"sensor":{"sensor_index":131075,"last_seen":1771257482,"pm2.5_cf_1":48.7,…}}
//
// The station is the sensor_index, not the topic, because a response contains many. The time is last_seen in seconds
// since 1970. Particles are in µg/m³, humidity in %; temperature is converted from °F and pressure from millibar.
//
// Requests should contain the fields of the example. sensor_index, last_seen and at least one measured value are
// required, and with any PM2.5 field pm2.5_cf_1 is too. A response without them is rejected with the name of the
// missing field.
//
// Traps of the format:
//
//   - There are a dozen fields for PM2.5. pm2.5_atm is pm2.5_cf_1 reduced by the sensor's manufacturer, the more the
//     higher the concentration is; pm2.5 is one of the two, depending on whether the sensor is registered as indoors;
//     pm2.5_alt is PurpleAir's own calculation. The raw value is pm2.5_cf_1, the mean of both channels, because the
//     correction of Barkjohn et al. (2021) was fitted to it and would be wrong for other fields. If a response contains
//     only pm2.5_cf_1_a and pm2.5_cf_1_b, the value is their mean (or the one that is present).
//   - PM1 and PM10 are pm1.0_cf_1 and pm10.0_cf_1, or else pm1.0 and pm10.0. Request the fields with cf_1: PM10 of one
//     kind may be smaller than PM2.5 of the other.
//   - pm2.5_10minute, pm2.5_60minute and so on, and everything under stats, are running means of the same values and
//     are skipped, because the platform computes its own from the raw values.
//   - temperature and humidity are measured inside the housing, about 4 °C too warm and 4 % too dry. They are stored as
//     they are.
//   - null, and numbers such as -999, mean that there is no value, never 0.
//   - Requests more often than every 2 minutes return the same values with the same last_seen, which count as
//     duplicates. With max_age=0 the response contains sensors that stopped years ago, which are rejected as too old
//     each time.
//   - location_type is not read. Request location_type=0, to exclude indoor air.
//   - Responses of /v1/sensors/<index>/history have no sensor_index in their rows and are rejected.
//   - Fields that are not listed above are skipped.
//
// A value is the mean of 2 minutes, which is the averaging period unless the feed declares another.
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

// Decoder decodes responses of PurpleAir's API.
var Decoder = decode.Decoder{Format: "purpleair", Version: 4, Decode: read}

// defaultPeriod is the averaging period of a sensor.
const defaultPeriod = 2 * time.Minute

// response is a response that is being read.
type response struct {
	in  *decode.Input
	out *nhip.Facts

	faults  decode.Faults
	columns []field          // of the rows; nil before "fields" has been read
	set     fieldSet         // the same fields as a set
	data    jsonscan.Scanner // at the rows, if pending
	pending bool             // "data" came before "fields", and is still to be read
	hasData bool             // there is a sensor, or rows
}

func read(in decode.Input, out *nhip.Facts) error {
	resp := response{in: &in, out: out, faults: in.Faults()}
	s := jsonscan.New(in.Payload)
	err := s.Object(func(key []byte) error { return resp.field(&s, key) })
	if err == nil {
		err = s.End()
	}
	switch {
	case err != nil:
		return err
	case resp.pending && resp.columns == nil:
		return nhip.Errorf(nhip.CodeMissing, "fields", "is required with data")
	case resp.pending:
		return jsonscan.InField(resp.rows(&resp.data), "data")
	case !resp.hasData:
		return nhip.Errorf(nhip.CodeMissing, "data", "is required, with fields, unless there is a sensor")
	}
	return nil
}

func (resp *response) field(s *jsonscan.Scanner, key []byte) error {
	switch string(key) {
	case "fields":
		return resp.readColumns(s)
	case "data":
		resp.hasData = true
		if resp.columns != nil {
			return resp.rows(s)
		}
		resp.data, resp.pending = *s, true
		return s.Skip()
	case "sensor":
		resp.hasData = true
		return resp.sensor(s)
	case "error":
		text, err := s.String()
		if err == nil {
			err = nhip.Errorf(nhip.CodeMalformed, "", "PurpleAir returned the error %q", text)
		}
		return err
	}
	return s.Skip()
}

// readColumns reads the list of fields, which are the columns of the rows.
func (resp *response) readColumns(s *jsonscan.Scanner) error {
	resp.columns = make([]field, 0, 32)
	err := s.Array(func() error {
		name, err := s.Text()
		if err != nil {
			return err
		}
		f := fieldOf(name)
		if !f.ambiguous() && resp.set.has(f) {
			return nhip.Errorf(nhip.CodeMalformed, "", "%q occurs twice", name)
		}
		resp.columns = append(resp.columns, f)
		resp.set.add(f)
		return nil
	})
	if err != nil {
		return err
	}
	if name := resp.set.missing(); name != "" {
		return nhip.Errorf(nhip.CodeMissing, "", "must contain %s", name)
	}
	return nil
}

// rows reads the sensors of a response. A faulty row is rejected alone, as "data[3]".
func (resp *response) rows(s *jsonscan.Scanner) error {
	i := -1
	reject := func(fault error) { resp.faults.Reject(jsonscan.InField(fault, "data")) }
	return s.Array(func() error {
		i++
		return decode.Element(s, resp.out, i, reject, func() error {
			r := row{in: resp.in, faults: &resp.faults, name: "data[" + strconv.Itoa(i) + "]"}
			if err := resp.row(s, &r); err != nil {
				return err
			}
			return r.appendTo(resp.set, resp.in, resp.out)
		})
	})
}

func (resp *response) row(s *jsonscan.Scanner, r *row) error {
	n := 0
	err := s.Array(func() error {
		f := other
		if n < len(resp.columns) {
			f = resp.columns[n]
		}
		n++
		return r.read(s, f)
	})
	if err == nil && n != len(resp.columns) {
		err = nhip.Errorf(nhip.CodeMalformed, "", "has %d values, want %d as in fields", n, len(resp.columns))
	}
	return err
}

// sensor reads the object of a response with one sensor.
func (resp *response) sensor(s *jsonscan.Scanner) error {
	r := row{in: resp.in, faults: &resp.faults, name: "sensor"}
	var set fieldSet
	err := s.Object(func(key []byte) error {
		f := fieldOf(key)
		set.add(f)
		return r.read(s, f)
	})
	if err != nil {
		return err
	}
	if name := set.missing(); name != "" {
		return nhip.Errorf(nhip.CodeMissing, name, "is required")
	}
	return r.appendTo(set, resp.in, resp.out)
}
