package track

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// Said is a state in the words that leave the process.
func (s *State) Said() *nhip.Track {
	t := &nhip.Track{
		Status: string(s.Status), Along: math.Round(s.Along), Next: s.Next, Deviation: math.Round(s.Deviation),
		Confidence: math.Round(100*s.Confidence) / 100, Inferred: s.Inferred,
	}
	if s.Pattern != nil {
		t.Pattern = s.Pattern.ID
	}
	if s.Run != nil {
		t.Trip, t.StartDate, t.StartTime = s.Run.Trip.ID, s.Run.Day.String(), s.Run.Start.String()
	}
	for _, f := range s.Flags {
		t.Flags = append(t.Flags, string(f))
	}
	return t
}

// Heard is Said turned back, on a network that may be another by now: what it does not have is unknown.
func Heard(n *network.Network, t *nhip.Track, at time.Time) State {
	s := State{Time: at, Status: Unknown}
	if t == nil {
		return s
	}
	s.Confidence, s.Inferred = t.Confidence, t.Inferred
	for _, f := range t.Flags {
		s.Flags = append(s.Flags, Flag(f))
	}
	s.Pattern = n.Pattern(t.Pattern)
	if s.Pattern == nil || t.Next < 0 || t.Next > len(s.Pattern.Stops) {
		s.Pattern = nil
		return s
	}
	s.Status, s.Along, s.Next, s.Deviation = Status(t.Status), t.Along, t.Next, t.Deviation
	s.Run = RunOf(n, t.Trip, t.StartDate, t.StartTime)
	return s
}

// RunOf returns the run of a trip on a day, or nil; the start tells the runs of a headway apart.
func RunOf(n *network.Network, trip, day, start string) *network.Run {
	t := n.Feed.Trip(trip)
	date, err := gtfs.ParseDate(day)
	if t == nil || err != nil {
		return nil
	}
	runs := n.Day(date).RunsOfTrip(t)
	for _, r := range runs {
		if r.Start.String() == start {
			return r
		}
	}
	if len(runs) == 1 {
		return runs[0]
	}
	return nil
}

// Restore takes up a bus where it was left, after a restart.
func (t *Tracker) Restore(id string, p *nhip.Position, said *nhip.Track) {
	point, ok := p.Point.Get()
	if !ok || said == nil {
		return
	}
	s := Heard(t.net, said, p.Time)
	v := &vehicle{id: id, time: p.Time, point: point, stillSince: p.Time, stillAt: point, at: -1, said: sayingOf(p)}
	t.vehicles[id] = v
	if s.Pattern == nil {
		return
	}
	v.pattern, v.along, v.passed, v.matched = s.Pattern, s.Along, s.Next, p.Time
	v.inferred, v.confidence = s.Inferred, s.Confidence
	v.ended = s.Next > s.Pattern.Last()
	v.started = v.ended || s.Status != Layover
	v.hold(t, s.Run)
	if s.Inferred {
		v.hypotheses = append(v.hypotheses, hypothesis{pattern: s.Pattern, along: s.Along, seen: 1})
		v.astray, v.inferredAt = astrayEach, point
		for _, f := range s.Flags {
			if f == WrongSignOn {
				v.wrong = v.said
			}
		}
	}
}
