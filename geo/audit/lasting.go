package audit

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/qc"
)

// maxLasting is how far values are looked back and ahead at: every limit of the checks of unchanged values is shorter.
const maxLasting = 26 * time.Hour

// flatLine looks for the whole run of equal values around a reading. Readings that are more than three periods apart
// are of different runs. The run lasts from its first to its last value, and a period longer.
func flatLine(p *qc.Params, series []*Reading, at int) nhip.Flag {
	x, from, to := series[at], at, at
	for near(series, from-1) && series[from-1].Raw == x.Raw && x.Time.Sub(series[from].Time) < maxLasting {
		from--
	}
	for near(series, to) && series[to+1].Raw == x.Raw && series[to].Time.Sub(x.Time) < maxLasting {
		to++
	}
	hours := (series[to].Time.Sub(series[from].Time) + x.Period).Hours()
	if flag := over(p, hours, 0); flag == nhip.FlagGood || p.Resolution == 0 {
		return flag
	}
	suspect, fail := coarse(x.Raw, p.Resolution)
	return over(&qc.Params{Suspect: math.Max(p.Suspect, suspect), Fail: math.Max(p.Fail, fail)}, hours, 0)
}

// coarse returns the hours of one value beyond which it is suspect and fails, from the resolution of an instrument:
// changes from hour to hour are normal with a deviation of 15 % of the value, so that the chance of another equal value
// is the density of no change times the resolution. It is suspect from odds of e⁻¹⁴ on and fails from e⁻²⁸ on; limits
// of more than a day are not applied. Zeros have no such limit.
func coarse(value, resolution float64) (suspect, fail float64) {
	if value == 0 {
		return 0, 0
	}
	chance := math.Min(resolution/(0.15*math.Abs(value)*math.Sqrt(2*math.Pi)), 0.98)
	suspect, fail = 14/-math.Log(chance), 28/-math.Log(chance)
	if suspect > 24 {
		suspect = math.Inf(1)
	}
	if fail > 24 {
		fail = math.Inf(1)
	}
	return suspect, fail
}

// allSeries are the readings of a station by quantity and averaging period, in the order of time.
type allSeries map[seriesKey][]*Reading

type seriesKey struct {
	quantity nhip.Quantity
	period   time.Duration
}

// lastAt returns the index of the last reading of a series that is not after a time, or -1 if it is older than an age.
func lastAt(series []*Reading, at time.Time, age time.Duration) int {
	low, high := 0, len(series)
	for low < high {
		if middle := (low + high) / 2; series[middle].Time.After(at) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low == 0 || at.Sub(series[low-1].Time) > age {
		return -1
	}
	return low - 1
}

// unchangedSince returns the time of the first of the equal values that end with a reading.
func unchangedSince(series []*Reading, at int) time.Time {
	from := at
	for near(series, from-1) && series[from-1].Raw == series[at].Raw &&
		series[at].Time.Sub(series[from].Time) < maxLasting {
		from--
	}
	return series[from].Time
}

// frozenFeed looks for the time since which no quantity of the station has changed. At least two must report.
func (a allSeries) frozenFeed(p *qc.Params, key seriesKey, at int) nhip.Flag {
	x, since, reporting := a[key][at], unchangedSince(a[key], at), 1
	if over(p, x.Time.Sub(since).Hours(), 0) == nhip.FlagGood {
		return nhip.FlagGood // most readings
	}
	for other, series := range a {
		last := lastAt(series, x.Time, 3*other.period)
		if other == key || last < 0 {
			continue
		}
		reporting++
		if t := unchangedSince(series, last); t.After(since) {
			since = t
		}
	}
	if reporting == 1 {
		return nhip.FlagGood
	}
	return over(p, x.Time.Sub(since).Hours(), 0)
}

// humid looks at the humidity of the last hour, unless the sensor of humidity is stuck. A station with several series
// of humidity is not repeated: which of them counts depends on the order in which they began.
func (a allSeries) humid(rules *qc.Rules, class qc.Class, x *Reading) nhip.Flag {
	var of []*Reading
	for key, series := range a {
		if key.quantity != nhip.Humidity {
			continue
		}
		if of != nil {
			return notRepeated
		}
		of = series
	}
	last := lastAt(of, x.Time, time.Hour)
	if last < 0 || flatLine(rules.Params(nhip.Humidity, class, qc.CheckFlatLine), of, last) == nhip.FlagFail {
		return nhip.FlagGood
	}
	return over(rules.Params(x.Quantity, class, qc.CheckHumidity), of[last].Raw, 0)
}
