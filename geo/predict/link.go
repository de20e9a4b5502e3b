package predict

import "math"

// How what was seen fades, and what it is held against.
const (
	memory = 3 * 3600.0 // s after which an observation weighs 1/e
	trust  = 1.0        // the weight of the timetable, in observations
	most   = 4.0        // how many times longer than expected an observation may be; more is a breakdown
)

// pace is a fading mean.
type pace struct {
	weight, sum, at float64
}

func (p *pace) fade(now float64) float64 { return math.Exp(-max(now-p.at, 0) / memory) }

func (p *pace) add(x, weight, now float64) {
	f := p.fade(now)
	p.weight, p.sum, p.at = p.weight*f+weight, p.sum*f+x*weight, max(p.at, now)
}

// toward returns the mean, shrunk to a value that weighs as many observations.
func (p *pace) toward(value, weight, now float64) float64 {
	f := p.fade(now)
	return (p.sum*f + value*weight) / (p.weight*f + weight)
}

// ratio is the mean of ratios, shrunk to 1.
func (p *pace) ratio(now float64) float64 { return p.toward(1, 20, now) }

// link is what is known of the way from one stop to the next: how long it took of late, and how long at
// each hour of the day over the last weeks.
type link struct {
	recent pace
	hours  *[24]usual // nil until a bus came by
}

// usual is a slow mean of one hour of the day.
type usual struct{ mean, seen float32 }

// usualMost is after how many observations old ones of an hour fade: some weeks of a line.
const usualMost = 100

func (l *link) estimate(expected, now float64) float64 {
	if l.hours != nil {
		h := &l.hours[hourOf(now)]
		expected = (float64(h.mean)*float64(h.seen) + expected*trust) / (float64(h.seen) + trust)
	}
	return l.recent.toward(expected, trust, now)
}

func (l *link) learn(took, expected, now float64) {
	took = min(took, most*expected+60)
	l.recent.add(took, 1, now)
	if l.hours == nil {
		l.hours = new([24]usual)
	}
	h := &l.hours[hourOf(now)]
	h.seen = min(h.seen+1, usualMost)
	h.mean += (float32(took) - h.mean) / h.seen
}

// hourOf is the hour of the day in UTC: any zone's hours do, as long as they are always the same.
func hourOf(now float64) int { return int(math.Mod(now, 86400) / 3600) }
