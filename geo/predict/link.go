package predict

import "math"

// How observations lose weight and how they are bounded.
const (
	decayTime       = 3 * 3600.0 // s after which the weight of an observation has fallen to 1/e
	timetableWeight = 1.0        // weight of the timetable, in observations
	maxRatio        = 4.0        // maximum ratio of an observation to the expected time; more is a breakdown
)

// decayingMean is a mean in which old observations lose weight.
type decayingMean struct {
	weight, sum, at float64
}

func (p *decayingMean) decay(now float64) float64 { return math.Exp(-max(now-p.at, 0) / decayTime) }

func (p *decayingMean) add(x, weight, now float64) {
	f := p.decay(now)
	p.weight, p.sum, p.at = p.weight*f+weight, p.sum*f+x*weight, max(p.at, now)
}

// shrunk returns the mean shrunk towards a value that has the given weight.
func (p *decayingMean) shrunk(value, weight, now float64) float64 {
	f := p.decay(now)
	return (p.sum*f + value*weight) / (p.weight*f + weight)
}

// ratio returns a mean of ratios, shrunk towards 1.
func (p *decayingMean) ratio(now float64) float64 { return p.shrunk(1, 20, now) }

// link holds the observed travel times from one stop to the next: recent ones, and by hour of the day over some
// weeks.
type link struct {
	recent decayingMean
	hours  *[24]hourlyMean // nil until the first observation
	hold   *holdMean       // of the stop before it; nil until the first observation at a timed stop
}

// hourlyMean is the mean of one hour of the day.
type hourlyMean struct{ mean, count float32 }

// maxHourlyCount is the number of observations from which on older ones lose weight: some weeks of a route.
const maxHourlyCount = 100

func (l *link) estimate(expected, now float64) float64 {
	if l.hours != nil {
		h := &l.hours[hourOf(now)]
		expected = (float64(h.mean)*float64(h.count) + expected*timetableWeight) / (float64(h.count) + timetableWeight)
	}
	return l.recent.shrunk(expected, timetableWeight, now)
}

func (l *link) observe(took, expected, now float64) {
	took = min(took, maxRatio*expected+60)
	l.recent.add(took, 1, now)
	if l.hours == nil {
		l.hours = new([24]hourlyMean)
	}
	h := &l.hours[hourOf(now)]
	h.count = min(h.count+1, maxHourlyCount)
	h.mean += (float32(took) - h.mean) / h.count
}

// hourOf returns the hour of the day in UTC. Any fixed time zone would do.
func hourOf(now float64) int { return int(math.Mod(now, 86400) / 3600) }
