package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nhip"
)

func TestResponderHidesInternalErrors(t *testing.T) {
	var log strings.Builder
	p := Responder{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	p.Problem(w, httptest.NewRequest(http.MethodGet, "/", nil), errors.New("secret path"))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") ||
		!strings.Contains(log.String(), "secret") {
		t.Errorf("%d %s, log %s", w.Code, w.Body, log.String())
	}
}

func TestResponderAnswersNothingToDisconnectedClient(t *testing.T) {
	gone, disconnect := context.WithCancel(t.Context())
	disconnect()
	w := httptest.NewRecorder()
	Responder{}.Problem(w, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(gone), context.Canceled)
	if w.Body.Len() > 0 {
		t.Errorf("%s", w.Body)
	}
}

func TestResponderBaseURL(t *testing.T) {
	for public, want := range map[string]string{
		"":                      "http://example.com",
		"https://nhip.example/": "https://nhip.example",
	} {
		if got := (Responder{PublicURL: public}).BaseURL(httptest.NewRequest(http.MethodGet, "/x", nil)); got != want {
			t.Errorf("public URL %q: %q, want %q", public, got, want)
		}
	}
}

func TestWhenReadyRefusesUntilReady(t *testing.T) {
	ready := false
	p := Responder{Logger: slog.New(slog.DiscardHandler), Ready: func() bool { return ready }}
	h := p.WhenReady(p.Handle(func(w http.ResponseWriter, _ *http.Request) error { return p.JSON(w, CacheLive, true) }))
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)); w.Code != want {
			t.Errorf("ready %t: %d, want %d", ready, w.Code, want)
		}
		ready = true
	}
}

func TestQuerySlotsAreLimited(t *testing.T) {
	s := make(QuerySlots, 1)
	release, err := s.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Acquire(ended); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("without a free slot: %v", err)
	}
	release()
	if _, err := s.Acquire(t.Context()); err != nil {
		t.Errorf("after release: %v", err)
	}
}
