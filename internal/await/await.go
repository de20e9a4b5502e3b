// Package await lets tests wait for a condition instead of sleeping.
package await

import (
	"testing"
	"time"
)

// Patience bounds how long a test waits for what must come. It is long because machines are busy;
// a test that passes never uses it up.
const Patience = 30 * time.Second

// pollEvery is how often a condition is looked at.
const pollEvery = 2 * time.Millisecond

// True waits until ok holds, and ends the test when it does not in time.
func True(t testing.TB, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	late := time.After(Patience)
	for !ok() {
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}
