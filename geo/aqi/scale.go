package aqi

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"
)

// component defines how one average of one quantity becomes a sub-index.
type component struct {
	quantity nhip.Quantity
	average  string
	index    func(concentration float64) (float64, bool) // false if the table has no index
	table    Table                                       // what index computes from, for audits
}

// scale defines one air-quality index.
type scale struct {
	name          nhip.Scale
	source        string
	hourly, daily []component
	round         func(float64) float64
	categories    []category
	requires      []nhip.Quantity // an index requires at least one of these; empty: any quantity will do
}

var scales = map[nhip.Scale]*scale{nhip.ScaleVNAQI: vn(), nhip.ScaleUSEPA: us(), nhip.ScaleWHO: who()}

// Known reports whether the scale exists.
func Known(name nhip.Scale) bool { return scales[name] != nil }

// Scales returns all scales; the one that Vietnamese law prescribes comes first.
func Scales() []nhip.Scale { return []nhip.Scale{nhip.ScaleVNAQI, nhip.ScaleUSEPA, nhip.ScaleWHO} }

// HourlyIndex returns the index of the hour that ends at end. ok is false if the scale's own conditions are not
// met: VN_AQI requires PM2.5 or PM10.
func HourlyIndex(name nhip.Scale, end time.Time, hours Hours) (index nhip.AQI, ok bool) {
	s := scales[name]
	return s.index(s.hourly, RuleHourly, end, func(p *component) (float64, float64, bool) {
		return averageFromHours(p.average, hours[p.quantity], dayHours, DefaultCompleteness)
	})
}

// DailyIndex returns the index of the day of length hours that ends at end: 24, or 23 and 25 where clocks are changed.
// It needs the hours of the day and EarlierHours before. completeness is the share of hours that each mean needs, and
// of 8-hour means that the highest one needs, from 0 to 1.
func DailyIndex(name nhip.Scale, end time.Time, hours Hours, length int, completeness float64) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.daily, RuleDaily, end, func(p *component) (float64, float64, bool) {
		return averageFromHours(p.average, hours[p.quantity], length, completeness)
	})
}

// DailyIndexOfStats is like DailyIndex but takes daily statistics: for each quantity the mean of its hours, its
// highest hour, and its highest 8-hour mean. Incomplete statistics are ignored. The highest 8-hour mean counts where
// enough 8-hour means exist, even if too few hours of the day do: its first means have hours of the day before.
func DailyIndexOfStats(name nhip.Scale, end time.Time, sums map[nhip.Quantity]nhip.RollupStats) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.daily, RuleDaily, end, func(p *component) (float64, float64, bool) {
		day := sums[p.quantity] // the zero RollupStats is not complete
		return averageFromStats(p.average, &day)
	})
}

// Maxima are the highest hourly mean and the highest 8-hour mean of a day. A maximum is NaN if too few of its means
// exist.
type Maxima struct {
	Hour, Eight float64
	EightShare  float64 // of the 8-hour means that end in the day, from 0 to 1: those that exist
}

// DailyMaxima returns the maxima of a day of length hours. hours are those of the day and EarlierHours before.
func DailyMaxima(hours []float64, length int, completeness float64) Maxima {
	hour, _, ok1 := maxMean(hours, 1, length, completeness)
	eight, share, ok8 := maxMean(hours, eightHours, length, completeness)
	if !ok1 {
		hour = math.NaN()
	}
	if !ok8 {
		eight = math.NaN()
	}
	return Maxima{hour, eight, share}
}

// index computes the index from the averages that concentration returns, each with the share of hours that is
// present.
func (s *scale) index(components []component, rule string, end time.Time,
	concentration func(*component) (c, share float64, ok bool),
) (nhip.AQI, bool) {
	a := nhip.AQI{Scale: s.name, Source: s.source, Rule: rule, Time: end, Sub: make([]nhip.SubIndex, 0, len(components))}
	for i := range components {
		if c, share, ok := concentration(&components[i]); ok {
			if sub, ok := s.subIndex(&components[i], c, share); ok {
				a.Sub = append(a.Sub, sub)
			}
		}
	}
	if !s.suffices(a.Sub) {
		return nhip.AQI{}, false
	}
	slices.SortStableFunc(a.Sub, func(x, y nhip.SubIndex) int { return cmp.Compare(y.Value, x.Value) })
	top := &a.Sub[0]
	a.Value, a.Dominant, a.Capture = top.Value, top.Quantity, top.Capture
	a.Category = s.category(a.Value)
	return a, true
}

// suffices reports whether the sub-indices are enough for an index.
func (s *scale) suffices(subs []nhip.SubIndex) bool {
	if len(s.requires) == 0 {
		return len(subs) > 0
	}
	return slices.ContainsFunc(subs, func(x nhip.SubIndex) bool { return slices.Contains(s.requires, x.Quantity) })
}

// subIndex returns the sub-index of a concentration c whose average has the given share of its hours.
func (s *scale) subIndex(p *component, c, share float64) (nhip.SubIndex, bool) {
	v, ok := p.index(c)
	if !ok {
		return nhip.SubIndex{}, false
	}
	return nhip.SubIndex{
		Quantity: p.quantity, Average: p.average, Concentration: roundTo(c, 10), Value: s.round(v),
		Capture: roundTo(100*share, 10),
	}, true
}

// averageFromHours computes the named average; that of a day, over length hours.
func averageFromHours(name string, hours []float64, length int, completeness float64) (c, share float64, ok bool) {
	switch name {
	case averageNowCast:
		c, ok = NowCast(hours)
		return c, float64(countPresent(latest(hours, nowCastHours))) / nowCastHours, ok
	case average1h:
		return mean(hours, 1, completeness)
	case average8h:
		return mean(hours, eightHours, completeness)
	case average24h:
		return mean(hours, length, completeness)
	case averageMax1h:
		return maxMean(hours, 1, length, completeness)
	default:
		return maxMean(hours, eightHours, length, completeness)
	}
}

// halfUp rounds halves up, as the Decision and the EPA do: 109.5 becomes 110. The small addend lifts values that
// should be a half but fall just below it in binary arithmetic.
func halfUp(v float64) float64 { return math.Floor(v + 0.5 + 1e-9) }

// roundTo rounds to whole steps of 1/steps, halves up.
func roundTo(v, steps float64) float64 { return halfUp(v*steps) / steps }

// SubIndexAt returns the sub-index of one quantity for the hour that hours[0] describes. If the scale has several
// sub-indices of the quantity, it returns the highest.
func SubIndexAt(name nhip.Scale, q nhip.Quantity, hours []float64) (float64, bool) {
	s := scales[name]
	return s.maxSubIndex(s.hourly, q, func(p *component) (float64, float64, bool) {
		return averageFromHours(p.average, hours, dayHours, DefaultCompleteness)
	})
}

// DailySubIndex returns the sub-index of one quantity from daily statistics.
func DailySubIndex(name nhip.Scale, q nhip.Quantity, day *nhip.RollupStats) (float64, bool) {
	s := scales[name]
	return s.maxSubIndex(s.daily, q, func(p *component) (float64, float64, bool) {
		return averageFromStats(p.average, day)
	})
}

func (s *scale) maxSubIndex(components []component, q nhip.Quantity,
	concentration func(*component) (c, share float64, ok bool),
) (top float64, found bool) {
	for i := range components {
		if components[i].quantity != q {
			continue
		}
		c, share, ok := concentration(&components[i])
		if !ok {
			continue
		}
		if sub, ok := s.subIndex(&components[i], c, share); ok && (!found || sub.Value > top) {
			top, found = sub.Value, true
		}
	}
	return top, found
}

// averageFromStats returns the named average from daily statistics.
func averageFromStats(name string, day *nhip.RollupStats) (c, share float64, ok bool) {
	switch name {
	case averageMax8h:
		c, ok = day.Max8h.Get()
		return c, day.Capture8h.Or(day.Capture) / 100, ok
	case averageMax1h:
		c, ok = day.Max1h.Get()
	default:
		c, ok = day.Mean, true
	}
	return c, day.Capture / 100, ok && day.Complete()
}
