package httpserver

import (
	"testing"
	"time"
)

// TestBacklogTellsBurstsFromOverloads lets many wait for a moment, then for long, and then few.
func TestBacklogTellsBurstsFromOverloads(t *testing.T) {
	b := Backlog{Slots: 2}
	at := time.Unix(1_000, 0)
	tooMany := func(n int, after time.Duration) bool {
		t.Helper()
		at = at.Add(after)
		_, is := b.Add(n, at)
		return is
	}
	if tooMany(40, 0) || tooMany(1, busyAfter) {
		t.Error("a burst is refused")
	}
	if !tooMany(1, time.Millisecond) {
		t.Error("a long queue is no overload")
	}
	if tooMany(-37, 0) {
		t.Error("few that wait are too many")
	}
	if !tooMany(2, time.Second) {
		t.Error("an overload ends at once")
	}
	tooMany(-7, 0)
	if n := b.Waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
	if tooMany(40, calmAfter+time.Millisecond) {
		t.Error("a burst after the overload is refused")
	}
}
