package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/health"
	"nhip/internal/task"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestReadinessStaysOnceReached(t *testing.T) {
	var broker, history, upstream atomic.Bool
	r := health.NewReadiness(
		health.Check{Name: "broker", OK: broker.Load},
		health.Check{Name: "history", OK: history.Load},
		health.Check{Name: "upstream", OK: upstream.Load, Optional: true},
	)
	check := func(when string, want health.State) {
		t.Helper()
		if diff := cmp.Diff(want, r.Now()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", when, diff)
		}
	}
	check("at first", health.State{Degraded: []string{"upstream"}, Waiting: []string{"broker", "history"}})
	broker.Store(true)
	check("with the broker only", health.State{Degraded: []string{"upstream"}, Waiting: []string{"history"}})
	if r.Reached() {
		t.Error("reached without the history")
	}
	history.Store(true)
	check("without the optional part", health.State{Ready: true, Degraded: []string{"upstream"}})
	broker.Store(false)
	check("when a part fails", health.State{Ready: true, Degraded: []string{"broker", "upstream"}})
	broker.Store(true)
	upstream.Store(true)
	check("with all parts", health.State{Ready: true, Degraded: []string{}})
}

func TestReadinessReportsReasons(t *testing.T) {
	var reason atomic.Value
	reason.Store("field type conflict")
	r := health.NewReadiness(
		health.Check{Name: "writes", Fault: func() string { return reason.Load().(string) }, Optional: true},
		health.Check{Name: "broker", OK: func() bool { return false }, Optional: true},
	)
	want := health.State{
		Ready: true, Degraded: []string{"writes", "broker"}, Reasons: map[string]string{"writes": "field type conflict"},
	}
	if diff := cmp.Diff(want, r.Now()); diff != "" {
		t.Errorf("with a fault (-want +got)\n%s", diff)
	}
	reason.Store("")
	if diff := cmp.Diff(health.State{Ready: true, Degraded: []string{"broker"}}, r.Now()); diff != "" {
		t.Errorf("without a fault (-want +got)\n%s", diff)
	}
}

func TestServerEndpoints(t *testing.T) {
	var available atomic.Bool
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "nhip_test_total", Help: "For a test."}))
	s, err := health.Listen("127.0.0.1:0", health.NewReadiness(health.Check{Name: "broker", OK: available.Load}), registry,
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	get := func(path string, want int) string {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: %d %s, %v", path, resp.StatusCode, body, err)
		}
		return string(body)
	}
	get("/livez", http.StatusOK)
	get("/readyz", http.StatusServiceUnavailable)
	available.Store(true)
	var state health.State
	if err := json.Unmarshal([]byte(get("/readyz", http.StatusOK)), &state); err != nil || !state.Ready {
		t.Errorf("%+v, %v", state, err)
	}
	if !strings.Contains(get("/metrics", http.StatusOK), "nhip_test_total 0") {
		t.Error("a metric is missing")
	}
	get("/", http.StatusNotFound)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL() + "/livez"); err == nil {
		t.Error("a stopped server answers")
	}
}

func TestListenFailsOnPortInUse(t *testing.T) {
	ready := health.NewReadiness()
	log := slog.New(slog.DiscardHandler)
	first, err := health.Listen("127.0.0.1:0", ready, prometheus.NewRegistry(), log)
	if err != nil {
		t.Fatal(err)
	}
	first.Start()
	defer func() { _ = first.Stop(t.Context()) }()
	if _, err := health.Listen(strings.TrimPrefix(first.URL(), "http://"), ready, prometheus.NewRegistry(),
		log); err == nil {
		t.Error("two servers listen on one port")
	}
}

func TestWatchFollowsCheck(t *testing.T) {
	results := make(chan error) // each is the result of one check
	w := health.NewWatch(func(ctx context.Context) error {
		select {
		case err := <-results:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if w.OK() {
		t.Error("OK before the first check")
	}
	tasks := task.NewGroup()
	tasks.Go("watch", w.Run)
	results <- nil
	awaittest.True(t, "the part is available", w.OK)
	results <- errors.New("unavailable")
	awaittest.True(t, "the part is unavailable", func() bool { return !w.OK() })
	if err := tasks.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
