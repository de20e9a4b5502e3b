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

// At makes the index of the hour that ends at the given time. It is false where the rule's own conditions are
// not met: for VN_AQI, that one of PM2.5 and PM10 be there.
func At(name nhip.Scale, end time.Time, hours Hours) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.hourly, Hourly, end, hours, UsualCompleteness)
}

// OfDay makes the index of the day that ends at the given time, of DayHours hours. Completeness is the share of
// hours that each mean needs, from 0 to 1.
func OfDay(name nhip.Scale, end time.Time, hours Hours, completeness float64) (nhip.AQI, bool) {
	s := scales[name]
	return s.index(s.daily, Daily, end, hours, completeness)
}

func (s *scale) index(parts []part, rule string, end time.Time, hours Hours, completeness float64) (nhip.AQI, bool) {
	a := nhip.AQI{Scale: s.name, Rule: rule, Time: end, Sub: make([]nhip.SubIndex, 0, len(parts))}
	for i := range parts {
		if sub, ok := s.sub(&parts[i], hours[parts[i].quantity], completeness); ok {
			a.Sub = append(a.Sub, sub)
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

func (s *scale) sub(p *part, hours []float64, completeness float64) (nhip.SubIndex, bool) {
	c, share, ok := averageOf(p.average, hours, completeness)
	if !ok {
		return nhip.SubIndex{}, false
	}
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
