// Package awaittest lets tests wait for a condition instead of sleeping. Only tests may import it.
package awaittest

import (
	"testing"
	"time"
)

// Timeout is how long a test waits for an event that must happen. It is long because test machines are busy; a test
// that passes ends much earlier.
const Timeout = 2 * time.Minute

// pollInterval is the pause between two checks of a condition.
const pollInterval = 2 * time.Millisecond

// True waits until ok returns true. It fails the test, with what as the description, if that takes longer than Timeout.
func True(t testing.TB, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	timeout := time.After(Timeout)
	for !ok() {
		select {
		case <-poll.C:
		case <-timeout:
			t.Fatalf("not within %s: %s", Timeout, what)
		}
	}
}
