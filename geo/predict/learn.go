package predict

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/track"
)

// Arrival is a bus at a stop: what is learned from.
type Arrival struct {
	Vehicle  string
	Pattern  *network.Pattern
	Run      *network.Run
	Stop     int
	Arrived  time.Time // zero at the first stop
	Departed time.Time // zero where it is not known
}

// at is the time that links are counted from.
func (a *Arrival) at() float64 {
	t := a.Arrived
	if t.IsZero() {
		t = a.Departed
	}
	return float64(t.UnixMilli()) / 1000
}

// journey is a bus on its way, and what was predicted of it.
type journey struct {
	pattern *network.Pattern
	run     *network.Run
	stop    int
	time    float64
	told    []promise
}

// promise is a prediction that waits for its arrival.
type promise struct {
	stop        int
	made, ahead float64 // Unix s; s from then on
}

// Learn takes in an arrival. Arrivals of one vehicle come in order.
func (p *Predictor) Learn(a *Arrival) {
	if a.Arrived.IsZero() && a.Stop > 0 || a.Arrived.IsZero() && a.Departed.IsZero() {
		return // a departure tells nothing that the next arrival does not
	}
	now := a.at()
	j := p.pending[a.Vehicle]
	if j != nil && j.pattern == a.Pattern && j.run == a.Run && j.stop == a.Stop && j.time == now {
		return // two collectors that follow one bus tell the same twice
	}
	if j != nil && j.pattern == a.Pattern && j.run == a.Run && a.Stop > j.stop && now >= j.time {
		p.learnLinks(j, a, now)
		p.learnErrors(j, a, now)
	} else {
		j = &journey{}
		p.pending[a.Vehicle] = j
	}
	j.pattern, j.run, j.stop, j.time = a.Pattern, a.Run, a.Stop, now
	p.promise(j, now)
}

// learnLinks takes the time since the stop before as one of the links between.
func (p *Predictor) learnLinks(j *journey, a *Arrival, now float64) {
	whole := 0.0
	for i := j.stop; i < a.Stop; i++ {
		whole += scheduled(a.Pattern, a.Run, i)
	}
	took := now - j.time
	for i := j.stop; i < a.Stop; i++ {
		expected := scheduled(a.Pattern, a.Run, i)
		p.links[a.Pattern.Links[i]].learn(took*expected/whole, expected, now)
	}
	p.general.add(min(took/whole, most), whole/60, now)
}

// promise notes what would be said of the stops ahead now.
func (p *Predictor) promise(j *journey, now float64) {
	b := Bus{Pattern: j.pattern, Run: j.run, Along: j.pattern.Along[j.stop], Next: j.stop + 1}
	clock := now
	for i := b.Next; i <= b.Pattern.Last(); i++ {
		clock += p.between(b.Pattern, b.Run, i-1, clock)
		if clock-now > longest {
			return
		}
		j.told = append(j.told, promise{stop: i, made: now, ahead: clock - now})
	}
}

// longest is how far ahead errors are learned, in s.
const longest = 45 * 60.0

// learnErrors holds the arrival against what was said of it.
func (p *Predictor) learnErrors(j *journey, a *Arrival, now float64) {
	kept := j.told[:0]
	for _, t := range j.told {
		switch {
		case t.stop == a.Stop:
			p.errors.add(t.ahead, now-t.made)
		case t.stop > a.Stop:
			kept = append(kept, t)
		}
	}
	j.told = kept
}

// ArrivalOf is what a tracker saw of a bus at a stop.
func ArrivalOf(vehicle string, p *track.Passing) *Arrival {
	return &Arrival{Vehicle: vehicle, Pattern: p.Pattern, Run: p.Run, Stop: p.Stop, Arrived: p.Arrived, Departed: p.Departed}
}

// BusOf is where a tracker sees a bus.
func BusOf(s *track.State) *Bus {
	return &Bus{Pattern: s.Pattern, Run: s.Run, Along: s.Along, Next: s.Next, Time: s.Time, Waits: s.Status == track.Layover}
}
