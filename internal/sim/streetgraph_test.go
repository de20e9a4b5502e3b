package sim

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"nhip/geo/gtfs"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

func streetGraph(t testing.TB) *StreetGraph {
	t.Helper()
	n, err := NewStreetGraph()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// simulatedFeed returns the timetable of sharedFeed for the default number of buses.
func simulatedFeed(t testing.TB) *gtfs.Feed {
	t.Helper()
	f, err := sharedFeed(DefaultBuses)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func written(t testing.TB, f *gtfs.Feed) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFeedIsValid reads the feed with the strict reader. To save time it keeps only a tenth of the trips.
func TestFeedIsValid(t *testing.T) {
	want := *simulatedFeed(t)
	var some []*gtfs.Trip
	for i := 0; i < len(want.Trips); i += 10 {
		some = append(some, want.Trips[i])
	}
	want.Trips = some
	b := written(t, &want)
	got, err := gtfs.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Trips) != len(want.Trips) || len(got.Stops) != len(want.Stops) || len(got.Shapes) != len(want.Shapes) {
		t.Errorf("%d trips, %d stops and %d shapes were read back", len(got.Trips), len(got.Stops), len(got.Shapes))
	}
}

// TestFeedIsReproducible checks that writing and reading the feed loses nothing, and that drawing the network again
// gives the same feed. To save time it draws two lines with few buses.
func TestFeedIsReproducible(t *testing.T) {
	few := func() *gtfs.Feed {
		n := streetGraph(t)
		n.lines = n.lines[3:5]
		f, err := n.Feed(20)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first := written(t, few())
	read, err := gtfs.Read(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, written(t, read)) {
		t.Error("the feed that was read back is different")
	}
	if !bytes.Equal(first, written(t, few())) {
		t.Error("two drawings of the network gave different feeds")
	}
}

func TestFeedLinesAndTerminals(t *testing.T) {
	f := simulatedFeed(t)
	if len(f.Routes) < 16 {
		t.Errorf("%d lines, want at least 16", len(f.Routes))
	}
	if a := f.Agencies[0]; a.ID != "hanoi" || a.Location.String() != "Asia/Ho_Chi_Minh" ||
		!strings.Contains(a.Name, "simulated") {
		t.Errorf("agency is %+v", a)
	}
	for name, want := range map[string]orb.Point{
		"Bến xe Mỹ Đình": {105.7780, 21.0285}, "Bến xe Giáp Bát": {105.8415, 20.9805},
		"Bến xe Gia Lâm": {105.8785, 21.0487}, "Bến xe Yên Nghĩa": {105.7470, 20.9500},
		"Bến xe Nước Ngầm": {105.8420, 20.9640}, "Điểm trung chuyển Long Biên": {105.8490, 21.0415},
		"Điểm trung chuyển Cầu Giấy": {105.7990, 21.0335}, "Bến xe Kim Mã": {105.8230, 21.0320},
	} {
		i := slices.IndexFunc(f.Stops, func(s *gtfs.Stop) bool { return s.Name == name })
		if i < 0 {
			t.Errorf("there is no stop %s", name)
			continue
		}
		if d := geo.DistanceHaversine(f.Stops[i].Point, want); d > 30 {
			t.Errorf("%s is %.0f m from its real position", name, d)
		}
	}
}

// firstTrips returns one trip of each direction of each line.
func firstTrips(f *gtfs.Feed) []*gtfs.Trip {
	var trips []*gtfs.Trip
	seen := map[*gtfs.Shape]bool{}
	for _, trip := range f.Trips {
		if !seen[trip.Shape] {
			seen[trip.Shape] = true
			trips = append(trips, trip)
		}
	}
	return trips
}

func TestFeedStopsAreOnShapes(t *testing.T) {
	f := simulatedFeed(t)
	used := map[*gtfs.Stop]bool{}
	for _, trip := range firstTrips(f) {
		along := 0.0
		p := newPath(trip.Shape.Line)
		for _, call := range trip.StopTimes {
			used[call.Stop] = true
			d, off := p.project(call.Stop.Point, along, along+4000)
			if off > 20 {
				t.Errorf("trip %s passes %s at a distance of %.0f m", trip.ID, call.Stop.Name, off)
			}
			if diff := d - float64(call.Dist); diff > 15 || diff < -15 {
				t.Errorf("trip %s: %s is at %.0f m, in the feed at %.0f", trip.ID, call.Stop.Name, d, call.Dist)
			}
			along = d
		}
	}
	for _, s := range f.Stops {
		if !used[s] {
			t.Errorf("no line calls at %s %s", s.ID, s.Name)
		}
		if s.Name == "" {
			t.Errorf("%s has no name", s.ID)
		}
	}
}

// TestFeedStopSpacing checks that stops are 400 to 600 m apart, except at the ends of lines and on bridges.
func TestFeedStopSpacing(t *testing.T) {
	bridges := map[string]bool{}
	n := streetGraph(t)
	for _, l := range n.lines {
		for i := range l.directions {
			if slices.ContainsFunc(l.directions[i].edges, func(e *edge) bool { return e.street.bridge }) {
				bridges[l.number] = true
			}
		}
	}
	f := simulatedFeed(t)
	for _, trip := range firstTrips(f) {
		wide := 0
		for i := 2; i < len(trip.StopTimes)-1; i++ {
			gap := trip.StopTimes[i].Dist - trip.StopTimes[i-1].Dist
			switch {
			case gap > 1500 && bridges[trip.Route.ID]:
				wide++
			case gap < 400 || gap > 600:
				t.Errorf("trip %s: %.0f m from %s to %s", trip.ID, gap, trip.StopTimes[i-1].Stop.Name, trip.StopTimes[i].Stop.Name)
			}
		}
		if wide > 1 {
			t.Errorf("trip %s crosses %d bridges, want at most 1", trip.ID, wide)
		}
	}
}

func TestFeedTimesRise(t *testing.T) {
	for _, trip := range simulatedFeed(t).Trips {
		for i := 1; i < len(trip.StopTimes); i++ {
			a, b := trip.StopTimes[i-1], trip.StopTimes[i]
			speed := float64(b.Dist-a.Dist) / float64(b.Arrival-a.Departure)
			if b.Arrival <= a.Departure || speed > maxCruise || speed < 2 {
				t.Fatalf("trip %s leaves %s at %s and is at %s at %s: %.1f m/s", trip.ID, a.Stop.Name, a.Departure, b.Stop.Name,
					b.Arrival, speed)
			}
		}
	}
}

func TestFeedRunsDayAndNight(t *testing.T) {
	f := simulatedFeed(t)
	for _, r := range f.Routes {
		var perHour [24]int
		for _, trip := range f.Trips {
			if trip.Route == r && trip.Direction.Or(9) == 0 {
				perHour[firstDeparture(trip)/hour%24]++
			}
		}
		for h, n := range perHour {
			least := 1
			if h >= 5 && h < 22 {
				least = 3
			}
			if n < least {
				t.Errorf("line %s has %d departures from %d o'clock, want at least %d", r.ID, n, h, least)
			}
		}
	}
	for _, day := range []gtfs.Date{20180301, 20260216, 20400229} {
		if got := len(f.TripsOn(day)); got != len(f.Trips) {
			t.Errorf("%d of %d trips run on %s", got, len(f.Trips), day)
		}
	}
}

// TestStopsAreOnTheRight checks that stops are on the right-hand side in the direction of travel.
func TestStopsAreOnTheRight(t *testing.T) {
	n := streetGraph(t)
	for key, e := range n.edges {
		for _, s := range e.stops {
			p := newPath(wgs84(n, e.centerline))
			d, _ := p.project(s.Point, 0, p.length())
			at, segment := p.at(d, 0)
			side := normalizeDegrees(geo.Bearing(at, s.Point) - p.bearing[segment])
			if side < 60 || side > 120 {
				t.Errorf("%v: %s is at %.0f° to the direction of travel", key, s.Name, side)
			}
		}
	}
}

func wgs84(n *StreetGraph, plane orb.LineString) orb.LineString {
	line := plane.Clone()
	for i, p := range line {
		line[i] = n.plane.toWGS84(p)
	}
	return line
}

// TestTablesAreConsistent checks that every row of the hand-made tables is used.
func TestTablesAreConsistent(t *testing.T) {
	n := streetGraph(t)
	for key := range bends {
		if n.edges[key] == nil {
			t.Errorf("bend %v is on no street", key)
		}
	}
	for key := range terminals {
		if n.terminalStops[key] == nil {
			t.Errorf("no line ends at %s", key)
		}
	}
	for _, l := range lines {
		for _, end := range []string{l.via[0], l.via[len(l.via)-1]} {
			if terminals[end] == "" {
				t.Errorf("terminal %[2]s of line %[1]s has no name", l.number, end)
			}
		}
	}
	onStreet := map[string]bool{}
	for _, s := range streets {
		for _, j := range s.along {
			onStreet[j] = true
		}
	}
	for key := range junctions {
		if !onStreet[key] {
			t.Errorf("junction %s is on no street", key)
		}
	}
	for _, m := range landmarks {
		if !slices.ContainsFunc(n.stops, func(s *gtfs.Stop) bool { return strings.HasPrefix(s.Name, m.name+" - ") }) {
			t.Errorf("no stop is named after %s", m.name)
		}
	}
}

func TestDrawingRejectsInconsistentTables(t *testing.T) {
	n := streetGraph(t)
	if _, err := n.drawLine(line{number: "x", via: []string{"nhon", "gia-lam"}}); err == nil {
		t.Error("no error for junctions without a common street")
	}
	if _, err := n.centerline("nhon", "atlantis"); err == nil || !strings.Contains(err.Error(), "atlantis") {
		t.Errorf("unknown junction: got %v", err)
	}
}

func TestHouseNumbers(t *testing.T) {
	got := []int{houseNumber(0, true), houseNumber(0, false), houseNumber(80, true), houseNumber(80, false)}
	if d := cmp.Diff([]int{1, 2, 21, 22}, got); d != "" {
		t.Error(d)
	}
}
