package track_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/track"
)

// shiftedFleet drives the trips of a line, one after another, with eight buses whose clock is off.
type shiftedFleet struct {
	trk    *track.Tracker
	day    *network.Day
	trip   int
	shifts []time.Duration
}

func newShiftedFleet() *shiftedFleet {
	n := network.New(geotest.Line(21, 15*time.Minute))
	f := &shiftedFleet{trk: track.New(n), day: n.Day(geotest.Day)}
	f.trk.OnShift = func(s track.Shift) {
		if s.Agency == "hanoi" {
			f.shifts = append(f.shifts, s.By)
		}
	}
	return f
}

// drive drives the next trip, and returns the last state before its end and the stop events.
func (f *shiftedFleet) drive(off, late time.Duration, named bool) (last track.State, events []track.StopEvent) {
	inst := f.day.TripInstances(f.trk.Network().Patterns[0])[f.trip]
	bus := fmt.Sprint("bus ", f.trip%8)
	f.trip++
	for s := range 88 {
		p := nhip.Position{
			Agency: "hanoi", Vehicle: bus, Event: nhip.EventPosition,
			Point: nhip.Some(geotest.At(float64(20*s) * geotest.Speed)),
			Time:  time.Unix(inst.Departs(0), 0).Add(off + late + time.Duration(20*s)*time.Second),
		}
		if named {
			p.Trip, p.StartDate = inst.Trip.ID, inst.Day.String()
		}
		last = f.trk.Update(bus, &p, "")
		events = append(events, last.StopEvents...)
	}
	return last, events
}

// TestShiftOfAWholeFeedIsFound lets all buses of an agency report their trips hours off the timetable.
func TestShiftOfAWholeFeedIsFound(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour, 7 * time.Hour, -7 * time.Hour} {
		f := newShiftedFleet()
		for range 20 {
			f.drive(off, 3*time.Minute, true)
		}
		if !slices.Equal(f.shifts, []time.Duration{off}) {
			t.Errorf("%s off: found %v", off, f.shifts)
			continue
		}
		s, events := f.drive(off, 3*time.Minute, true)
		if s.Inferred || len(s.Flags) > 0 || s.Shift != off || math.Abs(s.Deviation-180) > 30 || len(events) < 18 {
			t.Errorf("%s off: matched meanwhile with %+v, %d events", off, s, len(events))
		}
		for _, e := range events {
			due := time.Unix(e.Instance.Arrives(e.Stop), 0).Add(off + 3*time.Minute)
			if !e.Arrived.IsZero() && e.Arrived.Sub(due).Abs() > 30*time.Second {
				t.Errorf("%s off: stop %d reached at %s, want %s", off, e.Stop, e.Arrived, due)
			}
		}
		s, _ = f.drive(off, 3*time.Minute, false)
		if s.Instance == nil || s.Pattern.Direction.Or(1) != 0 || s.Deviation > 600 {
			t.Errorf("%s off: a bus without a trip is on %+v, %.0f s late", off, s.Instance, s.Deviation)
		}
		if off > time.Hour {
			continue // positions that are older than the latest one are not used
		}
		for range 20 { // the clock is set right
			f.drive(0, time.Minute, true)
		}
		if s, _ = f.drive(0, time.Minute, true); len(f.shifts) != 2 || f.shifts[1] != 0 || s.Inferred || s.Shift != 0 {
			t.Errorf("%s off and then right: found %v, %+v", off, f.shifts, s)
		}
	}
}

// TestDelaysAreNoShift lets buses be late in ways that are no shift of the feed.
func TestDelaysAreNoShift(t *testing.T) {
	for name, c := range map[string]struct {
		late  func(trip int) time.Duration
		named bool
	}{
		"on time":                {func(int) time.Duration { return 0 }, true},
		"a standstill":           {func(i int) time.Duration { return time.Duration(20+i*3) * time.Minute }, true},
		"half an hour":           {func(int) time.Duration { return 30 * time.Minute }, true},
		"every second bus":       {func(i int) time.Duration { return time.Duration(i%2) * time.Hour }, true},
		"one bus in two, −1 h":   {func(i int) time.Duration { return -time.Duration(i%2) * time.Hour }, true},
		"buses without trips":    {func(int) time.Duration { return time.Hour }, false},
		"the last of eight only": {func(i int) time.Duration { return time.Duration(i%8/7) * time.Hour }, true},
	} {
		f := newShiftedFleet()
		for i := range 40 {
			f.drive(0, c.late(i), c.named)
		}
		if len(f.shifts) > 0 {
			t.Errorf("%s: found %v", name, f.shifts)
		}
	}
}

// TestShiftIsOfOneAgency checks that the clock of one agency does not move the buses of another.
func TestShiftIsOfOneAgency(t *testing.T) {
	f := newShiftedFleet()
	for range 20 {
		f.drive(time.Hour, 0, true)
	}
	inst := f.day.TripInstances(f.trk.Network().Patterns[0])[30]
	for i := range 30 {
		s := f.trk.Update("other", &nhip.Position{
			Agency: "other", Vehicle: "other", Event: nhip.EventPosition, Point: nhip.Some(geotest.At(float64(100 * i))),
			Time: time.Unix(inst.Departs(0)+int64(18*i), 0), Trip: inst.Trip.ID, StartDate: inst.Day.String(),
		}, "")
		if s.Shift != 0 || math.Abs(s.Deviation) > 60 {
			t.Fatalf("the other agency's bus: shift %s, %.0f s late", s.Shift, s.Deviation)
		}
	}
	for i := range 1000 { // agencies come from outside
		p := nhip.Position{Agency: fmt.Sprint(i), Time: morning(9, 0, 0), Point: nhip.Some(geotest.At(0))}
		f.trk.Update(p.Agency, &p, "")
	}
}
