package network_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

func TestTimedStopsAreWaitsAndTimepoints(t *testing.T) {
	const stop = 4
	exact := func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			for i := range trip.StopTimes {
				trip.StopTimes[i].Timepoint = gtfs.TimepointExact
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func(*gtfs.Feed)
		at      int
		want    bool
	}{
		"a wait of minutes":              {func(f *gtfs.Feed) { geotest.AddWait(f, stop, 120) }, stop, true},
		"the stop after it":              {func(f *gtfs.Feed) { geotest.AddWait(f, stop, 120) }, stop + 1, false},
		"the time of boarding":           {func(f *gtfs.Feed) { geotest.AddWait(f, stop, 40) }, stop, false},
		"a wait before the first stop":   {func(f *gtfs.Feed) { f.Trips[0].StopTimes[0].Arrival -= 600 }, 0, false},
		"a wait behind the last stop":    {func(f *gtfs.Feed) { geotest.AddWait(f, 9, 600) }, 9, false},
		"a time point":                   {func(f *gtfs.Feed) { geotest.SetTimepoints(f, stop) }, stop, true},
		"a stop between time points":     {func(f *gtfs.Feed) { geotest.SetTimepoints(f, stop) }, stop + 1, false},
		"all times exact":                {exact, stop, false},
		"nothing said":                   {func(*gtfs.Feed) {}, stop, false},
		"a time point without own times": {estimatedTimepoint(stop), stop, false},
	} {
		f := geotest.Line(10, time.Hour)
		c.prepare(f)
		n := network.New(f)
		inst := n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
		if got := inst.Timed(c.at); got != c.want {
			t.Errorf("%s: timed is %t", name, got)
		}
	}
}

func estimatedTimepoint(stop int) func(*gtfs.Feed) {
	return func(f *gtfs.Feed) {
		geotest.SetTimepoints(f, stop)
		f.Trips[0].StopTimes[stop].Estimated = true
	}
}

func TestBusAtStopIsOnTimeUntilItsDeparture(t *testing.T) {
	f := geotest.Line(10, time.Hour)
	geotest.AddWait(f, 4, 17*60)
	n := network.New(f)
	inst := n.Day(geotest.Day).TripInstances(n.Patterns[0])[3]
	place, arrives := inst.Pattern.Along[4], float64(inst.Arrives(4))
	for _, c := range []struct{ beyond, after, want float64 }{
		{0, 0, 0},
		{20, 500, 0},         // standing
		{30, 17*60 - 1, 0},   // until its departure
		{0, 18 * 60, 60},     // too long
		{0, -120, -120},      // early
		{250, 45, 45 - 1065}, // left at once, half a link ahead
	} {
		if got := inst.Deviation(place+c.beyond, arrives+c.after); got < c.want-3 || got > c.want+3 {
			t.Errorf("%v m beyond, %v s after the arrival: %v s, want %v", c.beyond, c.after, got, c.want)
		}
	}
}

// blocks returns a feed in which each trip is a block of its own, and a function that puts a trip into a block with its
// departure moved.
func blocks() (*gtfs.Feed, func(trip int, block string, start gtfs.Time)) {
	f := geotest.Line(5, time.Hour) // 6 minutes from end to end
	for _, t := range f.Trips {
		t.Block = ""
	}
	return f, func(trip int, block string, start gtfs.Time) {
		x := f.Trips[trip]
		x.Block = block
		off := start - x.StopTimes[0].Departure
		for i := range x.StopTimes {
			x.StopTimes[i].Arrival += off
			x.StopTimes[i].Departure += off
		}
	}
}

// following returns the ids of the trips that follow a trip in its block on a day.
func following(t *testing.T, n *network.Network, trip *gtfs.Trip, day gtfs.Date) (ids []string) {
	t.Helper()
	all := n.Day(day).TripInstancesOf(trip)
	if len(all) == 0 {
		t.Fatalf("%s does not run on %s", trip.ID, day)
	}
	for inst := all[0]; inst.Next != nil; inst = inst.Next {
		if inst.Next.Previous != inst {
			t.Errorf("%s does not come back to %s", inst.Next.Trip.ID, inst.Trip.ID)
		}
		ids = append(ids, inst.Next.Trip.ID)
	}
	return ids
}

func TestBlockIsOneVehicleOnOneDay(t *testing.T) {
	hm := func(h, m int) gtfs.Time { return gtfs.Time(h*3600 + m*60) }
	f, put := blocks()
	put(0, "of two services", hm(8, 0))
	put(2, "of two services", hm(8, 30))
	put(4, "of two services", hm(9, 0))
	f.Trips[2].Service = &gtfs.Service{ID: "other", Added: []gtfs.Date{geotest.Day}}
	f.Services = append(f.Services, f.Trips[2].Service)
	put(6, "over midnight", hm(23, 50))
	put(8, "over midnight", hm(24, 5))
	put(10, "overlapping", hm(10, 0))
	put(12, "overlapping", hm(10, 3))
	put(14, "overlapping", hm(10, 30))
	put(16, "overlapping", hm(11, 0))
	put(18, "in whole minutes", hm(12, 0))
	put(20, "in whole minutes", hm(12, 5)+30)
	n := network.New(f)
	for _, c := range []struct {
		trip int
		day  gtfs.Date
		want []int
	}{
		{0, geotest.Day, []int{2, 4}},
		{0, geotest.Day.Add(1), []int{4}}, // the block of another day
		{6, geotest.Day, []int{8}},
		{8, geotest.Day, nil}, // the next day's trips are another vehicle's
		{10, geotest.Day, nil},
		{12, geotest.Day, nil}, // of two vehicles, which one is the next trip's?
		{14, geotest.Day, []int{16}},
		{18, geotest.Day, []int{20}},
	} {
		got := following(t, n, f.Trips[c.trip], c.day)
		if len(got) != len(c.want) {
			t.Errorf("%s on %s: %v", f.Trips[c.trip].Block, c.day, got)
			continue
		}
		for i, want := range c.want {
			if got[i] != f.Trips[want].ID {
				t.Errorf("%s on %s: %v", f.Trips[c.trip].Block, c.day, got)
			}
		}
	}
}

func TestDaysBetweenReachIntoTheNextDay(t *testing.T) {
	n := network.New(geotest.Line(5, time.Hour))
	evening := time.Date(2026, 3, 2, 23, 30, 0, 0, geotest.TimeZone)
	for ahead, want := range map[time.Duration]int{
		10 * time.Minute: 2, time.Hour: 3, 24 * time.Hour: 3, 2400 * time.Hour: 6,
	} {
		if got := n.DaysBetween(evening, evening.Add(ahead)); len(got) != want || got[0].Date != geotest.Day.Add(-1) {
			t.Errorf("%v ahead: %d days", ahead, len(got))
		}
	}
}
