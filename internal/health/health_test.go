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

	"nhip/internal/await"
	"nhip/internal/health"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestReadyOnceIsReadyForGood(t *testing.T) {
	var broker, history, line atomic.Bool
	r := health.NewReadiness(
		health.Check{Name: "broker", OK: broker.Load},
		health.Check{Name: "history", OK: history.Load},
		health.Check{Name: "upstream", OK: line.Load, Spare: true},
	)
	check := func(when string, want health.State) {
		t.Helper()
		if diff := cmp.Diff(want, r.Now()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", when, diff)
		}
	}
	check("at first", health.State{Degraded: []string{}, Waiting: []string{"broker", "history"}})
	broker.Store(true)
	check("half way", health.State{Degraded: []string{}, Waiting: []string{"history"}})
	if r.Reached() {
		t.Error("reached half way")
	}
	history.Store(true)
	check("without the spare part", health.State{Ready: true, Degraded: []string{"upstream"}})
	broker.Store(false)
	check("when a part goes", health.State{Ready: true, Degraded: []string{"broker", "upstream"}})
	broker.Store(true)
	line.Store(true)
	check("with all", health.State{Ready: true, Degraded: []string{}})
}

func TestServer(t *testing.T) {
	var there atomic.Bool
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "nhip_test_total", Help: "A test's."}))
	s, err := health.Listen("127.0.0.1:0", health.NewReadiness(health.Check{Name: "broker", OK: there.Load}), registry, slog.New(slog.DiscardHandler))
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
	there.Store(true)
	var state health.State
	if err := json.Unmarshal([]byte(get("/readyz", http.StatusOK)), &state); err != nil || !state.Ready {
		t.Errorf("%+v, %v", state, err)
	}
	if !strings.Contains(get("/metrics", http.StatusOK), "nhip_test_total 0") {
		t.Error("the numbers are not there")
	}
	get("/", http.StatusNotFound)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL() + "/livez"); err == nil {
		t.Error("a stopped server answers")
	}
}

func TestPortInUse(t *testing.T) {
	nobody := health.NewReadiness()
	log := slog.New(slog.DiscardHandler)
	first, err := health.Listen("127.0.0.1:0", nobody, prometheus.NewRegistry(), log)
	if err != nil {
		t.Fatal(err)
	}
	first.Start()
	defer func() { _ = first.Stop(t.Context()) }()
	if _, err := health.Listen(strings.TrimPrefix(first.URL(), "http://"), nobody, prometheus.NewRegistry(), log); err == nil {
		t.Error("two servers listen on one port")
	}
}

func TestWatch(t *testing.T) {
	answers := make(chan error) // each answer is taken by one question
	w := health.NewWatch(func(ctx context.Context) error {
		select {
		case err := <-answers:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if w.OK() {
		t.Error("there before it was asked")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	answers <- nil
	await.True(t, "it is there", w.OK)
	answers <- errors.New("gone")
	await.True(t, "it is away", func() bool { return !w.OK() })
	cancel()
	<-ended
}
