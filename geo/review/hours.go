package review

import (
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/rollup"
)

// hourOf returns the number of the hour, by its END, that a time belongs to: an END belongs to its own hour.
func hourOf(t time.Time) int64 {
	h := t.Unix() / 3600
	if t.After(endOf(h)) {
		h++
	}
	return h
}

func endOf(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }

// hours are the roll-ups of hours by quantity and number.
type hours map[nhip.Quantity]map[int64]nhip.RollupStats

func (x hours) set(q nhip.Quantity, h int64, s nhip.RollupStats) {
	if x[q] == nil {
		x[q] = make(map[int64]nhip.RollupStats)
	}
	x[q][h] = s
}

// mean returns the mean of an hour, false if it is not complete.
func (x hours) mean(q nhip.Quantity, h int64) (float64, bool) {
	s, ok := x[q][h]
	return s.Mean, ok && s.Complete()
}

// seriesKey identifies the readings of one averaging period.
type seriesKey struct {
	quantity nhip.Quantity
	period   time.Duration
}

// sumHours sums up the hours that have readings, under a list of reviews, as the collector does: with the values of now
// or after the change.
func sumHours(in *Input, reviews []nhip.Review, after bool) hours {
	byHour := make(map[int64]map[seriesKey][]rollup.Value)
	kinds := make(map[seriesKey]bool)
	for i := range in.Readings {
		r := &in.Readings[i]
		if r.Quantity.Circular() {
			continue
		}
		h, k := hourOf(r.Time), seriesKey{r.Quantity, r.Period}
		if byHour[h] == nil {
			byHour[h] = make(map[seriesKey][]rollup.Value)
		}
		_, flag := r.At(nhip.QualityAutomatic)
		flag, _ = nhip.Decide(reviews, r.Quantity, r.Time, flag)
		byHour[h][k] = append(byHour[h][k], rollup.Value{Value: in.value(r, after), Flag: flag})
		kinds[k] = true
	}
	out, perHour := make(hours), rollup.PerHour(len(kinds))
	for h, series := range byHour {
		for q, keys := range byQuantity(series) {
			covers := make([]rollup.Coverage, len(keys))
			for i, k := range keys {
				covers[i] = rollup.Coverage{Period: k.period, Values: len(series[k])}
			}
			best := rollup.Best(covers, in.Every, perHour)
			if best < 0 {
				continue
			}
			k := keys[best]
			s, ok := rollup.FromValues(series[k], rollup.Expected(k.period, in.Every, perHour), in.Completeness)
			if ok {
				out.set(q, h, s)
			}
		}
	}
	return out
}

// byQuantity returns the series of each quantity, the shortest period first.
func byQuantity(series map[seriesKey][]rollup.Value) map[nhip.Quantity][]seriesKey {
	out := make(map[nhip.Quantity][]seriesKey)
	for k := range series {
		out[k.quantity] = append(out[k.quantity], k)
	}
	for _, keys := range out {
		slices.SortFunc(keys, func(a, b seriesKey) int { return int(a.period - b.period) })
	}
	return out
}

// indexHours is the number of hours that the index of an hour looks back.
const indexHours = 24

// lastHours returns the means of the hours up to one, the newest first; NaN where none is complete.
func (s *state) lastHours(q nhip.Quantity, h int64) []float64 {
	out := make([]float64, indexHours)
	for i := range out {
		out[i] = math.NaN()
		if mean, ok := s.hours.mean(q, h-int64(i)); ok {
			out[i] = mean
		}
	}
	return out
}

func valueOf(index nhip.AQI, ok bool) nhip.Opt[float64] {
	if !ok {
		return nhip.Opt[float64]{}
	}
	return nhip.Some(index.Value)
}

// rounded returns a mean with three decimals.
func rounded(v nhip.Opt[float64]) nhip.Opt[float64] {
	if mean, ok := v.Get(); ok {
		return nhip.Some(math.Round(1000*mean) / 1000)
	}
	return v
}
