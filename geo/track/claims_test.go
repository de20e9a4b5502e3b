package track_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// north returns the place metres along the line, and as far north of it as given.
func north(along, metres float64) orb.Point {
	return geo.PointAtBearingAndDistance(geotest.At(along), 0, metres)
}

// TestLayoverIsAtTheTerminalOnly lets a bus stand, signed on to the trip of 07:00.
func TestLayoverIsAtTheTerminalOnly(t *testing.T) {
	for _, c := range []struct {
		place   orb.Point
		minutes int // after 07:00
		status  track.Status
		toStart float64
	}{
		{north(0, 20), 5, track.StatusLayover, 0},
		{north(0, 400), 5, track.StatusLayover, 400},
		{north(0, 2000), 5, track.StatusDeadhead, 2000},
		{north(0, 11_000), -20, track.StatusDeadhead, 11_000},
		{north(0, 11_000), 5, track.StatusDeadhead, 11_000},
		{north(4000, 11_000), 20, track.StatusDeadhead, 11_705},
		{north(4000, 150), 20, track.StatusInService, 0}, // beside the line: a detour
	} {
		d := newDrive(t)
		d.trip = "T4-0"
		var s track.State
		for i := range 4 {
			s = d.at(morning(7, 0, 0).Add(time.Duration(c.minutes)*time.Minute+time.Duration(i)*20*time.Second), c.place)
		}
		if s.Status != c.status || math.Abs(s.ToStart-c.toStart) > 30 {
			t.Errorf("%v at %d min: %s, %.0f m to the start, want %s, %.0f", c.place, c.minutes, s.Status, s.ToStart,
				c.status, c.toStart)
		}
	}
}

// TestBusThatDoesNotComeIsStranded lets a bus stand far from its first stop, before and after the time at which it
// should have left.
func TestBusThatDoesNotComeIsStranded(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	far := north(0, 9000) // 10 minutes at the highest speed
	for minute := -30; minute < 20; minute++ {
		s := d.at(morning(7, minute, 0), far)
		if want := minute >= -9; s.Stranded() != want {
			t.Errorf("%d min after the departure: stranded %v, flags %v", minute, s.Stranded(), s.Flags)
		}
	}
	s := d.at(morning(7, 21, 0), north(0, 8500))
	must(t, !s.Stranded() && s.Status == track.StatusDeadhead, "%s with flags %v after it moved", s.Status, s.Flags)
	restored := track.New(d.net)
	restored.Restore("29B-1", &nhip.Position{Time: s.Time, Point: nhip.Some(north(0, 8500)), Trip: "T4-0"}, s.Encode())
	s = restored.Update("29B-1", &nhip.Position{
		Time: s.Time.Add(20 * time.Second), Point: nhip.Some(north(0, 8400)), Trip: "T4-0", Event: nhip.EventPosition,
	}, "")
	must(t, s.Status == track.StatusDeadhead && s.ToStart > 8000, "%s, %.0f m to the start after a restart", s.Status,
		s.ToStart)
}

// TestDeadheadAfterTheLastStop checks that a bus that drives to its depot is not at a layover.
func TestDeadheadAfterTheLastStop(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	s, _ := d.along(morning(7, 0, 0), 0, 10_060)
	must(t, s.Status == track.StatusLayover, "%s at the last stop", s.Status)
	for i := range 20 {
		s = d.at(s.Time.Add(20*time.Second), north(10_000, 150*float64(i+1)))
	}
	must(t, s.Status == track.StatusDeadhead, "%s 3 km from the last stop", s.Status)
}

// twoLines returns the line of geotest and another one 6 km north of it, whose ids begin with N.
func twoLines() *gtfs.Feed {
	f := geotest.Line(21, 15*time.Minute)
	route, stops := *f.Routes[0], make(map[*gtfs.Stop]*gtfs.Stop)
	route.ID, route.ShortName = "N"+route.ID, "N1"
	f.Routes = append(f.Routes, &route)
	for _, s := range slices.Clone(f.Stops) {
		other := *s
		other.ID, other.Point = "N"+s.ID, geo.PointAtBearingAndDistance(s.Point, 0, 6000)
		stops[s] = &other
		f.Stops = append(f.Stops, &other)
	}
	for _, trip := range slices.Clone(f.Trips) {
		other := *trip
		other.ID, other.Route, other.Shape, other.StopTimes = "N"+trip.ID, &route, nil, slices.Clone(trip.StopTimes)
		other.Block = "N" + trip.Block
		for i := range other.StopTimes {
			other.StopTimes[i].Stop = stops[trip.StopTimes[i].Stop]
		}
		f.Trips = append(f.Trips, &other)
	}
	return f
}

func onTwoLines(t *testing.T) *drive {
	n := network.New(twoLines())
	return &drive{t: t, net: n, trk: track.New(n), rnd: newDrive(t).rnd}
}

// TestWrongSignOnBeforeTheStart signs a bus on to a trip that it never begins: it drives along another line.
func TestWrongSignOnBeforeTheStart(t *testing.T) {
	d := onTwoLines(t)
	d.trip = "T4-0"
	var s track.State
	for i := range 12 { // the northern line's trip of 07:00, two minutes late
		s = d.at(morning(7, 2, 0).Add(time.Duration(i)*20*time.Second), north(float64(i)*20*geotest.Speed, 6000))
	}
	must(t, s.Inferred && slices.Contains(s.Flags, track.FlagWrongSignOn), "flags %v", s.Flags)
	must(t, s.Instance != nil && s.Instance.Trip.ID == "NT4-0", "drives %+v", s.Instance)
	must(t, math.Abs(s.Deviation-120) < 30, "%.0f s late", s.Deviation)

	// Then it drives to the start of a trip, to which its driver has signed on in time.
	d.trip = "T6-0"
	for i := range 30 {
		s = d.at(s.Time.Add(20*time.Second), north(2000-float64(i)*70, 6000-float64(i)*206))
	}
	must(t, s.Status == track.StatusLayover && !s.Inferred && s.Instance.Trip.ID == "T6-0", "%s on %+v", s.Status,
		s.Instance)
}

// TestWayToTheFirstStopMayLeadAlongAnotherLine drives a bus to its first stop, the last part along another line.
func TestWayToTheFirstStopMayLeadAlongAnotherLine(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	other := *f.Routes[0]
	other.ID, other.ShortName = "R2", "02"
	f.Routes = append(f.Routes, &other)
	for _, trip := range f.Trips {
		if trip.Direction.Or(0) == 1 {
			trip.Route, trip.Block = &other, ""
		}
	}
	d := newDrive(t)
	d.net = network.New(f)
	d.trk, d.trip = track.New(d.net), "T4-0"
	var s track.State
	for x := 9000.0; x > 1100; x -= 200 { // westwards, as the trips of the other route
		s = d.at(morning(6, 40, 0).Add(time.Duration((9000-x)/10)*time.Second), geotest.At(x))
		must(t, s.Status == track.StatusDeadhead && !s.Inferred, "%s %.0f m before the first stop, flags %v", s.Status, x,
			s.Flags)
	}
	s, passed := d.along(morning(7, 0, 0), 0, 3000)
	must(t, s.Status == track.StatusInService && s.Instance.Trip.ID == "T4-0" && len(passed) > 4, "%s on %+v", s.Status,
		s.Instance)
}

// TestTripThatIsJoinedMidway signs a bus on that has driven a part of its trip, 20 minutes early.
func TestTripThatIsJoinedMidway(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	s, _ := d.along(morning(7, 7, 0), 9000, 9900) // scheduled at 07:27
	must(t, s.Status == track.StatusInService && s.Along > 9500 && !s.Inferred, "%s at %.0f m", s.Status, s.Along)
}

// TestSignOnOfAnotherHourIsRejected drives the trip of 10:00 with the sign-on of others.
func TestSignOnOfAnotherHourIsRejected(t *testing.T) {
	for _, signedOn := range []string{"T4-0", "T24-0"} { // 07:00, 12:00
		d := newDrive(t)
		d.trip = signedOn
		s, _ := d.along(morning(10, 1, 0), 0, 3000)
		must(t, slices.Contains(s.Flags, track.FlagWrongSignOn) && s.Inferred, "%s: flags %v", signedOn, s.Flags)
		must(t, s.Instance != nil && s.Instance.Trip.ID == "T16-0", "%s: drives %+v", signedOn, s.Instance)
		must(t, math.Abs(s.Deviation-60) < 30, "%s: %.0f s late", signedOn, s.Deviation)
	}
	d := newDrive(t)
	d.trip = "T12-0" // 09:00
	s, _ := d.along(morning(10, 1, 0), 0, 3000)
	must(t, !s.Inferred && math.Abs(s.Deviation-3660) < 30, "an hour late: %.0f s, flags %v", s.Deviation, s.Flags)
}

// TestSignOnIsBelievedAgain signs a bus on to its next trip while it drives the one before, which goes the other way.
func TestSignOnIsBelievedAgain(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	d.along(morning(7, 0, 0), 0, 3000)
	d.trip = "T4-1" // starts at the other end, at which the bus arrives at 07:30
	s, _ := d.along(morning(7, 10, 0), 3100, 10_060)
	must(t, s.Inferred && s.Pattern.Direction.Or(1) == 0, "inferred %v, flags %v", s.Inferred, s.Flags)
	back := d.net.Day(geotest.Day).TripInstancesOf(d.net.Feed.Trip("T4-1"))[0]
	s, _ = d.along(time.Unix(back.Departs(0)+60, 0), 10_000, 7000)
	must(t, !s.Inferred && s.Instance == back && len(s.Flags) == 0, "inferred %v on %+v, flags %v", s.Inferred,
		s.Instance, s.Flags)
}

// night returns a network with a trip that departs at 24:40.
func night(t *testing.T) *network.Network {
	f := geotest.Line(21, 15*time.Minute)
	trip := *f.Trips[0]
	trip.ID, trip.StopTimes = "late", slices.Clone(trip.StopTimes)
	shift := gtfs.Time(24*3600+40*60) - trip.StopTimes[0].Departure
	for i := range trip.StopTimes {
		trip.StopTimes[i].Arrival += shift
		trip.StopTimes[i].Departure += shift
	}
	f.Trips = append(f.Trips, &trip)
	return network.New(f)
}

// TestServiceDayOfASignOn checks which day a reported date and start mean.
func TestServiceDayOfASignOn(t *testing.T) {
	next := geotest.Day.Add(1)
	for _, c := range []struct {
		trip, date, start string
		at                time.Time
		want              gtfs.Date
	}{
		{"late", geotest.Day.String(), "24:40:00", morning(24, 45, 0), geotest.Day},
		{"late", next.String(), "", morning(24, 45, 0), geotest.Day},         // the calendar's day
		{"late", next.String(), "00:40:00", morning(24, 45, 0), geotest.Day}, // and time
		{"late", next.String(), "24:40:00", morning(24, 10, 0), geotest.Day}, // before the departure
		{"late", "", "", morning(24, 45, 0), geotest.Day},
		{"late", "", "00:40", morning(24, 45, 0), geotest.Day},
		{"late", geotest.Day.Add(-1).String(), "", morning(24, 45, 0), geotest.Day}, // a day early
		{"T4-0", next.String(), "", morning(7, 5, 0), geotest.Day},
		{"T4-0", next.String(), "", morning(12, 0, 0), next}, // in the depot, signed on for tomorrow
		{"T4-0", geotest.Day.String(), "", morning(5, 0, 0), geotest.Day},
	} {
		trk := track.New(night(t))
		s := trk.Update("29B-1", &nhip.Position{
			Event: nhip.EventPosition, Time: c.at, Point: nhip.Some(geotest.At(0)), Trip: c.trip, StartDate: c.date,
			StartTime: c.start,
		}, "")
		if s.Instance == nil || s.Instance.Day != c.want {
			t.Errorf("%s, %q %q at %s: got %+v, want %s", c.trip, c.date, c.start, c.at, s.Instance, c.want)
		}
	}
}

// TestTripAfterMidnightOfTomorrow checks a trip of 00:05 that is signed on shortly before midnight, without a date.
func TestTripAfterMidnightOfTomorrow(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	trip := f.Trips[0]
	shift := trip.StopTimes[0].Departure - 300
	for i := range trip.StopTimes {
		trip.StopTimes[i].Arrival -= shift
		trip.StopTimes[i].Departure -= shift
	}
	s := track.New(network.New(f)).Update("29B-1", &nhip.Position{
		Event: nhip.EventPosition, Time: morning(23, 50, 0), Point: nhip.Some(geotest.At(0)), Trip: trip.ID,
	}, "")
	if s.Instance == nil || s.Instance.Day != geotest.Day.Add(1) {
		t.Errorf("got %+v", s.Instance)
	}
}

// TestDelayOfAnInferredTripNeedsASureTrip drives a bus without a trip, 150 s late, on a line with few trips and on one
// whose trips follow every five minutes.
func TestDelayOfAnInferredTripNeedsASureTrip(t *testing.T) {
	for _, c := range []struct {
		headway time.Duration
		trip    string
		told    bool
	}{{time.Hour, "", true}, {5 * time.Minute, "", false}, {5 * time.Minute, "T12-0", true}} {
		d := newDrive(t)
		d.net = network.New(geotest.Line(21, c.headway))
		d.trk, d.trip = track.New(d.net), c.trip
		s, _ := d.along(morning(7, 2, 30), 0, 5000)
		must(t, s.Instance != nil && s.Confidence > 0.9, "%+v", s)
		delay, known := s.Delay()
		if known != c.told || known && math.Abs(delay-150) > 30 {
			t.Errorf("every %s, trip %q: delay %.0f s, known %v, trip sure %.2f", c.headway, c.trip, delay, known, s.TripSure)
		}
		wire := s.Encode()
		if wire.Deviation.Known() != c.told {
			t.Errorf("every %s, trip %q: published deviation %v", c.headway, c.trip, wire.Deviation)
		}
	}
}
