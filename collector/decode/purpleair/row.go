package purpleair

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// row is one sensor's moment.
type row struct {
	sensor, seen nhip.Opt[int]
	numbers      [fields]nhip.Opt[float64]
}

// read reads the value of a field. null is a value that the sensor does not have.
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
		r.numbers[f], err = decode.Float(s)
	}
	if err != nil {
		return jsonscan.In(err, f.String())
	}
	return nil
}

// appendTo appends the row's readings. Which column a quantity is taken from depends on what was
// asked for, not on what a row has: a series must not change its column where one value is missing.
func (r *row) appendTo(set fieldSet, in *decode.Input, out *nhip.Facts) error {
	box := decode.Box{Period: in.Feed.PeriodOr(realTime), Point: r.point()}
	box.AddKnown(nhip.PM1, r.first(set, pm1CF1, pm1))
	box.AddKnown(nhip.PM25, r.pm25(set))
	if a, ok := r.numbers[pm25CF1A].Get(); ok {
		if b, ok := r.numbers[pm25CF1B].Get(); ok {
			box.Channels(nhip.PM25, a, b)
		}
	}
	box.AddKnown(nhip.PM10, r.first(set, pm10CF1, pm10))
	box.AddKnown(nhip.Humidity, r.numbers[humidity])
	if f, ok := r.numbers[temperature].Get(); ok {
		box.Add(nhip.Temperature, decode.Celsius(f))
	}
	if mbar, ok := r.numbers[pressure].Get(); ok {
		box.Add(nhip.Pressure, mbar*100)
	}
	if box.Empty() {
		return nil
	}
	id, known := r.sensor.Get()
	if !known {
		return nhip.Errorf(nhip.Missing, sensorIndex.String(), "is required")
	}
	seen, known := r.seen.Get()
	if !known {
		return nhip.Errorf(nhip.Missing, lastSeen.String(), "is required where there are values")
	}
	box.Station, box.Time = strconv.Itoa(id), time.Unix(int64(seen), 0).UTC()
	box.AppendTo(out)
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

// first returns the value of the first of two fields that was asked for.
func (r *row) first(set fieldSet, a, b field) nhip.Opt[float64] {
	if set.has(a) {
		return r.numbers[a]
	}
	return r.numbers[b]
}

// pm25 returns pm2.5_cf_1, or the mean of its two channels where only those were asked for.
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
