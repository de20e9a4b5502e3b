package backtest

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
)

// Live scores predictions as riders are told them, by route. It is for one goroutine.
type Live struct {
	since  time.Time
	open   map[string]*promises // by vehicle
	routes map[string]*score
	all    score
}

// promises are what was said of one bus on one journey.
type promises struct {
	pattern *network.Pattern
	run     *network.Run
	last    time.Time
	claims  []claim
}

// claimEvery is how often a bus's predictions are noted: each fix would fill the memory and tell no more.
const claimEvery = time.Minute

// NewLive returns a score that is empty at a time.
func NewLive(since time.Time) *Live {
	return &Live{since: since, open: make(map[string]*promises), routes: make(map[string]*score)}
}

// Said notes what is told of a bus's stops ahead.
func (l *Live) Said(vehicle string, b *predict.Bus, stops []predict.Stop) {
	p := l.open[vehicle]
	if p == nil || p.pattern != b.Pattern || p.run != b.Run {
		p = &promises{pattern: b.Pattern, run: b.Run}
		l.open[vehicle] = p
	}
	if b.Waits || b.Time.Sub(p.last) < claimEvery {
		return
	}
	p.last = b.Time
	for _, s := range stops {
		if s.P50.Sub(b.Time).Seconds() > mbta[3].upTo {
			break
		}
		p.claims = append(p.claims, claim{made: b.Time, run: b.Run, stop: s.Index, said: true, Stop: s})
	}
}

// Arrived holds an arrival against what was said of it.
func (l *Live) Arrived(a *predict.Arrival) {
	p := l.open[a.Vehicle]
	if a.Arrived.IsZero() || p == nil || p.pattern != a.Pattern {
		return
	}
	s := l.routes[a.Pattern.Route.ID]
	if s == nil {
		s = &score{}
		l.routes[a.Pattern.Route.ID] = s
	}
	s.arrivals++
	l.all.arrivals++
	kept := p.claims[:0]
	for _, c := range p.claims {
		switch {
		case c.stop == a.Stop:
			s.add(&c, a.Arrived)
			l.all.add(&c, a.Arrived)
		case c.stop > a.Stop:
			kept = append(kept, c)
		}
	}
	p.claims = kept
}

// Gone forgets a bus.
func (l *Live) Gone(vehicle string) { delete(l.open, vehicle) }

// Since returns when the score began.
func (l *Live) Since() time.Time { return l.since }

// All returns the score of everything.
func (l *Live) All() Report { return l.all.report() }

// Routes returns the score of each route_id of which something was predicted and seen.
func (l *Live) Routes() map[string]Report {
	out := make(map[string]Report, len(l.routes))
	for id, s := range l.routes {
		if s.said.all > 0 {
			out[id] = s.report()
		}
	}
	return out
}
