package track

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// Encode converts a state to its wire form.
func (s *State) Encode() *nhip.Track {
	t := &nhip.Track{
		Status: string(s.Status), Along: math.Round(s.Along), Next: s.Next, ToStart: math.Round(s.ToStart),
		Confidence: math.Round(100*s.Confidence) / 100, Inferred: s.Inferred,
	}
	if s.Pattern != nil {
		t.Pattern = s.Pattern.ID
	}
	if s.Instance != nil {
		t.Trip, t.StartDate, t.StartTime = s.Instance.Trip.ID, s.Instance.Day.String(), s.Instance.Start.String()
	}
	if delay, known := s.Delay(); known {
		t.Deviation = nhip.Some(math.Round(delay))
	}
	for _, f := range s.Flags {
		t.Flags = append(t.Flags, string(f))
	}
	return t
}

// Decode is the inverse of Encode. The network may be newer than the track: what it does not have becomes unknown.
func Decode(n *network.Network, t *nhip.Track, at time.Time) State {
	s := State{Time: at, Status: StatusUnknown}
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
	s.Status, s.Along, s.Next, s.Deviation, s.ToStart = Status(t.Status), t.Along, t.Next, t.Deviation.Or(0), t.ToStart
	s.Instance = FindTripInstance(n, s.Pattern, t.Trip, t.StartDate, t.StartTime)
	return s
}

// FindTripInstance returns the instance of a trip on a day, or nil. start distinguishes the instances of a frequency. A
// trip that runs along another pattern is not the one that was meant: the network is of another timetable, in which the
// id stands for other stops.
func FindTripInstance(n *network.Network, p *network.Pattern, trip, day, start string) *network.TripInstance {
	t := n.Feed.Trip(trip)
	date, err := gtfs.ParseDate(day)
	if t == nil || err != nil || n.PatternOf(t) != p {
		return nil
	}
	instances := n.Day(date).TripInstancesOf(t)
	for _, inst := range instances {
		if inst.Start.String() == start {
			return inst
		}
	}
	if len(instances) == 1 {
		return instances[0]
	}
	return nil
}

// Restore restores the state of a bus after a restart.
func (t *Tracker) Restore(id string, p *nhip.Position, saved *nhip.Track) {
	point, ok := p.Point.Get()
	if !ok || saved == nil {
		return
	}
	s := Decode(t.net, saved, p.Time)
	v := &vehicle{
		id: id, agency: p.Agency, time: p.Time, point: point, stillSince: p.Time, stillAt: point, atStop: -1,
		signOn: signOnOf(p),
	}
	t.vehicles[id] = v
	if s.Pattern == nil {
		return
	}
	v.pattern, v.along, v.nextStop, v.matched = s.Pattern, s.Along, s.Next, p.Time
	v.inferred, v.confidence = s.Inferred, s.Confidence
	v.ended = s.Next > s.Pattern.Last()
	v.started = v.ended || s.Status != StatusLayover && s.Status != StatusDeadhead
	v.offLine = s.ToStart > 0
	v.claim(t, s.Instance)
	if s.Inferred {
		v.hypotheses = append(v.hypotheses, hypothesis{pattern: s.Pattern, along: s.Along, fixes: 1})
		v.noPattern, v.inferredAt = noPatternPerFix, point
		for _, f := range s.Flags {
			if f == FlagWrongSignOn {
				v.rejected = v.signOn
			}
		}
	}
}
