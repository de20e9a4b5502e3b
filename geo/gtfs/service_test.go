package gtfs_test

import (
	"testing"
	"time"

	"nhip/geo/gtfs"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

func TestServiceActive(t *testing.T) {
	weekdays := [7]bool{false, true, true, true, true, true, false}
	s := &gtfs.Service{
		Weekdays: weekdays, Start: 20260101, End: 20260630,
		Added: []gtfs.Date{20260214, 20260705}, Removed: []gtfs.Date{20260216},
	}
	for day, want := range map[gtfs.Date]bool{
		20251231: false, // before
		20260101: true,  // the first day, a Thursday
		20260214: true,  // a Saturday that is added
		20260215: false, // a Sunday
		20260216: false, // a Monday that is removed
		20260630: true,  // the last day, a Tuesday
		20260701: false, // after
		20260705: true,  // added after the end
	} {
		if got := s.Active(day); got != want {
			t.Errorf("%s: active %v, want %v", day, got, want)
		}
	}
}

func TestTripsAndInstances(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"frequencies.txt": "trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,06:31:00,600,0\n",
	}))
	if got := f.TripsOn(20260215); got != nil {
		t.Errorf("%d trips on a Sunday, want none", len(got))
	}
	if got := f.TripsOn(20260216); len(got) != 2 {
		t.Errorf("%d trips on a Monday, want 2", len(got))
	}
	var starts []string
	instances := f.TripInstances(20260216)
	for _, r := range instances {
		starts = append(starts, r.Trip.ID+" "+r.Start.String())
	}
	want := []string{"t1 06:00:00", "t1 06:10:00", "t1 06:20:00", "t1 06:30:00", "t2 23:50:00"}
	if d := cmp.Diff(want, starts); d != "" {
		t.Errorf("instances (-want +got):\n%s", d)
	}
	if got := instances[1].Arrival(1).String(); got != "06:14:50" { // 4:50 after the departure
		t.Errorf("the 06:10 departure reaches its second stop at %s, want 06:14:50", got)
	}
	if got := instances[4].Time(instances[4].End()).UTC(); !got.Equal(time.Date(2026, 2, 16, 17, 5, 0, 0, time.UTC)) {
		t.Errorf("24:05 on the 16th in Hanoi is %s, want 17:05 UTC", got)
	}
}

func TestPeriodCountsExceptions(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"calendar_dates.txt": "service_id,date,exception_type\nwd,20260216,2\nextra,20270101,1\n",
	}))
	if first, last := f.Period(); first != 20260101 || last != 20270101 {
		t.Errorf("period %s to %s", first, last)
	}
	if first, last := new(gtfs.Feed).Period(); first != 0 || last != 0 {
		t.Errorf("period %s to %s without services", first, last)
	}
}

func TestShapesOfAndBounds(t *testing.T) {
	f := mustRead(t, small)
	if got := f.ShapesOf(f.Route("r1")); len(got) != 1 || got[0].ID != "sh" {
		t.Errorf("shapes of r1: %v", got)
	}
	if got := f.ShapesOf(&gtfs.Route{}); got != nil {
		t.Errorf("shapes of a route without trips: %v", got)
	}
	want := orb.Bound{Min: orb.Point{105.80, 21.00}, Max: orb.Point{105.80, 21.04}}
	if got := f.Bounds(); got != want {
		t.Errorf("bounds %v, want %v", got, want)
	}
	if !new(gtfs.Feed).Bounds().IsEmpty() {
		t.Error("bounds of an empty feed are not empty")
	}
}

func TestDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 40_000).Draw(t, "days"))
		d := gtfs.DateOf(day)
		back, err := gtfs.ParseDate(d.String())
		if err != nil || back != d || d.Weekday() != day.Weekday() {
			t.Fatalf("%s: parsed %s (%v), weekday %s", day, back, err, d.Weekday())
		}
		if next := d.Add(1); next != gtfs.DateOf(day.AddDate(0, 0, 1)) || next <= d {
			t.Fatalf("day after %s: %s", d, next)
		}
	})
	for _, bad := range []string{"", "2026021", "202602160", "2026-2-1", "20260229", "20261301", "+2026021"} {
		if d, err := gtfs.ParseDate(bad); err == nil {
			t.Errorf("%q parsed as %s", bad, d)
		}
	}
}

// On the day when clocks go forward, service times still count from noon minus 12 hours.
func TestDateAtOnClockChange(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	got := gtfs.Date(20260329).At(8*3600, loc)
	if want := time.Date(2026, 3, 29, 8, 0, 0, 0, loc); !got.Equal(want) {
		t.Errorf("08:00:00: %s, want %s", got, want)
	}
}

func TestParseTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := gtfs.Time(rapid.IntRange(0, 240*3600).Draw(t, "time"))
		if got, err := gtfs.ParseTime(want.String()); err != nil || got != want {
			t.Fatalf("%s parsed as %s (%v)", want, got, err)
		}
	})
	for _, bad := range []string{
		"", "7", "07:00", "07:0:00", "-1:00:00", "07:00:60", "240:00:01", "1000:00:00", "07:00:0x", "07.00.00",
	} {
		if got, err := gtfs.ParseTime(bad); err == nil {
			t.Errorf("%q parsed as %s", bad, got)
		}
	}
}

// TestExpiresWithTheLastServiceDay checks that calendars on which nothing runs do not prolong a timetable.
func TestExpiresWithTheLastServiceDay(t *testing.T) {
	const header = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
	info := "feed_publisher_name,feed_publisher_url,feed_lang,feed_end_date\nX,https://example.org,vi,20301231\n"
	for name, c := range map[string]struct {
		calendar, exceptions string
		want                 gtfs.Date
	}{
		"weekdays only":     {"wd,1,1,1,1,1,0,0,20260101,20260201\n", "wd,20260101,1\n", 20260130}, // a Friday
		"no weekdays":       {"wd,0,0,0,0,0,0,0,20260101,20301231\n", "wd,20260115,1\n", 20260115},
		"last days removed": {"wd,1,0,0,0,0,0,0,20260101,20260131\n", "wd,20260126,2\nwd,20260119,2\n", 20260112},
		"service of no trip": {
			"wd,1,1,1,1,1,1,1,20260101,20260131\nidle,1,1,1,1,1,1,1,20260101,20291231\n", "wd,20260103,2\n", 20260131,
		},
		"added after the end": {"wd,1,1,1,1,1,1,1,20260101,20260131\n", "wd,20260214,1\n", 20260214},
		"never":               {"wd,0,0,0,0,0,0,0,20260101,20260131\n", "wd,20260103,2\n", 20260131},
	} {
		f := mustRead(t, with(map[string]string{
			"calendar.txt": header + c.calendar, "feed_info.txt": info,
			"calendar_dates.txt": "service_id,date,exception_type\n" + c.exceptions,
		}))
		if got := f.Expires(); got != c.want {
			t.Errorf("%s: expires on %s, want %s", name, got, c.want)
		}
		found := 0
		for _, x := range f.Findings().List {
			if x.Code == "feed_end_after_last_service" && x.Severity == gtfs.SeverityNote {
				found++
			}
		}
		if want := map[bool]int{true: 0, false: 1}[name == "never"]; found != want {
			t.Errorf("%s: %v", name, f.Findings().List)
		}
	}
}

// TestMergedFeedsExpireWithTheFirst merges a feed whose service ends in January with one that runs all year.
func TestMergedFeedsExpireWithTheFirst(t *testing.T) {
	january := func() *gtfs.Feed {
		return mustRead(t, with(map[string]string{
			"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
				"wd,1,1,1,1,1,1,1,20260101,20260131\n",
		}))
	}
	for _, feeds := range [][]*gtfs.Feed{{january(), mustRead(t, small)}, {mustRead(t, small), january()}} {
		all, err := gtfs.Merge(feeds...)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.Expires(); got != 20260131 {
			t.Errorf("expires on %s", got)
		}
	}
}
