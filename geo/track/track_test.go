package track_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"

	"github.com/paulmach/orb"
)

// drive simulates a bus on the line of geotest.Line.
type drive struct {
	t    *testing.T
	trk  *track.Tracker
	net  *network.Network
	rnd  *rand.Rand
	trip string
}

func newDrive(t *testing.T) *drive {
	n := network.New(geotest.Line(21, 15*time.Minute))
	return &drive{t: t, net: n, trk: track.New(n), rnd: rand.New(rand.NewPCG(7, 7))}
}

func (d *drive) at(clock time.Time, p orb.Point) track.State {
	noisy := orb.Point{p[0] + d.rnd.NormFloat64()*5e-5, p[1] + d.rnd.NormFloat64()*5e-5}
	return d.trk.Update("29B-1", &nhip.Position{
		Vehicle: "29B-1", Event: nhip.EventPosition, Time: clock, Point: nhip.Some(noisy), Trip: d.trip,
		StartDate: startDate(d.trip),
	}, "")
}

func startDate(trip string) string {
	if trip == "" {
		return ""
	}
	return geotest.Day.String()
}

func morning(h, m, s int) time.Time { return time.Date(2026, 3, 2, h, m, s, 0, geotest.TimeZone) }

// along drives from one metre to another by the timetable. It returns the last state and all stop events.
func (d *drive) along(start time.Time, from, to float64) (last track.State, passed []track.StopEvent) {
	step := 20 * geotest.Speed
	if to < from {
		step = -step
	}
	for i, x := 0, from; (to-x)*step >= 0; i, x = i+1, x+step {
		last = d.at(start.Add(time.Duration(i)*20*time.Second), geotest.At(x))
		passed = append(passed, last.StopEvents...)
	}
	return last, passed
}

func TestTrackerFollowsReportedTrip(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0" // 07:00
	s, passed := d.along(morning(7, 2, 0), 0, 5200)
	must(t, s.Status == track.StatusInService, "got %v, want %v", s.Status, track.StatusInService)
	must(t, math.Abs(s.Along-5200) <= 120, "got %v, want %v", s.Along, 5200)
	must(t, math.Abs(s.Deviation-120) <= 25, "got %v, want %v", s.Deviation, 120)
	must(t, s.Next == 11, "got %v, want %v", s.Next, 11)
	must(t, !s.Inferred, "the trip was inferred")
	arrivals := 0
	for _, p := range passed {
		if p.Arrived.IsZero() {
			continue
		}
		arrivals++
		must(t, p.Stop == arrivals, "got %v, want %v", p.Stop, arrivals)
		due := time.Unix(p.Instance.Arrives(p.Stop), 0).Add(2 * time.Minute)
		must(t, p.Arrived.Sub(due).Abs() <= 15*time.Second, "got %v, want %v", p.Arrived, due)
	}
	must(t, arrivals == 10, "got %v, want %v", arrivals, 10)
}

func TestImplausibleServiceDayIsIgnored(t *testing.T) {
	d := newDrive(t)
	s := d.trk.Update("29B-1", &nhip.Position{
		Event: nhip.EventPosition, Time: morning(7, 2, 0), Point: nhip.Some(geotest.At(800)), Trip: "T4-0",
		StartDate: "20990101",
	}, "")
	must(t, s.Instance != nil && s.Instance.Day == geotest.Day, "%+v", s.Instance)
}

func TestTrackerInfersDirectionAndTripFromPositions(t *testing.T) {
	d := newDrive(t)
	s, _ := d.along(morning(7, 17, 0), 0, 4000)
	must(t, s.Status == track.StatusInService, "got %v, want %v", s.Status, track.StatusInService)
	must(t, s.Inferred, "the trip was not inferred")
	must(t, s.Instance.Trip.ID == "T5-0", "got %v, want %v", s.Instance.Trip.ID, "T5-0")
	must(t, s.Confidence > 0.9, "got %v, want > %v", s.Confidence, 0.9)
	s, _ = d.along(morning(7, 30, 0), 4000, 10060)
	must(t, s.Status == track.StatusLayover, "got %v, want %v", s.Status, track.StatusLayover)

	back := d.net.Day(geotest.Day).TripInstancesOf(s.Instance.Trip)[0].Next
	s, _ = d.along(time.Unix(back.Departs(0)+60, 0), 10000, 7000)
	must(t, s.Instance.Trip.ID == back.Trip.ID, "got %v, want %v", s.Instance.Trip.ID, back.Trip.ID)
	must(t, s.Pattern.Direction.Or(-1) == 1, "got %v, want %v", s.Pattern.Direction.Or(-1), 1)
}

func TestUsualRouteDecidesBetweenEqualRoutes(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	twin := *f.Routes[0] // another route on the same streets at the same times
	twin.ID, twin.ShortName = "R2", "02"
	f.Routes = append(f.Routes, &twin)
	for _, trip := range f.Trips {
		other := *trip
		other.ID, other.Route, other.Block = "X"+trip.ID, &twin, ""
		f.Trips = append(f.Trips, &other)
	}
	n := network.New(f)
	for _, line := range []string{"01", "02", "R2"} {
		trk := track.New(n)
		var s track.State
		for i := range 20 {
			x := float64(i) * 20 * geotest.Speed
			s = trk.Update("b", &nhip.Position{
				Event: nhip.EventPosition, Time: morning(7, 0, 20*i), Point: nhip.Some(geotest.At(x)),
			}, line)
		}
		must(t, s.Pattern != nil && (s.Pattern.Route.ShortName == line || s.Pattern.Route.ID == line),
			"usual route %s, got %+v", line, s.Pattern.Route)
	}
}

func TestHeadwayBasedTripIsInferred(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	f.Trips = f.Trips[:2] // each direction once, every 10 minutes
	for _, trip := range f.Trips {
		trip.Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
	}
	n := network.New(f)
	d := &drive{t: t, net: n, trk: track.New(n), rnd: rand.New(rand.NewPCG(7, 7))}
	s, _ := d.along(morning(7, 4, 0), 0, 4000)
	must(t, s.Status == track.StatusInService && s.Instance != nil, "%+v", s)
	must(t, s.Instance.HeadwayBased && s.Instance.Trip.ID == "T0-0" && s.Instance.Start == 7*3600,
		"got trip %s starting at %s", s.Instance.Trip.ID, s.Instance.Start)
}

func TestTwoBusesAreNotAssignedToOneTrip(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	trk := track.New(n)
	trips, before := make(map[string]string), ""
	for step := range 60 {
		for bus := range 6 { // two minutes apart: more buses than trips
			clock := morning(7, 0, 20*step)
			x := float64(step)*20*geotest.Speed - float64(bus)*120*geotest.Speed
			if x < 0 {
				continue
			}
			id := string(rune('a' + bus))
			s := trk.Update(id, &nhip.Position{Event: nhip.EventPosition, Time: clock, Point: nhip.Some(geotest.At(x))}, "")
			delete(trips, id)
			if s.Instance != nil {
				trips[id] = s.Instance.Trip.ID
			}
		}
		seen := make(map[string]string)
		for id, trip := range trips {
			other, twice := seen[trip]
			if seen[trip] = id; !twice {
				continue
			}
			// A bus that lost its instance to a better fitting one is updated with its next position.
			pair := trip + min(id, other) + max(id, other)
			must(t, before != pair, "step %d: %s and %s are both still assigned to %s", step, id, other, trip)
			before = pair
		}
	}
	must(t, len(trips) >= 2, "too few buses with a trip: %v", trips)
}

func TestBusAwayFromAllRoutesIsUnknown(t *testing.T) {
	d := newDrive(t)
	for i := range 20 {
		p := geotest.At(float64(i) * 100)
		s := d.at(morning(8, 0, 20*i), orb.Point{p[0], p[1] + 0.01}) // a parallel street, 1.1 km north
		must(t, s.Status == track.StatusUnknown, "got %v, want %v", s.Status, track.StatusUnknown)
		must(t, s.Pattern == nil, "got %v", s.Pattern)
		must(t, len(s.StopEvents) == 0, "got %v", s.StopEvents)
	}
}

func TestWrongSignOnIsCorrected(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-1" // the sign-on is westbound, the bus drives east
	s, _ := d.along(morning(7, 0, 0), 0, 4000)
	must(t, slices.Contains(s.Flags, track.FlagWrongSignOn), "got %v", s.Flags)
	must(t, s.Pattern.Direction.Or(-1) == 0, "got %v, want %v", s.Pattern.Direction.Or(-1), 0)
	must(t, s.Inferred, "the trip was not inferred")
}

func TestSingleTeleportIsRejected(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	before, _ := d.along(morning(7, 0, 0), 0, 2000)
	s := d.at(before.Time.Add(20*time.Second), orb.Point{106.9, 20.8})
	must(t, slices.Contains(s.Flags, track.FlagTeleport), "got %v", s.Flags)
	must(t, s.Along == before.Along, "got %v, want %v", s.Along, before.Along)
	s = d.at(before.Time.Add(40*time.Second), geotest.At(2220))
	must(t, !slices.Contains(s.Flags, track.FlagTeleport), "got %v", s.Flags)
	must(t, math.Abs(s.Along-2220) <= 60, "got %v, want %v", s.Along, 2220)
}

func TestDetourAndStuckDevice(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	before, _ := d.along(morning(7, 0, 0), 0, 2000)
	var s track.State
	for i := range 6 {
		p := geotest.At(2000 + float64(i)*110)
		s = d.at(before.Time.Add(time.Duration(i+1)*20*time.Second), orb.Point{p[0], p[1] + 0.004})
	}
	must(t, s.Status == track.StatusOffRoute, "got %v, want %v", s.Status, track.StatusOffRoute)
	s, _ = d.along(s.Time.Add(time.Minute), 3000, 3500)
	must(t, s.Status == track.StatusInService, "got %v, want %v", s.Status, track.StatusInService)
	still := geotest.At(3500)
	for i := range 25 {
		s = d.at(s.Time.Add(30*time.Second), still)
		if i == 0 {
			must(t, !slices.Contains(s.Flags, track.FlagStuck), "got %v", s.Flags)
		}
	}
	must(t, slices.Contains(s.Flags, track.FlagStuck), "got %v", s.Flags)
}

func TestTrackerNeverMovesBackwards(t *testing.T) {
	d := newDrive(t)
	clock, along, pattern := morning(7, 0, 0), 0.0, (*network.Pattern)(nil)
	for range 5000 {
		clock = clock.Add(time.Duration(d.rnd.IntN(60)-5) * time.Second)
		p := geotest.At(d.rnd.Float64()*11000 - 500)
		if d.rnd.IntN(10) == 0 {
			d.trip = []string{"", "T4-0", "T9-1", "no such trip"}[d.rnd.IntN(4)]
			pattern = nil // another sign-on may place the bus anew
		}
		s := d.at(clock, orb.Point{p[0], p[1] + d.rnd.NormFloat64()*1e-3})
		if s.Pattern == pattern && s.Pattern != nil && s.Next > 1 && s.Along+1 < along && s.Instance == nil {
			t.Fatalf("moved back from %v to %v", along, s.Along)
		}
		along, pattern = s.Along, s.Pattern
		if s.Pattern != nil {
			must(t, s.Next <= len(s.Pattern.Stops), "got %v, want <= %v", s.Next, len(s.Pattern.Stops))
			must(t, s.Confidence >= 0.0, "got %v, want >= %v", s.Confidence, 0.0)
			must(t, s.Confidence <= 1.0, "got %v, want <= %v", s.Confidence, 1.0)
		}
	}
}

func must(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}
