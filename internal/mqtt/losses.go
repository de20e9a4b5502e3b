package mqtt

import (
	"fmt"
	"sync"
	"time"
)

// A connection that is lost so often in so short a time is a fault of its own: the broker refuses something that is
// sent on it, or another process uses the same client id. A restart of the broker costs one loss.
const (
	manyLosses = 3
	lossesSpan = 5 * time.Minute
)

// Losses counts how often the connections of a client were lost lately. The zero value has none.
type Losses struct {
	mu    sync.Mutex
	times [manyLosses]time.Time // of the last ones, as a ring
	total int
	last  error // cause of the last one
}

// Add records a loss and its cause.
func (l *Losses) Add(cause error) { l.add(cause, time.Now()) }

func (l *Losses) add(cause error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times[l.total%manyLosses] = now
	l.total++
	l.last = cause
}

// Fault returns a text if the connection was lost again and again in the last minutes, and "" otherwise.
func (l *Losses) Fault() string { return l.fault(time.Now()) }

func (l *Losses) fault(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total < manyLosses || now.Sub(l.times[l.total%manyLosses]) > lossesSpan {
		return ""
	}
	return fmt.Sprintf("the connection to the MQTT broker was lost at least %d times in %s: %v", manyLosses, lossesSpan,
		l.last)
}
