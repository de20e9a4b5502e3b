package sim

import (
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb/geo"
)

// pastOf collects a past.
func pastOf(t *testing.T, s *Simulator, from, to time.Time) (list []nhip.Message) {
	t.Helper()
	p, err := s.Past(from, to)
	if err != nil {
		t.Fatal(err)
	}
	for {
		part, begin, ok := p.Next()
		if !ok {
			return list
		}
		for _, m := range part {
			if m.Received.Before(begin) || !m.Received.Before(begin.Add(PastInterval)) || !m.Received.Before(to) {
				t.Fatalf("a message of %s in the minute of %s, of a past up to %s", m.Received, begin, to)
			}
		}
		list = append(list, part...)
	}
}

// TestPastRepeats makes the past of 20 buses twice: each sends once a minute, simulated, and the messages are equal.
func TestPastRepeats(t *testing.T) {
	s := newSim(t, Options{Buses: 20}, at(10, 0))
	s.Step(at(10, 0))
	from, to := at(7, 0), at(8, 0).Add(30*time.Second)
	list := pastOf(t, s, from, to)
	if n := len(list); n < 20*55 || n > 20*61 {
		t.Errorf("%d positions of 20 buses in an hour", n)
	}
	for _, m := range list {
		if p := position(t, m, m.Received); p.Origin != nhip.OriginSimulated {
			t.Fatalf("origin %q", p.Origin)
		}
	}
	if diff := cmp.Diff(list, pastOf(t, newSim(t, Options{Buses: 20}, at(11, 0)), from, to)); diff != "" {
		t.Errorf("the second past differs: %.300s", diff)
	}
}

// TestPastIsWithinTheTimetable asks for a past before the calendar of a feed.
func TestPastIsWithinTheTimetable(t *testing.T) {
	s := newSim(t, Options{Buses: 5}, at(10, 0))
	f := *s.Feed()
	given := newSim(t, Options{Buses: 5, Feed: &f}, at(10, 0))
	early := time.Date(2009, 1, 1, 0, 0, 0, 0, hanoi)
	if _, err := given.Past(early, at(9, 0)); nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("got %v", err)
	}
	if list := pastOf(t, given, at(7, 0), at(7, 10)); len(list) < 30 {
		t.Errorf("%d positions on a given timetable", len(list))
	}
}

// TestLeadJoinsThePresent starts buses an hour before: their positions of that time come first, once a minute, and no
// bus jumps to where it is now.
func TestLeadJoinsThePresent(t *testing.T) {
	now := at(9, 0)
	s := newSim(t, Options{Buses: 10, Stations: None, Lead: time.Hour}, now)
	last := map[string]nhip.Position{}
	n := 0
	stepThrough(s, now, now.Add(time.Minute), DefaultInterval, func(m nhip.Message) {
		p := position(t, m, m.Received)
		if before, ok := last[p.Vehicle]; ok {
			gap := p.Time.Sub(before.Time).Seconds()
			d := geo.DistanceHaversine(before.Point.Or(cityCenter), p.Point.Or(cityCenter))
			if gap <= 0 || d > maxCruise*gap+4*gpsMaxError {
				t.Fatalf("%s moves %.0f m in %.0f s", p.Vehicle, d, gap)
			}
		}
		last[p.Vehicle] = p
		n++
	})
	if n < 10*(60+4) || n > 10*(61+7) {
		t.Errorf("%d positions of 10 buses", n)
	}
}
