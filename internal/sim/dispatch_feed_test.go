package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/internal/suitetest"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb/geo"
)

// givenFeed returns a feed for Options.Feed: six lines of the simulated timetable, valid for one month.
func givenFeed(t testing.TB) *gtfs.Feed {
	n := streetGraph(t)
	n.lines = n.lines[:6]
	f, err := n.Feed(80)
	if err != nil {
		t.Fatal(err)
	}
	f.Services[0].Start, f.Services[0].End = 20260101, 20260131
	return f
}

// onRoad returns the number of a feed's trips that are scheduled to run at a time.
func onRoad(f *gtfs.Feed, now time.Time) int {
	n := 0
	day := gtfs.DateOf(now.In(f.Location()))
	for _, d := range []gtfs.Date{day.Add(-1), day} {
		for _, r := range f.TripInstances(d) {
			if !r.Time(r.Start).After(now) && r.Time(r.End()).After(now) {
				n++
			}
		}
	}
	return n
}

// TestGivenFeedIsDriven checks that a given feed's trips are driven at their times, each by one bus.
func TestGivenFeedIsDriven(t *testing.T) {
	f := givenFeed(t)
	start := at(9, 0)
	for buses, want := range map[int]int{20: 20, 300: onRoad(f, start)} {
		s := newSim(t, Options{Feed: f, Buses: buses, Stations: None}, start)
		first := map[string]bool{}
		driver := map[string]string{}
		named := 0
		stepThrough(s, start, start.Add(40*time.Minute), 10*time.Second, func(m nhip.Message) {
			p := position(t, m, m.Received)
			if p.Time.Before(start.Add(DefaultInterval)) {
				first[p.Vehicle] = true
			}
			if p.Route == "" {
				return
			}
			named++
			trip := f.Trip(p.Trip)
			if trip == nil || trip.Route.ID != p.Route || p.StartDate != "20260112" || p.Direction != trip.Direction {
				t.Fatalf("%s is for no trip of the feed", m.Payload)
			}
			if d := driver[p.Trip]; d != "" && d != p.Vehicle {
				t.Fatalf("trip %s is driven by two buses", p.Trip)
			}
			driver[p.Trip] = p.Vehicle
			run := gtfs.TripInstance{Trip: trip, Day: 20260112, Start: firstDeparture(trip)}
			if p.Time.Before(run.Time(run.Start-maxStopWait)) || p.Time.After(run.Time(run.End()+15*60)) {
				t.Fatalf("trip %s of %s is driven at %s", p.Trip, run.Start, p.Time)
			}
		})
		if len(first) < want || len(first) > buses || named == 0 {
			t.Errorf("%[2]d of %[1]d buses run, want %[3]d", buses, len(first), want)
		}
	}
}

// TestGivenFeedIsComplete checks that with enough buses nearly all trips of an hour are driven, and that no bus jumps.
func TestGivenFeedIsComplete(t *testing.T) {
	f := givenFeed(t)
	start := at(9, 0)
	s := newSim(t, Options{Feed: f, Buses: 150, Stations: None}, start)
	served := map[string]bool{}
	last := map[string]nhip.Position{}
	byID := map[string]*bus{}
	stepThrough(s, start, start.Add(90*time.Minute), 10*time.Second, func(m nhip.Message) {
		if len(byID) == 0 {
			for _, b := range s.buses {
				byID[b.id] = b
			}
		}
		p := position(t, m, m.Received)
		served[byID[p.Vehicle].trip.ID] = true
		if before, ok := last[p.Vehicle]; ok {
			a, _ := before.Point.Get()
			b, _ := p.Point.Get()
			if v := geo.DistanceHaversine(a, b) / p.Time.Sub(before.Time).Seconds(); v > 22 {
				t.Errorf("%s moved at %.0f m/s", p.Vehicle, v)
			}
		}
		last[p.Vehicle] = p
	})
	missed, all := 0, 0
	for _, trip := range f.Trips {
		if l := firstDeparture(trip); l >= 9*hour && l < 10*hour {
			all++
			if !served[trip.ID] {
				missed++
			}
		}
	}
	if all < 60 || missed > all/20 {
		t.Errorf("%d of %d trips were not driven", missed, all)
	}
}

func TestNewRejectsClockOutsideCalendar(t *testing.T) {
	f := givenFeed(t)
	for _, now := range []time.Time{at(9, 0).AddDate(0, 1, 0), at(9, 0).AddDate(0, -1, 0)} {
		_, err := New(Options{Feed: f, Clock: fixedClock(now)})
		want := "feed: calendar covers 20260101 to 20260131, but the clock is at " + now.Format("20060102")
		if nhip.ErrorCode(err) != nhip.CodeInvalid || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := New(Options{Feed: f, Clock: fixedClock(at(9, 0).AddDate(0, 1, 0)), Buses: None}); err != nil {
		t.Errorf("without buses: %v", err)
	}
}

// oneTripFeed returns a feed with one trip of line 09, without a shape.
func oneTripFeed(t *testing.T, change func(*gtfs.Trip)) *gtfs.Feed {
	f := givenFeed(t)
	i := slices.IndexFunc(f.Trips, func(trip *gtfs.Trip) bool { return trip.Route.ID == "09" })
	trip := *f.Trips[i]
	trip.Shape = nil
	trip.StopTimes = slices.Clone(trip.StopTimes)
	change(&trip)
	return &gtfs.Feed{
		Agencies: f.Agencies, Stops: f.Stops, Routes: f.Routes, Services: f.Services, Trips: []*gtfs.Trip{&trip},
	}
}

// firstPositions returns the positions of the first interval.
func firstPositions(t *testing.T, f *gtfs.Feed, now time.Time) (list []nhip.Position) {
	s := newSim(t, Options{Feed: f, Buses: 10, Stations: None}, now)
	stepThrough(s, now, now.Add(DefaultInterval-time.Millisecond), time.Second, func(m nhip.Message) {
		list = append(list, position(t, m, m.Received))
	})
	return list
}

func TestFeedTripPastMidnight(t *testing.T) {
	f := oneTripFeed(t, func(trip *gtfs.Trip) {
		for i := range trip.StopTimes {
			trip.StopTimes[i].Arrival = gtfs.Time(24*hour - 300 + 90*i)
			trip.StopTimes[i].Departure = trip.StopTimes[i].Arrival
		}
	})
	got := firstPositions(t, f, at(0, 5))
	if len(got) != 1 || got[0].StartDate != "20260111" {
		t.Errorf("%d positions at five minutes after midnight: %+v", len(got), got)
	}
}

func TestFeedFrequencies(t *testing.T) {
	f := oneTripFeed(t, func(trip *gtfs.Trip) {
		trip.Frequencies = []gtfs.Frequency{{Start: 8 * hour, End: 10 * hour, Headway: 600}}
	})
	trip := f.Trips[0]
	want := int(duration(trip)+599) / 600
	got := firstPositions(t, f, at(9, 5))
	if len(got) < want-1 || len(got) > want {
		t.Errorf("%d buses on a line of %d min with a headway of 10 min", len(got), duration(trip)/60)
	}
}

// TestBusesParkUntilDeparture checks that buses send nothing without trips, and that the next departure is not missed.
func TestBusesParkUntilDeparture(t *testing.T) {
	f := oneTripFeed(t, func(trip *gtfs.Trip) {
		for i := range trip.StopTimes {
			trip.StopTimes[i].Arrival = gtfs.Time(12*hour + 90*i)
			trip.StopTimes[i].Departure = trip.StopTimes[i].Arrival
		}
	})
	s := newSim(t, Options{Feed: f, Buses: 3, Stations: None}, at(8, 0))
	var times []time.Time
	stepThrough(s, at(8, 0), at(12, 30), time.Minute, func(m nhip.Message) {
		times = append(times, position(t, m, m.Received).Time.In(hanoi))
	})
	if len(times) == 0 || times[0].Before(at(11, 57)) || times[0].After(at(12, 1)) {
		t.Fatalf("first position of the 12:00 trip at %v", times[:min(1, len(times))])
	}
	if end := times[len(times)-1]; end.Before(at(12, 10)) || end.After(at(12, 29)) {
		t.Errorf("last position of the 12:00 trip at %s", end)
	}
}

// TestBlockIsDrivenInOrder checks that a bus that is late drives the next trip of its block, and no trip at another
// place.
func TestBlockIsDrivenInOrder(t *testing.T) {
	trip := func(id, block, from string) *gtfs.Trip {
		return &gtfs.Trip{ID: id, Block: block, StopTimes: []gtfs.StopTime{{Stop: &gtfs.Stop{Point: junctions[from]}}, {}}}
	}
	entry := func(trip *gtfs.Trip, start int64) *scheduledTrip {
		return &scheduledTrip{instance: gtfs.TripInstance{Trip: trip, Day: 20260112}, start: start}
	}
	b := &bus{last: junctions["kim-ma"], journey: journey{trip: trip("1", "b", "nhon"), day: 20260112, start: 1000}}
	d := &feedDispatch{entries: []*scheduledTrip{
		entry(trip("0", "b", "kim-ma"), 500), entry(trip("x", "c", "kim-ma"), 2900), entry(trip("2", "b", "kim-ma"), 3000),
		entry(trip("3", "b", "nhon"), 5000),
	}}
	for now, want := range map[int64]string{2500: "2", 3300: "2", 3000 + maxLateStart + 1: ""} {
		got := ""
		if e := d.nextOfBlock(b, now); e != nil {
			got = e.instance.Trip.ID
		}
		if got != want {
			t.Errorf("at %d the bus takes trip %q, want %q", now, got, want)
		}
	}
}

func TestRankPrefersTheSameStop(t *testing.T) {
	block := func(id string, start int) *gtfs.Trip {
		return &gtfs.Trip{ID: id, Block: "b", StopTimes: []gtfs.StopTime{
			{Stop: &gtfs.Stop{Point: cityCenter}, Departure: gtfs.Time(start)}, {Stop: &gtfs.Stop{Point: cityCenter}},
		}}
	}
	b := &bus{last: cityCenter, journey: journey{trip: block("x", 0), day: 20260112}}
	e := func(trip *gtfs.Trip, day gtfs.Date, start int64) *scheduledTrip {
		return &scheduledTrip{instance: gtfs.TripInstance{Trip: trip, Day: day}, start: start}
	}
	other := block("y", 0)
	other.Block = "c"
	far := block("z", 0)
	far.Block, far.StopTimes[0].Stop = "", &gtfs.Stop{Point: junctions["nhon"]} // 10 km: a deadhead of 24 minutes
	got := []int{
		rank(b, e(block("y", 0), 20260112, 100), 0), rank(b, e(block("y", 0), 20260113, 100), 0),
		rank(b, e(other, 20260112, 100), 0), rank(b, e(far, 20260112, 600), 0), rank(b, e(far, 20260112, 3000), 0),
		rank(&bus{}, e(far, 20260112, 100), 0),
	}
	if d := cmp.Diff([]int{sameStop, sameStop, sameStop, unreachable, elsewhere, elsewhere}, got); d != "" {
		t.Errorf("ranks (-want +got):\n%s", d)
	}
}

// TestRealFeeds drives feeds of Hanoi and, in make suites, of Washington.
func TestRealFeeds(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set")
	}
	for path, now := range map[string]time.Time{
		"gtfs-hanoi/hanoi-derived-gtfs.zip": time.Date(2026, 2, 16, 4, 0, 0, 0, time.UTC),
		"gtfs-wmata-3routes/gtfs.zip":       time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC),
	} {
		if strings.Contains(path, "wmata") && !suitetest.Full() {
			continue
		}
		f, err := gtfs.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		want := min(onRoad(f, now), DefaultBuses)
		s := newSim(t, Options{Feed: f, Stations: None}, now)
		seen := map[string]bool{}
		stepThrough(s, now, now.Add(5*time.Minute), 10*time.Second, func(m nhip.Message) {
			p := position(t, m, m.Received)
			if p.Route != "" && f.Trip(p.Trip) == nil {
				t.Fatalf("%s is for no trip of the feed", m.Payload)
			}
			if p.Time.Before(now.Add(DefaultInterval)) {
				seen[p.Vehicle] = true
			}
		})
		if len(seen) < want {
			t.Errorf("%s: %d buses run, want %d", path, len(seen), want)
		}
	}
}
