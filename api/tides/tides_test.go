package tides_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/citytest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/api/tides"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/internal/influx"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// storedHistory is a history in memory.
type storedHistory struct {
	arrivals  []nhip.Arrival
	positions []nhip.Position
	failAfter int // arrivals; 0: never
	counted   int
}

func (h *storedHistory) DayArrivals(_ context.Context, q influx.TravelQuery, yield func(nhip.Arrival) error) error {
	for i, a := range h.arrivals {
		if h.failAfter > 0 && i >= h.failAfter {
			return errors.New("the connection broke")
		}
		if a.Time.After(q.From) && !a.Time.After(q.To) && (q.Agencies == nil || q.Agencies[0] == a.Agency) {
			if err := yield(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *storedHistory) DayPositions(_ context.Context, q influx.TravelQuery, yield func(nhip.Position) error) error {
	for _, p := range h.positions {
		if p.Time.After(q.From) && !p.Time.After(q.To) && (q.Agencies == nil || q.Agencies[0] == p.Agency) {
			if err := yield(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *storedHistory) CountTravels(context.Context, string, influx.TravelQuery) (int, error) {
	h.counted++
	return len(h.arrivals) + len(h.positions), nil
}

func (h *storedHistory) StationSpans(context.Context, func(nhip.StationSpan) error) error { return nil }

func (h *storedHistory) Stations(context.Context) ([]string, error) { return nil, nil }

func (h *storedHistory) AgencySpans(_ context.Context, measurement string, yield func(nhip.AgencySpan) error) error {
	times := make(map[string]nhip.AgencySpan)
	add := func(agency string, at time.Time) {
		span, ok := times[agency]
		if !ok {
			span = nhip.AgencySpan{Agency: agency, First: at}
		}
		span.Last = at
		times[agency] = span
	}
	if measurement == influx.ArrivalMeasurement {
		for _, a := range h.arrivals {
			add(a.Agency, a.Time)
		}
	} else {
		for _, p := range h.positions {
			add(p.Agency, p.Time)
		}
	}
	for _, span := range times {
		if err := yield(span); err != nil {
			return err
		}
	}
	return nil
}

func newHandler(t *testing.T, c *citytest.City, h *storedHistory) http.Handler {
	t.Helper()
	x := &tides.Handler{
		History: h, Live: c.Live, Transit: c.Transit, Clock: c.Clock, Slots: rest.NewQuerySlots(),
		Exports: rest.NewExportSlots(), Stations: catalog.New(c.Live, h, slog.New(slog.DiscardHandler)),
		License:   rest.License{Name: "CC-BY-4.0", URL: "https://example.org/license", Source: "Hà Nội"},
		Responder: c.Responder,
	}
	r := chi.NewRouter()
	x.Routes(r)
	return r
}

// At returns a time of the service date geotest.Day.
func at(hour, minute int) time.Time {
	return geotest.Day.At(gtfs.Time(hour*3600+minute*60), geotest.TimeZone).UTC()
}

// oneDay is a service date with all kinds of trips. The line has stops S0 to S20.
func oneDay(c *citytest.City) *storedHistory {
	out, back := c.Network.Patterns[0], c.Network.Patterns[1]
	if out.Direction.Or(-1) != 0 {
		out, back = back, out
	}
	h := new(storedHistory)
	drive := func(agency, vehicle, trip, day, start, pattern string, from time.Time, stops ...int) {
		for i, stop := range stops {
			a := nhip.Arrival{
				Agency: agency, Vehicle: vehicle, Route: "R1", Trip: trip, StartDate: day, StartTime: start, Pattern: pattern,
				Stop: fmt.Sprint("S", stop), Index: stop, Time: from.Add(time.Duration(i) * 90 * time.Second),
			}
			if trip != "" {
				a.Delay = nhip.Some(30)
			}
			if stop > 0 {
				a.Departed = a.Time.Add(20 * time.Second)
			}
			h.arrivals = append(h.arrivals, a)
		}
	}
	before, day, after := "20260301", "20260302", "20260303"
	drive("hn", "b1", "T60-0", before, "21:00:00", out.ID, at(-1, -10), 3, 4, 5, 6, 7, 8, 9) // until 22:59
	drive("hn", "b1", "T0-0", day, "06:00:00", out.ID, at(6, 0), 0, 1, 2, 2, 1, 3)           // S2 twice, S1 again
	drive("hn", "b1", "", "", "", back.ID, at(7, 0), 4, 5, 6)
	drive("hn", "b1", "", "", "", back.ID, at(9, 0), 7, 8) // hours later: another one
	drive("hn", "b2", "T0-0", day, "06:00:00", out.ID, at(10, 0), 19, 20)
	drive("other", "b2", "gone", day, "23:30:00", "no pattern", at(24, 10), 0, 1)
	drive("hn", "b3", "T1-0", after, "06:15:00", out.ID, at(23, 58), 0, 1)
	drive("hn", "b1", "", "", "", out.ID, at(30, 0), 0, 1)
	for _, p := range []nhip.Position{
		{Vehicle: "b1", Time: at(-1, -8), NextStop: "S5"},                   // on a trip of the day before
		{Vehicle: "b1", Time: at(0, 5), Stop: "S0", Estimated: true},        // on none
		{Vehicle: "b1", Time: at(6, 1), Delay: nhip.Some(-20), Trip: "any"}, // from S0 to S1
		{Vehicle: "b1", Time: at(6, 4), Speed: nhip.Some(8.25)},             // from S2 to S3
		{Vehicle: "b1", Time: at(7, 1), Bearing: nhip.Some(359.5)},          // on an unknown trip
		{Vehicle: "b3", Time: at(23, 59)},                                   // on a trip of the day after
		{Vehicle: "b2", Agency: "other", Time: at(24, 11)},                  // past midnight
		{Vehicle: "b1", Time: at(24, 30)},                                   // of the calendar's next day
	} {
		if p.Agency == "" {
			p.Agency = "hn"
		}
		p.Event, p.Point = nhip.EventPosition, nhip.Some(orb.Point{105.85, 21.02})
		h.positions = append(h.positions, p)
	}
	return h
}

var allTables = []string{"vehicle_locations", "stop_visits", "trips_performed"}

// getTables returns the tables of a date, and holds that Parquet has the same rows.
func getTables(t *testing.T, h http.Handler, date, parameters string) map[string]table {
	t.Helper()
	all := make(map[string]table)
	for _, name := range allTables {
		path := "/v1/tides/" + date + "/" + name
		w, pq := resttest.Get(h, path+".csv"+parameters), resttest.Get(h, path+".parquet"+parameters)
		if w.Code != http.StatusOK || pq.Code != http.StatusOK {
			t.Fatalf("%s: %d %s, %d", path, w.Code, w.Body, pq.Code)
		}
		text := w.Body.String()
		all[name] = readTable(t, text)
		_, rows, _ := strings.Cut(text, "\n")
		if got, err := tides.CSVOfParquet(name, pq.Body.Bytes()); err != nil || got != rows {
			t.Errorf("%s: Parquet has other rows: %v\n%s", name, err, cmp.Diff(rows, got))
		}
	}
	return all
}

func TestTablesOfAServiceDate(t *testing.T) {
	c, _ := citytest.NewLine(t)
	c.Clock.Set(at(40, 0))
	h := oneDay(c)
	all := getTables(t, newHandler(t, c, h), "2026-03-02", "")
	checkSchemas(t, all)
	brief := func(name string, columns ...string) (out []string) {
		x := all[name]
		for i := range x.rows {
			var cells []string
			for _, column := range columns {
				cells = append(cells, x.cell(i, column))
			}
			out = append(out, strings.Join(cells, " "))
		}
		return out
	}
	for _, w := range []struct {
		got, want []string
	}{
		{brief("trips_performed", "trip_id_performed", "trip_id_scheduled", "vehicle_id", "route_type", "direction_id",
			"trip_start_stop_id", "trip_end_stop_id", "schedule_trip_start", "actual_trip_start", "actual_trip_end",
			"schedule_relationship"), []string{
			"hn_b1_20260301T230000.000 T0-0 hn_b1 Bus 0 S0 S20 2026-03-01T23:00:00Z 2026-03-01T23:00:00Z  Scheduled",
			"hn_b1_20260302T000000.000  hn_b1 Bus 1 S20 S0    Unscheduled",
			"hn_b1_20260302T020000.000  hn_b1 Bus 1 S20 S0    Unscheduled",
			"hn_b2_20260302T030000.000 T0-0 hn_b2 Bus 0 S0 S20 2026-03-01T23:00:00Z  2026-03-02T03:01:30Z Scheduled",
			"other_b2_20260302T171000.000 gone other_b2   S0  2026-03-02T17:09:30Z 2026-03-02T17:10:00Z  Scheduled",
		}},
		{brief("stop_visits", "trip_id_performed", "trip_stop_sequence", "stop_id", "actual_arrival_time",
			"actual_departure_time", "dwell", "schedule_arrival_time")[:6], []string{
			"hn_b1_20260301T230000.000 1 S0  2026-03-01T23:00:00Z  2026-03-01T23:00:00Z",
			"hn_b1_20260301T230000.000 2 S1 2026-03-01T23:01:30Z 2026-03-01T23:01:50Z 20 2026-03-01T23:01:30Z",
			"hn_b1_20260301T230000.000 3 S2 2026-03-01T23:03:00Z 2026-03-01T23:03:20Z 20 2026-03-01T23:03:00Z",
			"hn_b1_20260301T230000.000 4 S3 2026-03-01T23:07:30Z 2026-03-01T23:07:50Z 20 2026-03-01T23:04:30Z",
			"hn_b1_20260302T000000.000 1 S4 2026-03-02T00:00:00Z 2026-03-02T00:00:20Z 20 ",
			"hn_b1_20260302T000000.000 2 S5 2026-03-02T00:01:30Z 2026-03-02T00:01:50Z 20 ",
		}},
		{brief("vehicle_locations", "event_timestamp", "trip_id_performed", "trip_stop_sequence", "stop_id",
			"current_status", "gps_quality", "speed", "heading", "schedule_deviation", "trip_type"), []string{
			"2026-03-01T17:05:00Z   S0 Stopped at Poor    ",
			"2026-03-01T23:01:00Z hn_b1_20260301T230000.000 2 S1 In transit to    -20 In service",
			"2026-03-01T23:04:00Z hn_b1_20260301T230000.000 4 S3 In transit to  8.25   In service",
			"2026-03-02T00:01:00Z hn_b1_20260302T000000.000 2 S15 In transit to   359.5  In service",
			"2026-03-02T17:11:00Z other_b2_20260302T171000.000 2       In service",
		}},
	} {
		if diff := cmp.Diff(w.want, w.got); diff != "" {
			t.Error(diff)
		}
	}
	if all = getTables(t, newHandler(t, c, h), "2026-03-02", "?agency=other"); len(all["trips_performed"].rows) != 1 {
		t.Error("the tables of an agency have trips of others")
	}
}

// TestTablesAreThereInTheNextMorning asks for dates that are over and others, and with wrong parameters.
func TestTablesAreThereInTheNextMorning(t *testing.T) {
	c, _ := citytest.NewLine(t)
	h := newHandler(t, c, oneDay(c))
	const path = "/v1/tides/2026-03-02/"
	for _, x := range []struct {
		now  time.Time
		path string
		want int
		text string
	}{
		{at(30, 0).Add(-time.Second), path + "stop_visits.csv", 400, `"field":"date"`},
		{at(30, 0).Add(-time.Second), path + "datapackage.json", 400, `"field":"date"`},
		{at(30, 0), path + "stop_visits.csv", 200, "Scheduled"},
		{at(30, 0), "/v1/tides/2026-03-03/stop_visits.csv", 400, `"field":"date"`},
		{at(30, 0), "/v1/tides/today/stop_visits.csv", 400, `"field":"date"`},
		{at(30, 0), "/v1/tides/2026-02-30/trips_performed.csv", 400, `"field":"date"`},
		{at(30, 0), "/v1/tides/0001-01-01/trips_performed.csv", 400, `"field":"date"`},
		{at(30, 0), path + "fare_transactions.csv", 400, `"field":"table"`},
		{at(30, 0), path + "stop_visits.xlsx", 400, `"field":"format"`},
		{at(30, 0), path + "stop_visits.csv?x=1", 400, `"field":"x"`},
		{at(30, 0), path + "stop_visits.csv?agency=", 400, `"field":"agency"`},
		{at(30, 0), "/v1/tides?limit=367", 400, `"field":"limit"`},
		{at(30, 0), "/v1/tides?before=x", 400, `"field":"before"`},
		{at(30, 0), "/v1/tides", 200, `"date":"2026-03-02"`},
	} {
		c.Clock.Set(x.now)
		w := resttest.Get(h, x.path)
		if w.Code != x.want || !strings.Contains(w.Body.String(), x.text) {
			t.Errorf("%s at %s: %d %s, want %d %s", x.path, x.now, w.Code, w.Body, x.want, x.text)
		}
	}
}

// TestDatesAreListedInPages has two dates, the newer of which is not over at first.
func TestDatesAreListedInPages(t *testing.T) {
	c, _ := citytest.NewLine(t)
	h := newHandler(t, c, oneDay(c))
	for _, x := range []struct {
		now  time.Time
		path string
		want string
	}{
		{at(29, 0), "/v1/tides", "2026-03-01 "},
		{at(54, 0), "/v1/tides", "2026-03-03 2026-03-02 2026-03-01 "},
		{at(540, 0), "/v1/tides?limit=2", "2026-03-03 2026-03-02 next 2026-03-02"},
		{at(540, 0), "/v1/tides?limit=2&before=2026-03-02", "2026-03-01 "},
	} {
		c.Clock.Set(x.now)
		page := resttest.Decode[struct {
			Dates []struct{ Date string }
			Next  string
		}](t, h, x.path)
		got := ""
		for _, d := range page.Dates {
			got += d.Date + " "
		}
		if page.Next != "" {
			got += "next " + page.Next
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", x.path, got, x.want)
		}
	}
}

func TestPackageDescribesItsTables(t *testing.T) {
	c, _ := citytest.NewLine(t)
	c.Clock.Set(at(40, 0))
	h := newHandler(t, c, oneDay(c))
	type descriptor struct {
		Profile, Name, Title, Agency string
		Licenses                     []struct{ Name, Path string }
		Resources                    []struct{ Name, Path, Schema, Profile string }
	}
	d := resttest.Decode[descriptor](t, h, "/v1/tides/2026-03-02/datapackage.json")
	if d.Name != "tides-2026-03-02" || d.Agency != "Test" || len(d.Licenses) != 1 || d.Licenses[0].Name != "CC-BY-4.0" ||
		len(d.Resources) != len(allTables) {
		t.Errorf("%+v", d)
	}
	d = resttest.Decode[descriptor](t, h, "/v1/tides/2026-03-02/datapackage.json?agency=a%26b")
	for _, r := range d.Resources {
		if w := resttest.Get(h, "/v1/tides/2026-03-02/"+r.Path); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", r.Path, w.Code, w.Body)
		}
	}
	if d.Name != "tides-2026-03-02-a-b" {
		t.Errorf("name %q", d.Name)
	}
}

// TestUnchangedTableIsNotSentAgain asks with the ETag of an answer, before and after a late position.
func TestUnchangedTableIsNotSentAgain(t *testing.T) {
	c, _ := citytest.NewLine(t)
	c.Clock.Set(at(40, 0))
	stored := oneDay(c)
	h := newHandler(t, c, stored)
	ask := func(etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/tides/2026-03-02/vehicle_locations.csv", nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	etag := ask("").Header().Get("ETag")
	if w := ask(etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 || etag == "" {
		t.Errorf("%q: %d, want 304", etag, w.Code)
	}
	stored.positions = append(stored.positions, stored.positions[0])
	if w := ask(etag); w.Code != http.StatusOK || w.Header().Get("ETag") == etag {
		t.Errorf("after a change: %d, %q", w.Code, w.Header().Get("ETag"))
	}
}

// TestBrokenHistoryIsAProblem breaks off before anything is sent.
func TestBrokenHistoryIsAProblem(t *testing.T) {
	c, _ := citytest.NewLine(t)
	c.Clock.Set(at(40, 0))
	stored := oneDay(c)
	stored.failAfter = 3
	for _, name := range allTables {
		w := resttest.Get(newHandler(t, c, stored), "/v1/tides/2026-03-02/"+name+".csv")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("ETag") != "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("ETag"))
		}
	}
}

// TestTripIsOneAlsoIfItIsKnownLater has a bus whose trip is inferred in the middle, and one that reports another trip
// there.
func TestTripIsOneAlsoIfItIsKnownLater(t *testing.T) {
	c, _ := citytest.NewLine(t)
	c.Clock.Set(at(40, 0))
	h := oneDay(c)
	pattern := h.arrivals[0].Pattern
	h.arrivals = nil
	for _, bus := range []string{"inferred", "reported"} {
		for i := range 6 {
			a := nhip.Arrival{
				Agency: "hn", Vehicle: bus, Route: "R1", Pattern: pattern, Stop: fmt.Sprint("S", i), Index: i,
				Time: at(8, i), StartDate: "20260302", Trip: "T1-0", StartTime: "06:15:00", Inferred: bus == "inferred",
			}
			switch {
			case i < 2 && a.Inferred:
				a.Trip, a.StartDate, a.StartTime = "", "", ""
			case i >= 4:
				a.Trip, a.StartTime = "T2-0", "06:30:00"
			}
			h.arrivals = append(h.arrivals, a)
		}
	}
	all := getTables(t, newHandler(t, c, h), "2026-03-02", "")
	checkSchemas(t, all)
	trips, got := all["trips_performed"], ""
	for i := range trips.rows {
		got += trips.cell(i, "vehicle_id") + " " + trips.cell(i, "trip_id_scheduled") + ", "
	}
	if want := "hn_inferred T2-0, hn_reported T1-0, hn_reported T2-0, "; got != want {
		t.Errorf("trips %s, want %s", got, want)
	}
	if n := len(all["stop_visits"].rows); n != 12 {
		t.Errorf("%d visits, want 12", n)
	}
}
