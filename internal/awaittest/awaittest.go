// Package awaittest lets tests wait for a condition instead of sleeping. Only tests may import it.
package awaittest

import (
	"testing"
	"time"
)

// Timeout is how long a test waits for an event that must happen. It is long because test machines are busy; a test
// that passes ends much earlier.
const Timeout = 2 * time.Minute

// The pause between two checks of a condition is a sixteenth of the time waited, within these bounds: a check, which
// may be a request, must not take the processor from what it waits for.
const (
	minPause = 2 * time.Millisecond
	maxPause = 100 * time.Millisecond
)

// True waits until ok returns true. It fails the test, with what as the description, if that takes longer than Timeout.
func True(t testing.TB, what string, ok func() bool) {
	t.Helper()
	start := time.Now()
	timeout := time.After(Timeout)
	for !ok() {
		pause := min(max(time.Since(start)/16, minPause), maxPause)
		select {
		case <-time.After(pause):
		case <-timeout:
			t.Fatalf("not within %s: %s", Timeout, what)
		}
	}
}
