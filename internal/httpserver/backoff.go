package rest

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// backoff decides how long refused clients wait: the longer, the more of them there are. A refusal is cheap, but if all
// of an overload came back after a second, refusals would take the processors from what can be served.
type backoff struct {
	most float64 // refusals a second

	mu      sync.Mutex
	began   time.Time // of the second that is counted
	refused int
	wait    float64 // s
}

// Bounds of the wait, s, and of refusals.
const (
	leastWait      = 1
	mostWait       = 5
	refusalsPerCPU = 250
	mostChange     = 1.5 // of the wait, in a second: its effect is seen only after it
)

func newBackoff() *backoff {
	return &backoff{most: float64(refusalsPerCPU * runtime.NumCPU()), wait: leastWait}
}

// next counts a refusal and returns how long its client waits, in whole seconds.
func (b *backoff) next(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.began.IsZero() {
		b.began = now
	}
	b.refused++
	if passed := now.Sub(b.began).Seconds(); passed >= 1 {
		change := min(max(float64(b.refused)/passed/b.most, 1/mostChange), mostChange)
		b.wait = min(max(b.wait*change, leastWait), mostWait)
		b.began, b.refused = now, 0
	}
	if b.wait < 2 {
		return leastWait
	}
	return int(b.wait*(0.75+rand.Float64()/2) + 0.5) // not all come back at once
}
