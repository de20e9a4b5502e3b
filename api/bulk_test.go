package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/internal/influx"

	"github.com/parquet-go/parquet-go"
)

// bulkHistory has readings of the stations s1 to s3, arrivals and positions.
type bulkHistory struct {
	recordHistory
	asked influx.TravelQuery
}

func (h *bulkHistory) Stations(context.Context) ([]string, error) {
	return []string{"s1", "s2", "s3"}, nil
}

func (h *bulkHistory) StationSpans(_ context.Context, yield func(nhip.StationSpan) error) error {
	return yield(nhip.StationSpan{Station: "s1", First: noon.Add(-time.Hour), Last: noon})
}

func (h *bulkHistory) AgencySpans(_ context.Context, _ string, yield func(nhip.AgencySpan) error) error {
	err := yield(nhip.AgencySpan{Agency: "hanoi", First: noon.Add(-time.Hour), Last: noon})
	return errors.Join(err, yield(nhip.AgencySpan{Agency: "metro", First: noon.AddDate(-2, 0, 0), Last: noon}))
}

func (h *bulkHistory) DayArrivals(_ context.Context, q influx.TravelQuery, yield func(nhip.Arrival) error) error {
	h.asked = q
	for i := range 5 {
		a := nhip.Arrival{
			Agency: "hanoi", Vehicle: "29B-1", Route: "32", Stop: fmt.Sprint("stop;", i), Index: i,
			Time:  noon.Add(time.Duration(i) * time.Minute),
			Delay: nhip.Some(-5),
		}
		if !a.Time.After(q.From) {
			continue
		}
		if err := yield(a); err != nil {
			return err
		}
	}
	return nil
}

func (h *bulkHistory) DayPositions(_ context.Context, q influx.TravelQuery, yield func(nhip.Position) error) error {
	h.asked = q
	return yield(nhip.Position{Agency: "hanoi", Vehicle: "29B-1", Time: noon, Speed: nhip.Some(8.5)})
}

func (h *bulkHistory) CountTravels(context.Context, string, influx.TravelQuery) (int, error) {
	return 5, nil
}

func newBulkAPI(t *testing.T) (*API, *bulkHistory) {
	t.Helper()
	h := new(bulkHistory)
	for _, station := range []string{"s1", "s2", "s3"} {
		for i, quantity := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.PM25, nhip.PM10} {
			h.readings = append(h.readings, nhip.AssessedReading{
				Reading: nhip.Reading{
					Station: station, Quantity: quantity, Time: noon.Add(time.Duration(i/2-2) * time.Hour), Period: time.Hour,
					Value: float64(10 + i), Flag: nhip.FlagGood,
				},
				Assessment: nhip.Assessment{Flag: nhip.FlagGood, Corrected: nhip.Some(float64(20 + i)), Rule: "x"},
			})
		}
	}
	h.reviews = []nhip.Review{{
		Quantity: nhip.PM25, From: noon.Add(-3 * time.Hour), To: noon.Add(-2 * time.Hour), Action: nhip.ActionExclude,
	}}
	a := newAPI(t, func(o *Options) {
		o.History, o.Token = h, "s3cret"
		o.License = rest.License{Name: "CC-BY-4.0", URL: "https://example.org/by", Source: "Sở"}
	})
	return a, h
}

// bulkRow is a row of JSON.
type bulkRow struct {
	Station, Quantity, Level string
	Time                     time.Time
	Value                    any
}

func (r bulkRow) String() string {
	return fmt.Sprint(r.Station, " ", r.Time.Format("15h"), " ", r.Quantity, " ", r.Level, " ", r.Value)
}

func readAll(t *testing.T, a *API, query string) (rows []string, next string) {
	t.Helper()
	w := get(t, a, "/v1/readings?"+query, "Authorization", "Bearer s3cret")
	var body struct {
		Readings []bulkRow
		Next     string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, r := range body.Readings {
		rows = append(rows, r.String())
	}
	return rows, body.Next
}

// TestReadingsOfSeveralStations asks for levels side by side, and for quantities.
func TestReadingsOfSeveralStations(t *testing.T) {
	a, _ := newBulkAPI(t)
	rows, _ := readAll(t, a, "stations=s3,s1&quantities=pm25&levels=raw,automatic,reviewed")
	want := "s1 10h pm25 automatic 20,s1 10h pm25 raw 10,s1 10h pm25 reviewed <nil>,s1 11h pm25 automatic 22," +
		"s1 11h pm25 raw 12," +
		"s3 10h pm25 automatic 20,s3 10h pm25 raw 10,s3 10h pm25 reviewed <nil>,s3 11h pm25 automatic 22,s3 11h pm25 raw 12"
	if got := strings.Join(rows, ","); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if rows, _ := readAll(t, a, ""); len(rows) != 12 {
		t.Errorf("all stations: %v", rows)
	}
	if rows, _ := readAll(t, a, "quantities=pm25,pm10,no2&stations=s2"); len(rows) != 4 {
		t.Errorf("quantities: %v", rows)
	}
}

// TestPagesOfSeveralStations reads all by small pages.
func TestPagesOfSeveralStations(t *testing.T) {
	a, _ := newBulkAPI(t)
	all, _ := readAll(t, a, "levels=automatic,raw")
	var paged []string
	cursor := ""
	for pages := 0; pages < 50; pages++ {
		rows, next := readAll(t, a, "levels=automatic,raw&limit=3"+cursor)
		if paged = append(paged, rows...); next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(next)
	}
	if len(all) != 24 || strings.Join(paged, ",") != strings.Join(all, ",") {
		t.Errorf("%d rows of %d:\n%v\n%v", len(paged), len(all), paged, all)
	}
}

// TestBulkFilesHaveTheLicense reads each format.
func TestBulkFilesHaveTheLicense(t *testing.T) {
	a, _ := newBulkAPI(t)
	for _, path := range []string{"/v1/readings?", "/v1/arrivals/2026-02-16?", "/v1/positions/2026-02-16?"} {
		w := get(t, a, path+"format=csv")
		if got := w.Header().Get("Link"); got != `<https://example.org/by>; rel="license"` {
			t.Errorf("%s: link %q", path, got)
		}
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		columns, rows := readCSV(t, w.Body.Bytes())
		if rows[0]["license"] != "CC-BY-4.0" || rows[0]["source"] != "Sở" || columns[len(columns)-1] != "source" {
			t.Errorf("%s: %v %v", path, columns, rows[0])
		}
		w = get(t, a, path+"format=parquet")
		f, err := parquet.OpenFile(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got, _ := f.Lookup("license"); got != "CC-BY-4.0" || f.NumRows() != int64(len(rows)) {
			t.Errorf("%s: license %q, %d rows, %d in CSV", path, got, f.NumRows(), len(rows))
		}
		if w := get(t, a, path+"format=json"); !strings.Contains(w.Body.String(), `"license":"CC-BY-4.0"`) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

// TestArrivalsOfADay reads a day in pages and as Parquet.
func TestArrivalsOfADay(t *testing.T) {
	a, h := newBulkAPI(t)
	w := get(t, a, "/v1/arrivals/2026-02-16?agency=hanoi&limit=2&format=csv")
	_, rows := readCSV(t, w.Body.Bytes())
	if len(rows) != 2 || rows[0]["stop"] != "stop;0" || rows[0]["delay"] != "-5" ||
		rows[0]["time"] != "2026-02-16T12:00:00.000Z" {
		t.Errorf("%v", rows)
	}
	next := w.Result().Trailer.Get("Nhip-Next")
	w = get(t, a, "/v1/arrivals/2026-02-16?format=parquet&cursor="+url.QueryEscape(next))
	read := parquet.NewGenericReader[struct {
		Stop string `parquet:"stop,dict"`
	}](bytes.NewReader(w.Body.Bytes()))
	got := make([]struct {
		Stop string `parquet:"stop,dict"`
	}, 9)
	if n, err := read.Read(got); n != 3 || err != nil && err != io.EOF || got[0].Stop != "stop;2" {
		t.Errorf("%d %v: %v", n, got, err)
	}
	if w = get(t, a, "/v1/arrivals/2026-02-16?agency=hanoi"); w.Code != http.StatusOK || len(h.asked.Agencies) != 1 {
		t.Errorf("%d, %+v", w.Code, h.asked)
	}
	begin := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC) // the zone of these tests
	if !h.asked.From.Equal(begin.Add(-time.Millisecond)) ||
		!h.asked.To.Equal(begin.AddDate(0, 0, 1).Add(-time.Millisecond)) {
		t.Errorf("%+v", h.asked)
	}
}

// TestInvalidBulkQueries answers all with a problem that names the field.
func TestInvalidBulkQueries(t *testing.T) {
	a, _ := newBulkAPI(t)
	for path, want := range map[string]string{
		"/v1/readings?stations=,": "400 stations", "/v1/readings?stations=s1,none": "404 stations",
		"/v1/readings?quantities=pm25,x": "400 quantities", "/v1/readings?levels=best": "400 levels",
		"/v1/readings?levels=raw": "401 level", "/v1/readings?levels=automatic,raw": "401 level",
		"/v1/readings?cursor=2026-02-16T12:00:00Z": "400 cursor", "/v1/readings?cursor=x/s1": "400 cursor",
		"/v1/readings?limit=0": "400 limit", "/v1/readings?station=s1": "400 station",
		"/v1/readings?from=2024-01-01&period=raw":        "400 from",
		"/v1/readings?period=hour&stations=" + many(501): "400 stations",
		"/v1/arrivals/today":                             "400 date",
		"/v1/arrivals/2026-02-30":                        "400 date", "/v1/positions/2026-02-18": "400 date",
		"/v1/positions/2026-02-16?cursor=2026-02-18T00:00:00Z": "400 cursor", "/v1/positions/2026-02-16?x=1": "400 x",
		"/v1/positions/2026-02-16?agency=": "400 agency", "/v1/datasets?x=1": "400 x",
	} {
		w := get(t, a, path)
		var body struct{ Field string }
		_ = json.Unmarshal(w.Body.Bytes(), &body)
		if got := fmt.Sprint(w.Code, " ", body.Field); got != want {
			t.Errorf("%.60s: %s %s, want %s", path, got, w.Body, want)
		}
	}
}

func many(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint("x", i)
	}
	return strings.Join(all, ",")
}

// TestDatasetsTellSpansAndLinks follows the links.
func TestDatasetsTellSpansAndLinks(t *testing.T) {
	a, _ := newBulkAPI(t)
	w := get(t, a, "/v1/datasets")
	var body struct {
		Datasets []struct {
			ID, License, Source string
			Temporal            *struct{ Start, End time.Time }
			Distributions       []struct{ URL string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Datasets) != 5 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, d := range body.Datasets {
		if d.License != "CC-BY-4.0" || d.Source != "Sở" || d.Temporal == nil || !d.Temporal.End.Equal(noon) {
			t.Errorf("%+v", d)
		}
		for _, f := range d.Distributions {
			path := strings.TrimPrefix(f.URL, "http://example.com")
			path = strings.NewReplacer("{date}", "2026-02-15", "{table}", "stop_visits").Replace(path)
			path, _, _ = strings.Cut(path, "{")
			if w := get(t, a, path); w.Code != http.StatusOK {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
}

// TestScopeOfBulkQueries asks as callers who see some stations and agencies.
func TestScopeOfBulkQueries(t *testing.T) {
	a, h := newBulkAPI(t)
	ask := func(path string) *httptest.ResponseRecorder {
		view := scope.New(nhip.Scope{Stations: []string{"s2"}, Agencies: []string{"hanoi"}}, nil)
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r = access.WithCaller(r, access.Caller{Name: "An", Role: nhip.RoleViewer, View: view}, access.Allowed)
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, r)
		return w
	}
	if w := ask("/v1/readings?levels=raw"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"s1"`) ||
		!strings.Contains(w.Body.String(), `"s2"`) {
		t.Errorf("all that the caller sees: %d %s", w.Code, w.Body)
	}
	if ask("/v1/arrivals/2026-02-16"); fmt.Sprint(h.asked.Agencies) != "[hanoi]" {
		t.Errorf("asked for agencies %v", h.asked.Agencies)
	}
	for _, path := range []string{
		"/v1/readings?stations=s2,s1", "/v1/arrivals/2026-02-16?agency=other", "/v1/positions/2026-02-16?agency=other",
	} {
		if w := ask(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask("/v1/datasets"); strings.Count(w.Body.String(), `"temporal"`) != 3 ||
		strings.Contains(w.Body.String(), fmt.Sprint(noon.Year()-2)) {
		t.Errorf("spans of what the caller does not see: %s", w.Body)
	}
}
