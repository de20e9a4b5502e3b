package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/resttest"
	"nhip/internal/awaittest"
	"nhip/internal/influx"

	"github.com/go-chi/chi/v5"
)

// unlimitedRoutes are the addresses that no class limits: what an operator needs when everything is full, the
// operator's own, the intake of devices, and tiles, of which only the drawing is limited.
func unlimitedRoutes(path string) bool {
	for _, free := range []string{
		"/livez", "/readyz", "/metrics", "/tiles/air/{", "/tiles/transit/{", "/in/",
		"/v1/ledger", "/v1/dead", "/v1/devices", "/v1/fleet/", "/v1/reviews", "/v1/alerts", "/v1/recompute", "/v1/retention",
		"/v1/keys", "/v1/audit", "/v1/stations/{id}/value", "/v1/stations/{id}/calibrations", "/v1/queue",
		"/api/where/report-problem-with-", // bounded as the reports of Open311 are
		"/v1/service-alerts/",
		"/v1/keys", "/v1/audit", "/v1/schedules", "/v1/service-alerts/", "/v1/stations/{id}/value",
		"/v1/stations/{id}/calibrations", "/v1/queue",
		"/api/where/report-problem-with-", // bounded as the reports of Open311 are
	} {
		if strings.HasPrefix(path, free) {
			return true
		}
	}
	return false
}

// heldHistory is a database whose queries wait until release is closed. Its stations are "s" and "old".
type heldHistory struct {
	absentHistory

	queries atomic.Int64
	listed  atomic.Int64
	release chan struct{}
}

func (h *heldHistory) hold(ctx context.Context) error {
	h.queries.Add(1)
	select {
	case <-h.release:
	case <-ctx.Done():
	}
	return nil
}

func (h *heldHistory) Readings(ctx context.Context, _ influx.ReadingQuery, _ func(nhip.AssessedReading) error) error {
	return h.hold(ctx)
}

func (h *heldHistory) Rollups(ctx context.Context, _ influx.RollupQuery, _ func(influx.RollupRow) error) error {
	return h.hold(ctx)
}

func (h *heldHistory) Days(ctx context.Context, _ influx.DayQuery, _ func(*influx.DaySeries) error) error {
	return h.hold(ctx)
}

func (h *heldHistory) Reviews(ctx context.Context, _ string, _ time.Time) ([]nhip.Review, error) {
	return nil, h.hold(ctx)
}

func (h *heldHistory) Stations(context.Context) ([]string, error) {
	h.listed.Add(1)
	return []string{"s", "old"}, nil
}

func (h *heldHistory) StationSpans(ctx context.Context, _ func(nhip.StationSpan) error) error {
	return h.hold(ctx)
}

// historyPaths request everything that the history answers.
func historyPaths(station string) []string {
	return []string{
		"/v1/stations/" + station + "/readings", "/v1/stations/" + station + "/readings?period=hour&format=csv",
		"/v1/stations/" + station + "/aqi", "/v1/stations/" + station + "/report?month=2026-02",
		"/v1/stations/" + station + "/report?month=2026-02&format=csv", "/v1/exceedances?station=" + station,
	}
}

// TestEveryRouteHasAClass fills all classes and requests every address of the router. One that answers has no class.
func TestEveryRouteHasAClass(t *testing.T) {
	h := &heldHistory{release: make(chan struct{})}
	a := newAPI(t, func(o *Options) { o.History, o.Token = h, "s3cret" })
	for _, c := range a.classes.All() {
		c.Fill()
	}
	tried := 0
	err := chi.Walk(a.server.Handler.(chi.Routes), func(method, route string, _ http.Handler,
		_ ...func(http.Handler) http.Handler,
	) error {
		if method != http.MethodGet || unlimitedRoutes(route) {
			return nil
		}
		tried++
		path := strings.NewReplacer("{id}", "s", "{z}", "1", "{x}", "1", "{y}", "1", "{kind}", "k", "{date}",
			"2026-02-15", "{table}", "stop_visits", "{format}", "csv", "*", "").Replace(route)
		if strings.HasSuffix(route, "/report") || strings.HasSuffix(route, "/monthly") {
			path += "?month=2026-02"
		}
		w := get(t, a, path, "Authorization", "Bearer s3cret")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d %.80s", route, w.Code, w.Body)
		}
		return nil
	})
	if err != nil || tried < 20 {
		t.Errorf("%d routes: %v", tried, err)
	}
	if n := h.queries.Load(); n > 0 {
		t.Errorf("the history was asked %d times", n)
	}
	if w := get(t, a, "/livez"); w.Code != http.StatusOK {
		t.Errorf("/livez: %d", w.Code)
	}
}

// TestUnknownStationsAreNotSearched requests the whole history of stations that do not exist.
func TestUnknownStationsAreNotSearched(t *testing.T) {
	h := &heldHistory{release: make(chan struct{})}
	close(h.release)
	a := newAPI(t, func(o *Options) { o.History = h })
	for i := range 50 {
		for _, path := range historyPaths(fmt.Sprintf("none-%d", i)) {
			if w := get(t, a, path); w.Code != http.StatusNotFound {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
	if n, listed := h.queries.Load(), h.listed.Load(); n > 0 || listed != 1 {
		t.Errorf("%d queries and %d lists for unknown stations", n, listed)
	}
	for _, path := range historyPaths("old") { // which only the history knows
		if w := get(t, a, path); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestHistoryHasAShareOfAnAddress lets one address hold its share, and asks from others.
func TestHistoryHasAShareOfAnAddress(t *testing.T) {
	h := &heldHistory{release: make(chan struct{})}
	a := newAPI(t, func(o *Options) { o.History, o.HistoryPerAddress = h, 2 })
	go func() { _ = a.server.Serve(a.listener) }()
	defer a.server.Close()
	ask := func(from, path string) <-chan int {
		out := make(chan int, 1)
		go func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+path, nil)
			if err != nil {
				out <- 0
				return
			}
			resp, err := resttest.From(t, from).Do(req)
			if err != nil {
				out <- 0
				return
			}
			_ = resp.Body.Close()
			out <- resp.StatusCode
		}()
		return out
	}
	paths := append(historyPaths("s"), "/v1/stations/status")
	running := []<-chan int{ask("127.0.0.2", paths[3]), ask("127.0.0.2", paths[0])} // a report and readings
	awaittest.True(t, "both are running", func() bool { return h.queries.Load() == 2 })
	for _, path := range paths {
		if status := <-ask("127.0.0.2", path); status != http.StatusServiceUnavailable {
			t.Errorf("%s beyond the share: %d", path, status)
		}
	}
	other := ask("127.0.0.3", paths[0])
	awaittest.True(t, "another address has its own share", func() bool { return h.queries.Load() == 3 })
	close(h.release)
	for _, r := range append(running, other) {
		if status := <-r; status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
}
