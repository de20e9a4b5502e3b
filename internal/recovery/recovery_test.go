package recovery

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestGuardsOfOneRegistryShareTheCounter(t *testing.T) {
	var log bytes.Buffer
	r := prometheus.NewRegistry()
	a := NewGuard(r, slog.New(slog.NewTextHandler(&log, nil)))
	b := NewGuard(r, slog.New(slog.DiscardHandler))
	ended := 0
	for _, g := range []*Guard{a, b} {
		func() {
			defer g.Recover("decoder", func() { ended++ })
			panic("out of range")
		}()
	}
	if n := testutil.ToFloat64(a.Count("decoder")); n != 2 || ended != 2 {
		t.Errorf("%v panics counted and %d ended, want 2", n, ended)
	}
	if !strings.Contains(log.String(), "out of range") || !strings.Contains(log.String(), "recovery_test.go") {
		t.Errorf("the panic or its stack is not logged: %s", log.String())
	}
}

func TestNilGuardRecovers(t *testing.T) {
	var g *Guard
	func() {
		defer g.Recover("decoder", nil)
		panic("x")
	}()
	func() { defer g.Recover("decoder", func() { t.Error("called without a panic") }) }()
}

// TestLogOfPanicsIsLimited: a stranger may cause one with each packet.
func TestLogOfPanicsIsLimited(t *testing.T) {
	var log bytes.Buffer
	g := NewGuard(nil, slog.New(slog.NewTextHandler(&log, nil)))
	for range 10 * logBurst {
		func() {
			defer g.Recover("mqtt", nil)
			panic("x")
		}()
	}
	if n := strings.Count(log.String(), "level=ERROR"); n < 1 || n > 2*logBurst {
		t.Errorf("%d lines for %d panics", n, 10*logBurst)
	}
}
