package predict

import (
	"math"

	"nhip/geo/network"
)

// shown are the predictions of a bus that riders see since a position.
type shown struct {
	pattern *network.Pattern // nil if none
	from    float64          // time of the position, Unix s
	until   float64          // up to which whole minutes were sampled, Unix s
	passed  int              // the last stop that the bus has reached since
	derived bool             // from an arrival, because positions are unknown
	count   int
	stops   [maxSampled]shownStop
}

// shownStop is a prediction for one stop, in s from the position.
type shownStop struct {
	stop          int32
	state         busState
	p10, p50, p90 float32
	paths         [paths]float32
}

// sample is a prediction as it was on show at a whole minute, until the bus arrives.
type sample struct {
	shownStop
	from, minute float64 // time of the position and of the sample, Unix s
}

// Bounds of the samples.
const (
	maxSampled  = 8         // stops of one minute
	maxPending  = 256       // of one bus
	maxHorizon  = 45 * 60.0 // s ahead
	shownFor    = 300.0     // s after which a bus without a position is on show no more
	maxOverdue  = 3 * 3600  // s after which an arrival belongs to another journey
	sampleEvery = 60.0      // s
)

// Show notes that riders see these predictions of a bus from the time of its position on, until the next ones. Their
// errors are measured at each whole minute, as riders ask: from them follow the ranges and the weights of the paths.
// ahead must be what Predict returned for the bus. Positions of one vehicle must come in order; older ones are ignored.
func (p *Predictor) Show(b *Bus, ahead []StopPrediction) {
	if b.Pattern == nil {
		return
	}
	v, now := p.vehicle(b.Vehicle), unix(b.Time)
	if now < v.shown.from {
		return
	}
	v.sample(now)
	v.move(b, now)
	if stood := v.stood(b, now); b.Next <= 1 && b.overdue(stood) && b.atStart(stood) {
		v.sampleStand(stood, now)
	}
	v.show(b, ahead, now)
	p.notePlace(v, b, now)
}

func (v *vehicle) show(b *Bus, ahead []StopPrediction, now float64) {
	if v.shown.pattern != b.Pattern {
		v.pending = v.pending[:0]
	}
	s := &v.shown
	s.pattern, s.from, s.until, s.passed, s.count = b.Pattern, now, now, b.Next-1, 0
	s.derived = false
	if len(ahead) > 0 && ahead[0].Index == 0 {
		ahead = ahead[1:] // a departure
	}
	for len(ahead) > 0 && unix(ahead[len(ahead)-1].P50)-now > maxHorizon {
		ahead = ahead[:len(ahead)-1]
	}
	n := len(ahead)
	count := min(n, maxSampled)
	shift := int(now/sampleEvery) % maxSampled // so that other stops are sampled each minute
	for k := range count {
		a := &ahead[(k*n+shift*n/maxSampled/count)/count]
		s.stops[k] = shownStop{
			stop: int32(a.Index), state: a.state, paths: a.paths,
			p10: float32(unix(a.P10) - now), p50: float32(unix(a.P50) - now), p90: float32(unix(a.P90) - now),
		}
	}
	s.count = count
}

// sample takes samples at all whole minutes before a time.
func (v *vehicle) sample(until float64) {
	s := &v.shown
	if s.pattern == nil {
		return
	}
	end := min(until, s.from+shownFor)
	for m := math.Ceil(s.until/sampleEvery) * sampleEvery; m < end; m += sampleEvery {
		for k := range s.count {
			if x := &s.stops[k]; int(x.stop) > s.passed && len(v.pending) < maxPending {
				v.pending = append(v.pending, sample{shownStop: *x, from: s.from, minute: m})
			}
		}
		s.until = m + sampleEvery/2
	}
}

// settle compares the arrival of a bus with the samples for it.
func (p *Predictor) settle(v *vehicle, l *line, stop int, now float64) {
	kept := v.pending[:0]
	for i := range v.pending {
		s := &v.pending[i]
		switch {
		case now-s.minute > maxOverdue:
		case int(s.stop) > stop:
			kept = append(kept, *s)
		case int(s.stop) == stop && now >= s.minute:
			p.learn(s, l, now)
		}
	}
	v.pending = kept
}

// learn learns from the arrival that a sample predicts.
func (p *Predictor) learn(s *sample, l *line, now float64) {
	actual := now - s.from
	p.ranges.add(s.state, float64(s.p50), actual, now)
	p.ranges.settle(s.state, actual, actual < float64(s.p10), actual > float64(s.p90))
	var errors [paths]float64
	for k, lead := range s.paths {
		errors[k] = actual - float64(lead)
	}
	lead := float64(s.p50) - (s.minute - s.from)
	p.city.stack.add(&errors, lead, now)
	l.stack.add(&errors, lead, now)
}

// maxPlaces is how many places of one bus await its arrival.
const maxPlaces = 8

// place is a bus between two stops, as it was predicted.
type place struct {
	stop             int     // the next one
	from, part, took float64 // Unix s; share of the way; s of the whole segment
}

// notePlace notes where a bus is between two stops.
func (p *Predictor) notePlace(v *vehicle, b *Bus, now float64) {
	i := b.Next
	if b.Waiting || i < 1 || i > b.Pattern.Last() || len(v.places) == maxPlaces ||
		b.Along-b.Pattern.Along[i-1] <= dwellOf {
		return
	}
	ratio := p.lineRatio(p.lines[b.Pattern.Index], now)
	all, _ := p.segments[b.Pattern.Links[i-1]].means(scheduled(b.Pattern, b.Instance, i-1) * ratio)
	v.places = append(v.places, place{stop: i, from: now, part: remaining(b, i), took: all})
}

// settlePlaces compares the arrival of a bus at a stop with its places before.
func (p *Predictor) settlePlaces(v *vehicle, stop int, now float64) {
	for _, x := range v.places {
		if x.stop == stop {
			p.progress.add(x.part, max(now-x.from, 0)/x.took)
		}
	}
	v.places = v.places[:0]
}
