package audit

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/aqi"
)

// index is an index as the audit computes it.
type index struct {
	value float64 // not rounded
	top   nhip.Quantity
	subs  map[subKey]float64 // sub-indices, not rounded
}

// subKey identifies a sub-index.
type subKey struct {
	quantity nhip.Quantity
	average  string
}

// mean returns the complete mean of the hour with an END, or NaN.
func (h hourly) mean(q nhip.Quantity, end time.Time) float64 {
	if s := h[q][end]; s != nil && s.complete() {
		return s.mean
	}
	return math.NaN()
}

// meanOver returns the mean of the n hours up to END and how many there are.
func (h hourly) meanOver(q nhip.Quantity, end time.Time, n int) (mean float64, count int) {
	for i := range n {
		if v := h.mean(q, end.Add(-time.Duration(i)*time.Hour)); !math.IsNaN(v) {
			mean += v
			count++
		}
	}
	return mean / float64(count), count
}

// nowCast is the NowCast of Decision 1459 and of the EPA, normalised. ok is false if fewer than two of the last three
// hours exist.
func (h hourly) nowCast(q nhip.Quantity, end time.Time) (v float64, ok bool) {
	low, high := math.Inf(1), math.Inf(-1)
	recent := 0
	for i := range 12 {
		if c := h.mean(q, end.Add(-time.Duration(i)*time.Hour)); !math.IsNaN(c) {
			low, high = min(low, c), max(high, c)
			if i < 3 {
				recent++
			}
		}
	}
	if recent < 2 {
		return 0, false
	}
	w := 1.0
	if high > 0 {
		w = low / high
	}
	w = max(w, 0.5)
	var above, below float64
	for i := range 12 {
		if c := h.mean(q, end.Add(-time.Duration(i)*time.Hour)); !math.IsNaN(c) {
			above += math.Pow(w, float64(i)) * c
			below += math.Pow(w, float64(i))
		}
	}
	return above / below, true
}

// hourlyIndex computes the index of the hour with an END.
func (s *Station) hourlyIndex(scale nhip.Scale, hours hourly, end time.Time) (index, bool) {
	return combine(scale, aqi.RuleHourly, func(c *aqi.Component) (float64, bool) {
		n := 1
		switch c.Average {
		case "nowcast":
			return hours.nowCast(c.Quantity, end)
		case "8h":
			n = 8
		case "24h":
			n = 24
		}
		mean, count := hours.meanOver(c.Quantity, end, n)
		return mean, count > 0 && float64(count) >= s.Completeness*float64(n)
	})
}

// dailyIndex computes the index of the local day whose last hour has an END.
func (s *Station) dailyIndex(scale nhip.Scale, hours hourly, days periodic, end time.Time) (index, bool) {
	ends := s.ends(end, time.DateOnly)
	return combine(scale, aqi.RuleDaily, func(c *aqi.Component) (float64, bool) {
		n := 0
		switch c.Average {
		case "24h":
			day := days[c.Quantity][s.local(end, time.DateOnly)]
			if day == nil || !day.complete() {
				return 0, false
			}
			return day.mean, true
		case "max_1h":
			n = 1
		case "max_8h":
			n = 8
		}
		top, means := math.Inf(-1), 0
		for _, at := range ends {
			mean, count := hours.meanOver(c.Quantity, at, n)
			if count > 0 && float64(count) >= s.Completeness*float64(n) {
				top = max(top, mean)
				means++
			}
		}
		return top, means > 0 && float64(means) >= s.Completeness*float64(len(ends))
	})
}

// combine computes the sub-index of each component, and the index, which is the highest.
func combine(scale nhip.Scale, rule string, average func(*aqi.Component) (float64, bool)) (index, bool) {
	best := index{value: math.Inf(-1), subs: make(map[subKey]float64)}
	particles := false
	for _, c := range aqi.Components(scale, rule) {
		concentration, ok := average(&c)
		if !ok {
			continue
		}
		v, ok := lookUp(&c.Table, concentration)
		if !ok {
			continue
		}
		particles = particles || c.Quantity == nhip.PM25 || c.Quantity == nhip.PM10
		best.subs[subKey{c.Quantity, c.Average}] = v
		if v > best.value {
			best.value, best.top = v, c.Quantity
		}
	}
	if math.IsInf(best.value, -1) || scale == nhip.ScaleVNAQI && !particles {
		return index{}, false // VN_AQI needs PM2.5 or PM10
	}
	return best, true
}

// lookUp returns the index of a concentration by a table.
func lookUp(t *aqi.Table, concentration float64) (float64, bool) {
	c := concentration / t.Unit
	if t.Clip {
		c = max(c, 0)
	}
	if t.Step > 0 {
		c = math.Floor(c/t.Step+1e-6) * t.Step
	}
	const near = 1e-9 // of a truncated concentration and its row
	for _, row := range t.Rows {
		if c >= row.Low-near && c <= row.High+near {
			return row.IndexLow + (row.IndexHigh-row.IndexLow)*(c-row.Low)/(row.High-row.Low), true
		}
	}
	last := t.Rows[len(t.Rows)-1]
	switch {
	case c < t.Rows[0].Low || math.IsNaN(t.Beyond):
		return 0, false
	case math.IsInf(t.Beyond, 1):
		return last.IndexHigh * c / last.High, true
	}
	return t.Beyond, true
}

// steps returns the number of steps in a unit to which a scale rounds its indices.
func steps(scale nhip.Scale) float64 {
	if scale == nhip.ScaleWHO {
		return 100
	}
	return 1
}

// rounds reports whether an index rounds, halves up, to a published value. A value on the half, up to the rounding of
// sums, may go either way.
func rounds(scale nhip.Scale, computed, published float64) bool {
	per := steps(scale)
	off := published*per - computed*per
	return off > -0.5-1e-6 && off <= 0.5+1e-6
}
