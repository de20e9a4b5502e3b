package v1

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/resttest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// timesOf returns the departures of a line as text.
func timesOf(l *transit.LineTimetable) string {
	var out []string
	for _, d := range l.Departures {
		out = append(out, strings.Trim(d.Time+" "+d.Headsign, " "))
	}
	return strings.Join(out, ", ")
}

func TestStopTimetableIsThatOfTheDay(t *testing.T) {
	f := geotest.Line(21, 8*time.Hour) // 06:00 and 14:00, and back
	late := *f.Trips[0]
	late.ID, late.StopTimes, late.Headsign = "late", nil, "Depot"
	for _, c := range f.Trips[0].StopTimes {
		c.Arrival, c.Departure, c.Estimated = c.Arrival+18*3600, c.Departure+18*3600, true
		late.StopTimes = append(late.StopTimes, c)
	}
	sunday := &gtfs.Service{ID: "sunday", Added: []gtfs.Date{20260308}}
	f.Trips[2].Service = &gtfs.Service{
		ID: "weekdays", Start: 20260101, End: 20261231, Removed: []gtfs.Date{20260302},
		Weekdays: [7]bool{false, true, true, true, true, true, false},
	}
	extra := *f.Trips[0]
	extra.ID, extra.Service = "extra", sunday
	f.Services, f.Trips = append(f.Services, sunday, f.Trips[2].Service), append(f.Trips, &late, &extra)
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), network.New(f) })
	for query, want := range map[string]string{
		"":                             "06:03, 24:03 Depot", // Monday 2 March, without the trip of 14:00
		"?date=2026-03-03":             "06:03, 14:03, 24:03 Depot",
		"?date=2026-03-08&route=R1":    "06:03, 06:03, 24:03 Depot",
		"?date=2027-03-08":             "none",
		"?date=2026-03-03&direction=1": "07:02, 15:02",
	} {
		got := resttest.Decode[transit.StopTimetable](t, a, "/v1/stops/S2/timetable"+query)
		text := "none"
		if len(got.Lines) > 0 {
			text = timesOf(&got.Lines[0])
		}
		if text != want || got.Zone != "Asia/Ho_Chi_Minh" || got.Last != "2026-12-31" || got.First != "2026-01-01" {
			t.Errorf("%s: %s, want %s: %+v", query, text, want, got)
		}
	}
	got := resttest.Decode[transit.StopTimetable](t, a, "/v1/stops/S20/timetable")
	if len(got.Lines) != 1 || got.Lines[0].Direction != nhip.Some(1) {
		t.Errorf("nobody departs from the last stop: %+v", got.Lines)
	}
	got = resttest.Decode[transit.StopTimetable](t, a, "/v1/stops/S2/timetable")
	if d := got.Lines[0].Departures; !d[1].Estimated || d[0].Estimated || got.Lines[0].Headsign != "Long Biên" {
		t.Errorf("%+v", got.Lines[0])
	}
}

func TestStopTimetableTellsHeadways(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	f.Trips = f.Trips[:1]
	f.Trips[0].Frequencies = []gtfs.Frequency{
		{Start: 6 * 3600, End: 22 * 3600, Headway: 600},
		{Start: 22 * 3600, End: 23 * 3600, Headway: 1800, Exact: true},
		{Start: 23 * 3600, End: 25 * 3600, Headway: 1, Exact: true},
	}
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), network.New(f) })
	got := resttest.Decode[transit.StopTimetable](t, a, "/v1/stops/S2/timetable").Lines[0]
	want := []transit.TimetableHeadway{
		{From: "06:03", Until: "22:03", Headway: 600}, {From: "23:03", Until: "25:03", Headway: 1},
	}
	if timesOf(&got) != "22:03, 22:33" || !slices.Equal(got.Headways, want) {
		t.Errorf("%+v", got)
	}
}

func TestStopTimetableIsSmallAndCacheable(t *testing.T) {
	n := network.New(geotest.Line(21, 5*time.Minute)) // 192 departures in each direction
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), n })
	w := resttest.Get(a, "/v1/stops/S7/timetable")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(w.Body.Bytes())
	_ = z.Close()
	if zipped.Len() > 2*3700 {
		t.Errorf("two lines have %d bytes in gzip", zipped.Len())
	}
	t.Logf("two lines with 384 departures: %d bytes, %d in gzip", w.Body.Len(), zipped.Len())
	etag := w.Header().Get("ETag")
	again := resttest.Get(a, "/v1/stops/S7/timetable?date=2026-03-02", "If-None-Match", etag)
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 ||
		!strings.Contains(w.Header().Get("Cache-Control"), "public") {
		t.Errorf("ETag %s: %d %v", etag, again.Code, again.Header())
	}
	for path, field := range map[string]string{
		"?date=2026-02-30": "date", "?date=20260302": "date", "?date=": "date", "?date=0000-01-01": "date",
		"?route=none": "route", "?direction=3": "direction", "?day=1": "day",
	} {
		w := resttest.Get(a, "/v1/stops/S7/timetable"+path)
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := resttest.Get(a, "/v1/stops/none/timetable"); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

func TestLinesAreOrderedByNumber(t *testing.T) {
	// compareNumbers is tested by the order of lines at a stop that several serve.
	f := geotest.Line(3, 4*time.Hour)
	names := []string{"BRT01", "100", "10A", "2", "10", "02"}
	for i, name := range names {
		r := &gtfs.Route{ID: "r" + name, Agency: f.Agencies[0], ShortName: name, Type: 3}
		f.Routes = append(f.Routes, r)
		trip := *f.Trips[0]
		trip.ID, trip.Route = string(rune('a'+i)), r
		f.Trips = append(f.Trips, &trip)
	}
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), network.New(f) })
	var got []string
	for _, l := range resttest.Decode[transit.StopTimetable](t, a, "/v1/stops/S0/timetable").Lines {
		got = append(got, l.Line)
	}
	if text := strings.Join(got, " "); text != "01 02 2 10 10A 100 BRT01" {
		t.Error(text)
	}
}
