package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/internal/awaittest"
	"nhip/internal/health"
	"nhip/internal/influx"
	"nhip/internal/problem"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// noon is the time of the tests' state.
var noon = livetest.Noon

// absentHistory is a database that does not answer. The real one is tested with a database.
type absentHistory struct{}

func (absentHistory) Readings(context.Context, influx.ReadingQuery, func(nhip.AssessedReading) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Fleet(context.Context, time.Time, time.Time, func(nhip.Position) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Rollups(context.Context, influx.RollupQuery, func(influx.RollupRow) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) DayArrivals(context.Context, influx.TravelQuery, func(nhip.Arrival) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) CountTravels(context.Context, string, influx.TravelQuery) (int, error) {
	return 0, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) DayPositions(context.Context, influx.TravelQuery, func(nhip.Position) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Means(context.Context, influx.MeanQuery, func(influx.MeanSeries) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Days(context.Context, influx.DayQuery, func(*influx.DaySeries) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Reviews(context.Context, string, time.Time) ([]nhip.Review, error) {
	return nil, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) ReadingVersions(
	context.Context, string, nhip.Quantity, time.Time,
) ([]influx.ReadingVersion, error) {
	return nil, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) RowCounts(context.Context, influx.RowCountQuery) (*influx.RowCounts, error) {
	return nil, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Stations(context.Context) ([]string, error) {
	return nil, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) SeriesSpans(context.Context, func(influx.SeriesSpan) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) SeriesReadings(context.Context, influx.SeriesQuery, func(nhip.AssessedReading) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) CountReadings(context.Context, influx.SeriesQuery) (int, error) {
	return 0, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) AgencySpans(context.Context, string, func(nhip.AgencySpan) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) StationSpans(context.Context, func(nhip.StationSpan) error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Audit(context.Context, influx.AuditQuery) ([]nhip.AuditEntry, time.Time, error) {
	return nil, time.Time{}, nhip.Errorf(nhip.CodeUnavailable, "", "the history is away")
}

func (absentHistory) Ping(context.Context) error { return context.DeadlineExceeded }

// newAPI returns an api whose state is empty and complete.
func newAPI(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	o := Options{
		airInterval: time.Nanosecond, // messages show at once
		Addr:        "127.0.0.1:0", Clock: livetest.NewClock(noon), History: absentHistory{},
		Map:    Map{Center: [2]float64{105.85, 21.03}, Zoom: 12, Attribution: "test"},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), PublicMetrics: true,
	}
	for _, c := range change {
		c(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.listener.Close() })
	a.live.Connected()
	receive(t, a, topics.CensusTopic("c"), topics.Census{})
	return a
}

func receive(t testing.TB, a *API, topic string, message any) {
	t.Helper()
	livetest.Receive(t, a.live, topic, message)
}

func addBus(t testing.TB, a *API, b nhip.Bus) {
	t.Helper()
	if b.Agency == "" {
		b.Agency = "hanoi"
	}
	if b.Time.IsZero() {
		b.Time = noon
	}
	receive(t, a, topics.LiveBusTopic(b.Agency, b.ID), b)
}

func get(t testing.TB, a *API, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return resttest.Get(a.server.Handler, path, header...)
}

func TestInvalidQueriesNameTheirField(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct{ path, field string }{
		{"/v1/buses?near=21", "near"},
		{"/v1/buses?near=NaN,105", "near"},
		{"/v1/buses?near=Inf,105", "near"},
		{"/v1/buses?near=91,105", "near"},
		{"/v1/buses?near=21,181", "near"},
		{"/v1/buses?near=", "near"},
		{"/v1/buses?near=21,105&limit=0", "limit"},
		{"/v1/buses?near=21,105&limit=-1", "limit"},
		{"/v1/buses?near=21,105&limit=1000000", "limit"},
		{"/v1/buses?near=21,105&limit=ten", "limit"},
		{"/v1/buses?near=21,105&radius=0", "radius"},
		{"/v1/buses?near=21,105&radius=1e9", "radius"},
		{"/v1/buses?near=21,105&radius=NaN", "radius"},
		{"/v1/buses?radius=100", "radius"},
		{"/v1/buses?near=21,105&near=22,105", "near"},
		{"/v1/buses?raduis=5", "raduis"},
		{"/v1/buses?route=" + strings.Repeat("a", 300), "route"},
		{"/v1/buses?route=a%00b", "route"},
		{"/v1/buses?bbox=1,2,3", "bbox"},
		{"/v1/buses?bbox=1,3,2,2", "bbox"},
		{"/v1/stations?bbox=a,b,c,d", "bbox"},
		{"/v1/live?bbox=200,0,201,1", "bbox"},
		{"/v1/stations/x/readings?from=yesterday", "from"},
		{"/v1/stations/x/readings?from=2026-02-16T12:00:00Z&to=2026-02-16T11:00:00Z", "from"},
		{"/v1/stations/x/readings?from=1926-02-16T12:00:00Z", "from"},
		{"/v1/stations/x/readings?quantity=gold", "quantity"},
		{"/v1/stations/x/readings?from=2300-01-01T00:00:00Z", "from"},
		{"/v1/stations/x/readings?from=0001-01-01T00:00:00Z", "from"},
		{"/v1/stations/x/readings?to=0000-01-01T00:00:00Z", "to"},
		{"/v1/stations/x/readings?from=2026-02-17T00:00:00Z&to=2026-02-18T00:00:00Z", "from"},
		{"/v1/stations/x/readings?format=xml", "format"},
	} {
		w := get(t, a, c.path)
		var p problem.Body
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v in %s", c.path, err, w.Body)
		}
		if w.Code != http.StatusBadRequest || p.Field != c.field || p.Code != nhip.CodeInvalid ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.80s: %d %s, want 400 for %s", c.path, w.Code, w.Body, c.field)
		}
	}
}

func TestLogsAndMetricsHaveNoCoordinates(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	a := newAPI(t, func(o *Options) {
		o.Registry = registry
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, q := range []string{"near=21.0123,105.8123", "near=21.0123,bad", "near=21.0123,105.8123&limit=0"} {
		get(t, a, "/v1/buses?"+q)
	}
	output := log.String() + get(t, a, "/metrics").Body.String()
	if strings.Contains(output, "21.0123") || strings.Contains(output, "105.8123") {
		t.Errorf("coordinates are in logs or metrics: %s", output)
	}
	if !strings.Contains(output, `route="/v1/buses"`) {
		t.Error("the requests are not in the metrics")
	}
}

func TestStateIsRefusedUntilComplete(t *testing.T) {
	a := newAPI(t)
	receive(t, a, topics.CensusTopic("c"), topics.Census{Buses: 1, Stations: 1})
	for _, path := range []string{"/v1/buses", "/v1/stations", "/v1/stations/x", "/v1/live"} {
		if w := get(t, a, path); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	receive(t, a, topics.LiveAirTopic("x"), nhip.Station{ID: "x", Time: noon})
	if ids, _ := resttest.Features(t, get(t, a, "/v1/buses")); !slices.Equal(ids, []string{"1"}) {
		t.Errorf("complete: %v", ids)
	}
	// Once the state was complete, a higher census is no outage.
	a.ready = health.NewReadiness() // without checks, it is ready
	if left := a.Waiting(); len(left) > 0 {
		t.Fatalf("still waiting for %v", left)
	}
	receive(t, a, topics.CensusTopic("c"), topics.Census{Buses: 5})
	if w := get(t, a, "/v1/buses"); w.Code != http.StatusOK {
		t.Errorf("after readiness: %d", w.Code)
	}
}

func TestReadingsWithoutHistory(t *testing.T) {
	w := get(t, newAPI(t), "/v1/stations/x/readings")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "the history does not answer") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestReadingsNegotiateFormat(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		accept string
		status int
	}{
		{"", 503},
		{"*/*", 503},
		{"text/csv", 503},
		{"text/html,application/json;q=0.9", 503},
		{"image/png", 406},
		{"application/json;q=0, text/csv;q=0", 406},
	} {
		if w := get(t, a, "/v1/stations/x/readings", "Accept", c.accept); w.Code != c.status {
			t.Errorf("Accept %q: %d, want %d", c.accept, w.Code, c.status)
		}
	}
}

func TestMethods(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodHead, "/livez", 200, ""},
		{http.MethodHead, "/v1/buses", 200, ""},
		{http.MethodHead, "/v1/live", 200, ""},
		{http.MethodHead, "/", 200, ""},
		{http.MethodOptions, "/v1/buses", 204, "GET, HEAD, OPTIONS"},
		{http.MethodOptions, "/v1/reviews", 204, "GET, HEAD, POST, OPTIONS"},
		{http.MethodOptions, "/v1/reviews/preview", 204, "POST, OPTIONS"},
		{http.MethodOptions, "/v1/devices/x", 204, "GET, HEAD, DELETE, OPTIONS"},
		{http.MethodOptions, "/open311/v2/requests.json", 204, "GET, HEAD, POST, OPTIONS"},
		{http.MethodOptions, "/tiles/air.json", 204, "GET, HEAD, OPTIONS"},
		{http.MethodOptions, "/nothing", 204, "GET, HEAD, OPTIONS"},
		{http.MethodPost, "/v1/buses", 405, "GET, HEAD, OPTIONS"},
		{http.MethodDelete, "/tiles/air.json", 405, "GET, HEAD, OPTIONS"},
	} {
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v", c.method, c.path, w.Code, w.Header())
		}
	}
}

func TestPanicIsAnsweredWithProblem(t *testing.T) {
	a := newAPI(t)
	h := a.recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "oh") ||
		!strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStopDoesNotWaitForSlowClient(t *testing.T) {
	a := newAPI(t)
	for i := range 3000 {
		addBus(t, a, nhip.Bus{ID: fmt.Sprint(i), Lat: 21, Lon: 105, Headsign: strings.Repeat("x", 200)})
	}
	served := make(chan struct{})
	go func() { _ = a.server.Serve(a.listener); close(served) }()
	conn, err := net.Dial("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the stream is open", func() bool { return a.hub.Streams() == 1 })
	began := time.Now()
	if err := a.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	<-served
	if took := time.Since(began); took > 2*stopTimeout {
		t.Errorf("Stop took %s", took)
	}
}
