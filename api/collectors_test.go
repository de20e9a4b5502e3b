package api

import (
	"context"
	"testing"
	"time"

	"nhip"
)

func TestDeadCollectorIsReported(t *testing.T) {
	var names []string
	connected := true
	dead := make(map[string]bool)
	w := &collectorWatch{
		names: func() []string { return names }, connected: func() bool { return connected },
		alive: make(map[string]time.Time),
		ask: func(_ context.Context, collector string) error {
			if dead[collector] {
				return nhip.Errorf(nhip.CodeUnavailable, "collector", "%q does not answer", collector)
			}
			return nhip.Errorf(nhip.CodeNotFound, "", "an older version")
		},
	}
	now := noon
	check := func(when, want string) {
		t.Helper()
		w.check(t.Context(), now)
		if got := w.fault(now); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	check("at first", "")
	now = now.Add(collectorSilent)
	check("without a census", "no collector has published a census")
	names = []string{"a", "b"}
	check("with two collectors", "")
	dead["a"] = true
	now = now.Add(collectorSilent - time.Second)
	check("when one was just killed", "")
	now = now.Add(time.Second)
	check("when one is dead", `"a" does not answer`)
	connected = false
	check("without the broker", "")
	connected = true
	check("when the broker is back", "")
	now = now.Add(collectorSilent)
	check("when it has not come back", `"a" does not answer`)
	dead["a"] = false
	check("when it answers", "")
	names = nil
	now = now.Add(collectorSilent)
	check("when both have withdrawn", "no collector has published a census")
}
