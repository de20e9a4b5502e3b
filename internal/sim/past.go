package sim

import (
	"time"

	"nhip"
)

// PastInterval is the time between the fixes of a bus in the past: often enough for the times at its stops, and a sixth
// of the messages of the present.
const PastInterval = time.Minute

// Past iterates over the positions of the buses in a span before the simulation. It depends on its beginning, the seed
// and the timetable only, so that a second one repeats the first exactly.
type Past struct {
	sim  *Simulator
	next time.Time
	end  time.Time // exclusive
}

// Past returns the positions of the simulator's buses from a time up to another, exclusive. It drives buses of its own.
// The error is an *nhip.Error if the timetable does not cover the beginning.
func (s *Simulator) Past(from, to time.Time) (*Past, error) {
	o := s.opt
	o.Stations, o.History, o.Lead, o.Interval = 0, 0, 0, PastInterval
	p := &Past{
		sim:  &Simulator{opt: o, feed: s.feed, world: newWorld(o.Seed, s.feed, s.opt.Feed == nil), air: s.air},
		next: from.Truncate(PastInterval), end: to,
	}
	if o.Buses > 0 {
		return p, p.sim.world.dispatch.check(p.next.Unix())
	}
	return p, nil
}

// Next returns the positions of the next minute, in order, and when it begins; false after the last one.
func (p *Past) Next() (list []nhip.Message, begin time.Time, ok bool) {
	if !p.next.Before(p.end) {
		return nil, p.end, false
	}
	begin = p.next
	p.next = p.next.Add(PastInterval)
	until := p.next
	if until.After(p.end) {
		until = p.end
	}
	list = p.sim.Step(begin)
	return append(list, p.sim.Step(until.Add(-time.Nanosecond))...), begin, true
}
