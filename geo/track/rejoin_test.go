package track_test

import (
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// TestBusThatReturnsFarAheadIsMatchedAgain drives a bus beside its line for 9 km, farther than it can drive in the time
// for which advance looks ahead. Once it is back on its line it must not stay off route for the rest of its trip.
func TestBusThatReturnsFarAheadIsMatchedAgain(t *testing.T) {
	n := network.New(geotest.Line(41, 15*time.Minute))
	d := &drive{t: t, net: n, trk: track.New(n), rnd: newDrive(t).rnd, trip: "T4-0"}
	s, _ := d.along(morning(7, 0, 0), 0, 500)
	for x := 600.0; x < 9600; x += 110 {
		s = d.at(s.Time.Add(20*time.Second), north(x, 1500))
	}
	must(t, s.Status == track.StatusOffRoute && s.Along < 1000, "%s at %.0f m", s.Status, s.Along)
	s, passed := d.along(s.Time.Add(20*time.Second), 9700, 11_500)
	must(t, s.Status == track.StatusInService && s.Along > 11_300, "%s at %.0f m", s.Status, s.Along)
	must(t, !s.Inferred && s.Instance.Trip.ID == "T4-0", "inferred %v, on %+v", s.Inferred, s.Instance)
	for _, e := range passed {
		must(t, e.Stop > 19, "passed stop %d, at which nobody saw it", e.Stop)
	}
}

// joiningLines returns the line of geotest and a route J that comes from 6 km north of it and shares its second half,
// stops and times.
func joiningLines() *gtfs.Feed {
	f := twoLines()
	joined := *f.Routes[0]
	joined.ID, joined.ShortName = "J", "J"
	for _, trip := range f.Trips {
		if trip.ID[0] != 'N' || trip.Direction.Or(1) != 0 {
			continue
		}
		own := f.Trip(trip.ID[1:])
		trip.ID, trip.Route, trip.Block = "J"+own.ID, &joined, ""
		for i := 10; i < len(trip.StopTimes); i++ {
			trip.StopTimes[i].Stop = own.StopTimes[i].Stop
		}
	}
	f.Routes = append(f.Routes, &joined)
	f.Trips = slices.DeleteFunc(f.Trips, func(t *gtfs.Trip) bool { return t.ID[0] == 'N' })
	return f
}

// TestSignOnThatFitsAgainIsBelieved rejects the sign-on of a bus that comes along another line, and lets it drive where
// both lines are the same.
func TestSignOnThatFitsAgainIsBelieved(t *testing.T) {
	n := network.New(joiningLines())
	d := &drive{t: t, net: n, trk: track.New(n), rnd: newDrive(t).rnd, trip: "T4-0"}
	var s track.State
	for x := 0.0; x < 4500; x += 110 {
		s = d.at(morning(7, 0, int(x/geotest.Speed)), north(x, 6000))
	}
	must(t, s.Inferred && s.Instance != nil && s.Instance.Trip.ID == "JT4-0",
		"inferred %v, on %+v", s.Inferred, s.Instance)
	s, _ = d.along(morning(7, 16, 30), 5500, 9000)
	must(t, !s.Inferred && s.Instance != nil && s.Instance.Trip.ID == "T4-0" && len(s.Flags) == 0,
		"inferred %v, on %+v, flags %v", s.Inferred, s.Instance, s.Flags)
}

// TestVehicleStaysOnItsRoute lets two buses sign on to one of two routes that are alike, and then drive without a trip:
// each stays on the route that it has served. After a restart, too.
func TestVehicleStaysOnItsRoute(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	twin := *f.Routes[0]
	twin.ID, twin.ShortName = "R2", "02"
	f.Routes = append(f.Routes, &twin)
	for _, trip := range slices.Clone(f.Trips) {
		other := *trip
		other.ID, other.Route, other.Block = "X"+trip.ID, &twin, ""
		f.Trips = append(f.Trips, &other)
	}
	for _, restarts := range []bool{false, true} {
		for _, c := range []struct{ trip, route string }{{"T4-0", "R1"}, {"XT4-0", "R2"}} {
			n := network.New(f)
			d := &drive{t: t, net: n, trk: track.New(n), rnd: newDrive(t).rnd, trip: c.trip}
			s, _ := d.along(morning(7, 0, 0), 0, 10_000)
			d.trip = ""
			if restarts {
				served := d.trk.Served("29B-1")
				d.trk = track.New(n)
				d.trk.Restore("29B-1", &nhip.Position{Time: s.Time, Point: nhip.Some(geotest.At(10_000))}, s.Encode())
				d.trk.RestoreServed("29B-1", served)
			}
			s, _ = d.along(morning(7, 50, 0), 10_000, 6000)
			must(t, s.Pattern != nil && s.Pattern.Route.ID == c.route && s.Pattern.Direction.Or(0) == 1 && s.Confidence > 0.8,
				"restarts %v: %s served %s, is on %+v with confidence %.2f", restarts, c.trip, c.route, s.Pattern, s.Confidence)
		}
	}
}
