package rest

import (
	"testing"
	"time"
)

// TestRefusedWaitLongerTheMoreTheyAre refuses as many as may be refused, more, and then hardly any.
func TestRefusedWaitLongerTheMoreTheyAre(t *testing.T) {
	b := newBackoff()
	now := time.Unix(1_000, 0)
	refuse := func(seconds, rate int) (longest int) {
		for range seconds {
			for range rate {
				now = now.Add(time.Second / time.Duration(rate))
				longest = max(longest, b.next(now))
			}
		}
		return longest
	}
	if got := refuse(5, int(b.most)*9/10); got != leastWait {
		t.Errorf("few refusals wait %d s", got)
	}
	if got := refuse(10, int(b.most)*20); got < mostWait || got > mostWait*5/4+1 {
		t.Errorf("in an overload they wait %d s", got)
	}
	refuse(20, 10)
	if got := refuse(1, 10); got != leastWait {
		t.Errorf("after it they wait %d s", got)
	}
}
