package aqi

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"
)

// part says how one average of one quantity becomes a sub-index.
type part struct {
	quantity nhip.Quantity
	average  string
	index    func(concentration float64) (float64, bool) // false where the table does not reach
}

// scale is one way to make an index.
type scale struct {
	name          nhip.Scale
	source        string
	hourly, daily []part
	round         func(float64) float64
	levels        []level
	needs         []nhip.Quantity // at least one of them, or there is no index; none: any will do
}

// level ends at a value, included.
type level struct {
	to float64
	nhip.Level
}

var scales = map[nhip.Scale]*scale{nhip.VNAQI: vn(), nhip.USAQI: us(), nhip.WHO: who()}

// Known reports whether there is such a scale.
func Known(name nhip.Scale) bool { return scales[name] != nil }

// Scales returns the names of all, that of the law first.
func Scales() []nhip.Scale { return []nhip.Scale{nhip.VNAQI, nhip.USAQI, nhip.WHO} }

// At makes the index of the hour that ends at the given time. It is false where the rule's own conditions are
// not met: for VN_AQI, that one of PM2.5 and PM10 be there.
func At(name nhip.Scale, end time.Time, hours Hours) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.hourly, Hourly, end, func(p *part) (float64, float64, bool) {
		return averageOf(p.average, hours[p.quantity], UsualCompleteness)
	})
}

// OfDay makes the index of the day that ends at the given time, of DayHours hours. Completeness is the share of
// hours that each mean needs, from 0 to 1.
func OfDay(name nhip.Scale, end time.Time, hours Hours, completeness float64) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.daily, Daily, end, func(p *part) (float64, float64, bool) {
		return averageOf(p.average, hours[p.quantity], completeness)
	})
}

// OfDaySums is OfDay for days that are summed up already: the mean of each quantity's hours and the highest of its
// hours and of its eight hours. A sum that is not complete does not count.
func OfDaySums(name nhip.Scale, end time.Time, sums map[nhip.Quantity]nhip.Stats) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.daily, Daily, end, func(p *part) (float64, float64, bool) {
		day := sums[p.quantity] // none is not complete
		return averageOfDay(p.average, &day)
	})
}

// MaxOfDay returns the highest hour and the highest mean of 8 hours of a day, of DayHours hours; NaN where too few
// are there.
func MaxOfDay(hours []float64, completeness float64) (hour, eight float64) {
	hour, _, ok1 := highest(hours, 1, completeness)
	eight, _, ok8 := highest(hours, eightHours, completeness)
	if !ok1 {
		hour = Missing()
	}
	if !ok8 {
		eight = Missing()
	}
	return hour, eight
}

// index makes an index of the averages that concentration returns, with the share of hours that each has.
func (s *scale) index(parts []part, rule string, end time.Time, concentration func(*part) (c, share float64, ok bool)) (nhip.AQI, bool) {
	a := nhip.AQI{Scale: s.name, Source: s.source, Rule: rule, Time: end, Sub: make([]nhip.SubIndex, 0, len(parts))}
	for i := range parts {
		if c, share, ok := concentration(&parts[i]); ok {
			if sub, ok := s.sub(&parts[i], c, share); ok {
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
	a.Level = s.level(a.Value)
	return a, true
}

// suffices reports whether the sub-indices make an index.
func (s *scale) suffices(subs []nhip.SubIndex) bool {
	if len(s.needs) == 0 {
		return len(subs) > 0
	}
	return slices.ContainsFunc(subs, func(x nhip.SubIndex) bool { return slices.Contains(s.needs, x.Quantity) })
}

func (s *scale) sub(p *part, c, share float64) (nhip.SubIndex, bool) {
	v, ok := p.index(c)
	if !ok {
		return nhip.SubIndex{}, false
	}
	return nhip.SubIndex{
		Quantity: p.quantity, Average: p.average, Concentration: roundTo(c, 10), Value: s.round(v), Capture: roundTo(100*share, 10),
	}, true
}

// averageOf makes the mean that an average's name says.
func averageOf(name string, hours []float64, completeness float64) (c, share float64, ok bool) {
	switch name {
	case averageNowCast:
		c, ok = NowCast(hours)
		return c, float64(present(first(hours, nowCastHours))) / nowCastHours, ok
	case average1h:
		return mean(hours, 1, completeness)
	case average8h:
		return mean(hours, eightHours, completeness)
	case average24h:
		return mean(hours, dayHours, completeness)
	case averageMax1h:
		return highest(hours, 1, completeness)
	default:
		return highest(hours, eightHours, completeness)
	}
}

// level returns the class of a value.
func (s *scale) level(v float64) nhip.Level {
	for i := range s.levels {
		if v <= s.levels[i].to {
			return s.levels[i].Level
		}
	}
	return s.levels[len(s.levels)-1].Level
}

// LevelBound is one class of a scale and the value at which it ends.
type LevelBound struct {
	nhip.Level
	To float64 // included; the last class has none and says +Inf
}

// Levels returns a scale's classes, the cleanest first.
func Levels(name nhip.Scale) []LevelBound {
	var out []LevelBound
	for _, l := range scales[name].levels {
		out = append(out, LevelBound{l.Level, l.to})
	}
	return out
}

// halfUp rounds as the Decision and the EPA do: 109.5 is 110. What arithmetic leaves below a half that is one
// is lifted over it.
func halfUp(v float64) float64 { return math.Floor(v + 0.5 + 1e-9) }

func roundTo(v, parts float64) float64 { return math.Round(v*parts) / parts }

// SubAt returns the sub-index of one quantity for the hour that index 0 of its hours ends; the highest where the
// scale makes several.
func SubAt(name nhip.Scale, q nhip.Quantity, hours []float64) (float64, bool) {
	s := scales[name]
	return s.highestSub(s.hourly, q, func(p *part) (float64, float64, bool) {
		return averageOf(p.average, hours, UsualCompleteness)
	})
}

// SubOfDay returns the sub-index of one quantity for a day that is summed up.
func SubOfDay(name nhip.Scale, q nhip.Quantity, day *nhip.Stats) (float64, bool) {
	s := scales[name]
	return s.highestSub(s.daily, q, func(p *part) (float64, float64, bool) { return averageOfDay(p.average, day) })
}

func (s *scale) highestSub(parts []part, q nhip.Quantity, concentration func(*part) (c, share float64, ok bool)) (top float64, found bool) {
	for i := range parts {
		if parts[i].quantity != q {
			continue
		}
		c, share, ok := concentration(&parts[i])
		if !ok {
			continue
		}
		if sub, ok := s.sub(&parts[i], c, share); ok && (!found || sub.Value > top) {
			top, found = sub.Value, true
		}
	}
	return top, found
}

// averageOfDay takes the average that a name says from a day's sums.
func averageOfDay(name string, day *nhip.Stats) (c, share float64, ok bool) {
	if !day.Complete() {
		return 0, 0, false
	}
	switch name {
	case averageMax1h:
		c, ok = day.Max1h.Get()
	case averageMax8h:
		c, ok = day.Max8h.Get()
	default:
		c, ok = day.Mean, true
	}
	return c, day.Capture / 100, ok
}
