package collector

import (
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/track"
)

// follower follows the city's buses along the timetable. It is used under the city's lock, in the
// journal's order.
type follower struct {
	tracker *track.Tracker
	post    *arrivalPost
	last    map[string]time.Time // of a bus's last arrival, so that no two have one time
	fix     nhip.Position        // room to use again
}

func newFollower(n *network.Network, post *arrivalPost) *follower {
	return &follower{tracker: track.New(n), post: post, last: make(map[string]time.Time)}
}

// follow takes in a fix and returns where it puts the bus.
func (f *follower) follow(topic string, packed []byte, fleet *usual) *nhip.Track {
	f.fix = nhip.Position{} // a record holds only what was said
	p := &f.fix
	if err := readPosition(packed, p); err != nil {
		panic("a fix that was packed can't be unpacked: " + err.Error()) // it was read when it came from disk
	}
	usual := p.Line
	if usual == "" {
		usual = p.Route
	}
	if usual == "" {
		usual = fleet.line(p.Agency, p.Vehicle)
	}
	s := f.tracker.Fix(topic, p, usual)
	for i := range s.Passed {
		f.arrive(topic, p, &s, &s.Passed[i])
	}
	return s.Said()
}

func (f *follower) arrive(topic string, p *nhip.Position, s *track.State, a *track.Passing) {
	at := a.Arrived
	if at.IsZero() {
		if a.Stop > 0 {
			return // the departure from where the arrival has been told
		}
		at = a.Departed
	}
	if last := f.last[topic]; !at.After(last) && last.Sub(at) < time.Second {
		at = last.Add(time.Millisecond)
	}
	f.last[topic] = at
	said := nhip.Arrival{
		Agency: p.Agency, Vehicle: p.Vehicle, Time: at.UTC(), Departed: a.Departed.UTC(), Pattern: a.Pattern.ID,
		Route: a.Pattern.Route.ID, Stop: a.Pattern.Stops[a.Stop].ID, Index: a.Stop, Inferred: s.Inferred, Origin: p.Origin,
	}
	if a.Run != nil {
		said.Trip, said.StartDate, said.StartTime = a.Run.Trip.ID, a.Run.Day.String(), a.Run.Start.String()
		if !a.Run.Headway {
			said.Delay = nhip.Some(int(at.Unix() - a.Run.Arrives(a.Stop)))
		}
	}
	f.post.put(said)
}

// restore takes a bus up where the snapshot left it.
func (f *follower) restore(topic string, b *lastFix) {
	var p nhip.Position
	if err := readPosition(b.position, &p); err == nil {
		f.tracker.Restore(topic, &p, b.track)
	}
}

func (f *follower) forget(topic string) {
	f.tracker.Forget(topic)
	delete(f.last, topic)
}

// dress adds to a bus what following it told: where it names nothing, or a trip that it does not run, the
// track says what riders are told.
func dress(b *nhip.Bus, t *nhip.Track, n *network.Network) {
	if n == nil || t == nil {
		return
	}
	b.Track = t
	s := track.Heard(n, t, b.Time)
	if s.Pattern == nil {
		return
	}
	if s.Inferred {
		b.Route, b.Line, b.Trip, b.Headsign, b.NextStop, b.StartDate, b.StartTime = "", "", "", "", "", "", ""
		b.Direction = nhip.Opt[int]{}
	}
	fill := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	fill(&b.Route, s.Pattern.Route.ID)
	fill(&b.Line, s.Pattern.Route.ShortName)
	fill(&b.Headsign, s.Pattern.Headsign)
	fill(&b.Trip, t.Trip)
	fill(&b.StartDate, t.StartDate)
	fill(&b.StartTime, t.StartTime)
	if !b.Direction.Known() {
		b.Direction = s.Pattern.Direction
	}
	if s.Next <= s.Pattern.Last() {
		fill(&b.NextStop, s.Pattern.Stops[s.Next].ID)
	}
	if !b.Delay.Known() && s.Run != nil && !s.Run.Headway && s.Status == track.InService {
		b.Delay = nhip.Some(int(s.Deviation))
	}
}
