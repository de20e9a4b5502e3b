package httpserver

import (
	"testing"
	"time"
)

// TestRefusedWaitLongerTheMoreTheyAre refuses as many as may be refused, more, and then hardly any.
func TestRefusedWaitLongerTheMoreTheyAre(t *testing.T) {
	b, least := NewBackoff(), time.Duration(leastHold*float64(time.Second))
	now := time.Unix(1_000, 0)
	refuse := func(seconds, rate int) (longest int, held time.Duration) {
		for range seconds {
			for range rate {
				now = now.Add(time.Second / time.Duration(rate))
				wait, hold := b.Next(now)
				longest, held = max(longest, wait), hold
			}
		}
		return longest, held
	}
	if got, held := refuse(5, int(b.wait.normal)*9/10); got != leastWait || held > least*5/4 {
		t.Errorf("few refusals wait %d s and are held %s", got, held)
	}
	if got, held := refuse(10, int(b.hold.normal)*5/4); got < mostWait || got > mostWait*5/4+1 || held <= least*5/4 {
		t.Errorf("in an overload they wait %d s and are held %s", got, held)
	}
	refuse(20, 10)
	if got, _ := refuse(1, 10); got != leastWait {
		t.Errorf("after it they wait %d s", got)
	}
}
