package purpleair

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// row holds the fields of one sensor.
type row struct {
	in     *decode.Input
	faults *decode.Faults
	name   string // of the row

	sensor, seen nhip.Opt[int]
	numbers      [fields]nhip.Opt[float64]
}

// read reads the value of a field. null means that the sensor has no value. A faulty measured value is rejected alone,
// and a faulty coordinate costs the place.
func (r *row) read(s *jsonscan.Scanner, f field) (err error) {
	if s.Null() {
		return nil
	}
	switch f {
	case other, otherPM25:
		return s.Skip()
	case sensorIndex:
		r.sensor, err = decode.Int(s)
	case lastSeen:
		r.seen, err = decode.Int(s)
	default:
		return r.number(s, f)
	}
	if err != nil {
		return jsonscan.InField(err, f.String())
	}
	return nil
}

func (r *row) number(s *jsonscan.Scanner, f field) error {
	fault, broken := decode.Recover(s, func() (err error) { r.numbers[f], err = decode.Float(s); return err })
	switch {
	case fault == nil:
	case f == latitude || f == longitude:
		r.in.DropField(r.name, f.String(), fault)
	default:
		r.faults.Reject(jsonscan.InField(jsonscan.InField(fault, f.String()), r.name))
	}
	if v, _ := r.numbers[f].Get(); fault != nil || nhip.IsNoValue(v) && f != longitude {
		r.numbers[f] = nhip.Opt[float64]{}
	}
	return broken
}

// appendTo appends the row's readings. The column of a quantity depends on the columns of the response, not on the
// values of the row: a series must not change its column because one value is missing.
func (r *row) appendTo(set fieldSet, in *decode.Input, out *nhip.Facts) error {
	values := decode.ValueSet{Period: in.Feed.PeriodOr(defaultPeriod), Point: r.point()}
	values.AddKnown(nhip.PM1, r.first(set, pm1CF1, pm1))
	values.AddKnown(nhip.PM25, r.pm25(set))
	if a, ok := r.numbers[pm25CF1A].Get(); ok {
		if b, ok := r.numbers[pm25CF1B].Get(); ok {
			values.Channels(nhip.PM25, a, b)
		}
	}
	values.AddKnown(nhip.PM10, r.first(set, pm10CF1, pm10))
	values.AddKnown(nhip.Humidity, r.numbers[humidity])
	if f, ok := r.numbers[temperature].Get(); ok {
		values.Add(nhip.Temperature, decode.Celsius(f))
	}
	if mbar, ok := r.numbers[pressure].Get(); ok {
		values.Add(nhip.Pressure, mbar*100)
	}
	if values.Empty() {
		return nil
	}
	id, ok := r.sensor.Get()
	if !ok {
		return nhip.Errorf(nhip.CodeMissing, sensorIndex.String(), "is required")
	}
	seen, ok := r.seen.Get()
	if !ok {
		return nhip.Errorf(nhip.CodeMissing, lastSeen.String(), "is required with values")
	}
	values.Station, values.Time = strconv.Itoa(id), time.Unix(int64(seen), 0).UTC()
	values.AppendTo(out)
	return nil
}

func (r *row) point() nhip.Opt[orb.Point] {
	lat, hasLat := r.numbers[latitude].Get()
	lon, hasLon := r.numbers[longitude].Get()
	if !hasLat || !hasLon {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(orb.Point{lon, lat})
}

// first returns the value of the first of two fields that the response contains.
func (r *row) first(set fieldSet, a, b field) nhip.Opt[float64] {
	if set.has(a) {
		return r.numbers[a]
	}
	return r.numbers[b]
}

// pm25 returns pm2.5_cf_1, or the mean of its two channels if the response contains only these.
func (r *row) pm25(set fieldSet) nhip.Opt[float64] {
	if set.has(pm25CF1) {
		return r.numbers[pm25CF1]
	}
	a, hasA := r.numbers[pm25CF1A].Get()
	b, hasB := r.numbers[pm25CF1B].Get()
	switch {
	case hasA && hasB:
		return nhip.Some((a + b) / 2)
	case hasB:
		return nhip.Some(b)
	}
	return r.numbers[pm25CF1A]
}
