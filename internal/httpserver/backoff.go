package httpserver

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// Backoff decides how long refused clients are to wait, and how long their refusal is held back: the longer, the more
// of them there are. If all of an overload came back after a second, refusals would take the processors from what can
// be served; and a client that comes back at once, whatever it is told, is slowed by the time that its refusal takes.
type Backoff struct {
	mu      sync.Mutex
	began   time.Time // of the second that is counted
	refused int
	wait    adaptive // s, that clients are told
	hold    adaptive // s, until they are told
}

// Bounds of both.
const (
	leastWait      = 1
	mostWait       = 5
	refusalsPerCPU = 1_000 // a second, at which the wait stays as it is

	leastHold  = 0.1
	mostHold   = 1
	heldPerCPU = 1_500 // a second: more of them keep the acknowledgements of devices waiting

	waitChange = 1.5 // its effect is seen only after it
	holdChange = 3
)

// adaptive is a time that grows while there are more refusals a second than the normal rate, and falls below it.
type adaptive struct {
	now, least, most float64 // s
	normal           float64 // refusals a second
	change           float64 // at most, in a second
}

func (a *adaptive) adapt(rate float64) {
	change := min(max(rate/a.normal, 1/a.change), a.change)
	a.now = min(max(a.now*change, a.least), a.most)
}

// NewBackoff returns the one of this machine, for all that refuse requests.
func NewBackoff() *Backoff {
	cpus := float64(runtime.NumCPU())
	return &Backoff{
		wait: adaptive{leastWait, leastWait, mostWait, refusalsPerCPU * cpus, waitChange},
		hold: adaptive{leastHold, leastHold, mostHold, heldPerCPU * cpus, holdChange},
	}
}

// spread returns a factor about 1, so that not all who were refused at once come back at once.
func spread() float64 { return 0.75 + rand.Float64()/2 }

// Next counts a refusal. It returns how long its client is to wait, in whole seconds, and how long the refusal should
// be held back.
func (b *Backoff) Next(now time.Time) (wait int, hold time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.began.IsZero() {
		b.began = now
	}
	b.refused++
	if passed := now.Sub(b.began).Seconds(); passed >= 1 {
		rate := float64(b.refused) / passed
		b.wait.adapt(rate)
		b.hold.adapt(rate)
		b.began, b.refused = now, 0
	}
	hold = time.Duration(b.hold.now * spread() * float64(time.Second))
	if b.wait.now < 2 {
		return leastWait, hold
	}
	return int(b.wait.now*spread() + 0.5), hold
}
