package sim

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb/geo"

	"nhip"
	"nhip/geo/gtfs"
)

// otherCity is a part of the own city's timetable as somebody else's: six lines, in one month only.
func otherCity(t testing.TB) *gtfs.Feed {
	n := city(t)
	n.lines = n.lines[:6]
	f, err := n.Feed()
	if err != nil {
		t.Fatal(err)
	}
	f.Services[0].Start, f.Services[0].End = 20260101, 20260131
	return f
}

// onRoad counts a feed's runs on the road at a moment.
func onRoad(f *gtfs.Feed, now time.Time) int {
	n := 0
	day := gtfs.DateOf(now.In(f.Location()))
	for _, d := range []gtfs.Date{day.Add(-1), day} {
		for _, r := range f.Runs(d) {
			if !r.Time(r.Start).After(now) && r.Time(r.End()).After(now) {
				n++
			}
		}
	}
	return n
}

// A given feed's trips are driven when they run, each by one bus, and nothing else is.
func TestFeedOfAnotherCity(t *testing.T) {
	f := otherCity(t)
	start := at(9, 0)
	for buses, want := range map[int]int{20: 20, 300: onRoad(f, start)} {
		s := newSim(t, Options{Feed: f, Buses: buses, Stations: None}, start)
		first := map[string]bool{}
		driver := map[string]string{}
		named := 0
		stepping(s, start, start.Add(40*time.Minute), 10*time.Second, func(m nhip.Message) {
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
				t.Fatalf("%s names no trip of the feed", m.Payload)
			}
			if d := driver[p.Trip]; d != "" && d != p.Vehicle {
				t.Fatalf("trip %s has two buses", p.Trip)
			}
			driver[p.Trip] = p.Vehicle
			run := gtfs.Run{Trip: trip, Day: 20260112, Start: leaves(trip)}
			if p.Time.Before(run.Time(run.Start-hereFor)) || p.Time.After(run.Time(run.End()+15*60)) {
				t.Fatalf("trip %s of %s is driven at %s", p.Trip, run.Start, p.Time)
			}
		})
		if len(first) < want || len(first) > buses || named == 0 {
			t.Errorf("of %d buses %d are on the road, the feed has %d trips there", buses, len(first), want)
		}
	}
}

// With buses enough every trip of the hour finds one, and no bus is in two places at once.
func TestFeedTripsAreServed(t *testing.T) {
	f := otherCity(t)
	start := at(9, 0)
	s := newSim(t, Options{Feed: f, Buses: 150, Stations: None}, start)
	served := map[string]bool{}
	last := map[string]nhip.Position{}
	byID := map[string]*bus{}
	stepping(s, start, start.Add(90*time.Minute), 10*time.Second, func(m nhip.Message) {
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
		if l := leaves(trip); l >= 9*hour && l < 10*hour {
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

func TestFeedPastItsCalendar(t *testing.T) {
	f := otherCity(t)
	for _, now := range []time.Time{at(9, 0).AddDate(0, 1, 0), at(9, 0).AddDate(0, -1, 0)} {
		_, err := New(Options{Feed: f, Clock: still(now)})
		want := "feed: its calendar runs from 20260101 to 20260131 and the clock says " + now.Format("20060102")
		if nhip.ErrorCode(err) != nhip.Invalid || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := New(Options{Feed: f, Clock: still(at(9, 0).AddDate(0, 1, 0)), Buses: None}); err != nil {
		t.Errorf("without buses the calendar does not matter: %v", err)
	}
}

// oneLine is a feed of one trip from one end of the Kim Mã street to the other, without a shape.
func oneLine(t *testing.T, change func(*gtfs.Trip)) *gtfs.Feed {
	f := otherCity(t)
	i := slices.IndexFunc(f.Trips, func(trip *gtfs.Trip) bool { return trip.Route.ID == "09" })
	trip := *f.Trips[i]
	trip.Shape = nil
	trip.StopTimes = slices.Clone(trip.StopTimes)
	change(&trip)
	return &gtfs.Feed{
		Agencies: f.Agencies, Stops: f.Stops, Routes: f.Routes, Services: f.Services, Trips: []*gtfs.Trip{&trip},
	}
}

// firstWords are who speaks within the first interval of a minute.
func firstWords(t *testing.T, f *gtfs.Feed, now time.Time) (list []nhip.Position) {
	s := newSim(t, Options{Feed: f, Buses: 10, Stations: None}, now)
	stepping(s, now, now.Add(DefaultInterval-time.Millisecond), time.Second, func(m nhip.Message) {
		list = append(list, position(t, m, m.Received))
	})
	return list
}

func TestFeedTripPastMidnight(t *testing.T) {
	f := oneLine(t, func(trip *gtfs.Trip) {
		for i := range trip.StopTimes {
			trip.StopTimes[i].Arrival = gtfs.Time(24*hour - 300 + 90*i)
			trip.StopTimes[i].Departure = trip.StopTimes[i].Arrival
		}
	})
	got := firstWords(t, f, at(0, 5))
	if len(got) != 1 || got[0].StartDate != "20260111" {
		t.Errorf("five minutes after midnight %d buses speak: %+v", len(got), got)
	}
}

func TestFeedFrequencies(t *testing.T) {
	f := oneLine(t, func(trip *gtfs.Trip) {
		trip.Frequencies = []gtfs.Frequency{{Start: 8 * hour, End: 10 * hour, Headway: 600}}
	})
	trip := f.Trips[0]
	want := int(duration(trip)+599) / 600
	got := firstWords(t, f, at(9, 5))
	if len(got) < want-1 || len(got) > want {
		t.Errorf("%d buses are on a line of %d min every 10 min", len(got), duration(trip)/60)
	}
}

// With nothing on the road the buses are off, and the next departure is not missed.
func TestFeedWaitsForWork(t *testing.T) {
	f := oneLine(t, func(trip *gtfs.Trip) {
		for i := range trip.StopTimes {
			trip.StopTimes[i].Arrival = gtfs.Time(12*hour + 90*i)
			trip.StopTimes[i].Departure = trip.StopTimes[i].Arrival
		}
	})
	s := newSim(t, Options{Feed: f, Buses: 3, Stations: None}, at(8, 0))
	var times []time.Time
	stepping(s, at(8, 0), at(12, 30), time.Minute, func(m nhip.Message) {
		times = append(times, position(t, m, m.Received).Time.In(hanoi))
	})
	if len(times) == 0 || times[0].Before(at(11, 57)) || times[0].After(at(12, 1)) {
		t.Fatalf("the bus of 12:00 is first seen at %v", times[:min(1, len(times))])
	}
	if end := times[len(times)-1]; end.Before(at(12, 10)) || end.After(at(12, 29)) {
		t.Errorf("the bus of 12:00 is last seen at %s", end)
	}
}

func TestBlocksKeepTheirBus(t *testing.T) {
	block := func(id string, start int) *gtfs.Trip {
		return &gtfs.Trip{ID: id, Block: "b", StopTimes: []gtfs.StopTime{
			{Stop: &gtfs.Stop{Point: oldQuarter}, Departure: gtfs.Time(start)}, {Stop: &gtfs.Stop{Point: oldQuarter}},
		}}
	}
	b := &bus{last: oldQuarter, journey: journey{trip: block("x", 0), day: 20260112}}
	e := func(trip *gtfs.Trip, day gtfs.Date, start int64) *entry {
		return &entry{run: gtfs.Run{Trip: trip, Day: day}, start: start}
	}
	other := block("y", 0)
	other.Block = "c"
	far := block("z", 0)
	far.Block, far.StopTimes[0].Stop = "", &gtfs.Stop{Point: junctions["nhon"]} // 10 km: 24 minutes empty
	got := []int{
		rank(b, e(block("y", 0), 20260112, 100), 0), rank(b, e(block("y", 0), 20260113, 100), 0),
		rank(b, e(other, 20260112, 100), 0), rank(b, e(far, 20260112, 600), 0), rank(b, e(far, 20260112, 3000), 0),
		rank(&bus{}, e(far, 20260112, 100), 0),
	}
	if d := cmp.Diff([]int{sameBlock, here, here, unreachable, elsewhere, elsewhere}, got); d != "" {
		t.Errorf("ranks (-want +got):\n%s", d)
	}
}

// Hanoi's real stops and lines, with shapes that are straight from stop to stop.
func TestRealFeed(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded feeds are not here")
	}
	for path, now := range map[string]time.Time{
		"gtfs-hanoi/hanoi-derived-gtfs.zip": time.Date(2026, 2, 16, 4, 0, 0, 0, time.UTC),
		"gtfs-wmata-3routes/gtfs.zip":       time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC),
	} {
		f, err := gtfs.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		want := min(onRoad(f, now), DefaultBuses)
		s := newSim(t, Options{Feed: f, Stations: None}, now)
		seen := map[string]bool{}
		stepping(s, now, now.Add(5*time.Minute), 10*time.Second, func(m nhip.Message) {
			p := position(t, m, m.Received)
			if p.Route != "" && f.Trip(p.Trip) == nil {
				t.Fatalf("%s names no trip", m.Payload)
			}
			if p.Time.Before(now.Add(DefaultInterval)) {
				seen[p.Vehicle] = true
			}
		})
		if len(seen) < want {
			t.Errorf("%s: %d buses are on the road, want %d", path, len(seen), want)
		}
	}
}
