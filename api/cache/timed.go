// Package cache caches answers that are expensive to build, within bounds. Callers that request an entry while it is
// built wait for it, so that it is built once.
package cache

import (
	"context"
	"fmt"
	"sync"
	"time"

	"nhip"
)

// How long an entry about the past is valid.
const (
	SettledAge  = 26 * time.Hour   // moments older than this change only by reviews and late data
	settledTime = 10 * time.Minute // of settled moments
	recentTime  = time.Minute      // of moments that may still change by themselves
)

// Lifetime returns how long an entry about a moment of the past is valid; age is the age of the moment.
func Lifetime(age time.Duration) time.Duration {
	if age < SettledAge {
		return recentTime
	}
	return settledTime
}

// Timed caches values read from the history, by moment. The number of entries bounds its memory; the number of
// concurrent reads is limited so that other queries of the history get their turn.
type Timed[T any] struct {
	maxEntries int
	reading    chan struct{} // one token for each read that runs

	run    context.Context // ends with Close
	cancel context.CancelFunc
	fills  sync.WaitGroup

	mu      sync.Mutex
	entries map[int64]*entry[T] // by Unix second
	used    int64               // number of uses so far
	closed  bool
}

type entry[T any] struct {
	ready chan struct{} // closed once value or err is set
	value T
	err   error
	until time.Time // wall clock
	used  int64     // Timed.used at the last use
}

// NewTimed returns an empty cache of at most maxEntries moments, with at most maxReads concurrent reads.
func NewTimed[T any](maxEntries, maxReads int) *Timed[T] {
	c := &Timed[T]{maxEntries: maxEntries, reading: make(chan struct{}, maxReads), entries: make(map[int64]*entry[T])}
	c.run, c.cancel = context.WithCancel(context.Background())
	return c
}

// Close cancels running reads and waits for them. Later calls of Get return cached entries only.
func (c *Timed[T]) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.fills.Wait()
}

// readWait is how long an entry waits for another read to end, if the limit of concurrent reads is reached.
const readWait = 5 * time.Second

// errBusy is the error of Get if too many moments are being read.
var errBusy = nhip.Errorf(nhip.CodeUnavailable, "time", "too many moments of the past are being read; try again")

// Get returns the value of a moment, to the second, and reads it if it is not cached or its lifetime has ended. The
// error of a failed read is not cached. If no read can start within 5 s, the error has nhip.CodeUnavailable.
func (c *Timed[T]) Get(
	ctx context.Context, at time.Time, lifetime time.Duration, read func(context.Context) (T, error),
) (T, error) {
	x, err := c.entry(at.Unix(), lifetime, read)
	if err != nil {
		var none T
		return none, err
	}
	select {
	case <-x.ready:
		return x.value, x.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (c *Timed[T]) entry(key int64, lifetime time.Duration, read func(context.Context) (T, error)) (*entry[T], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.entries[key]
	if x == nil || time.Now().After(x.until) {
		if c.closed {
			return nil, errBusy
		}
		x = &entry[T]{ready: make(chan struct{}), until: time.Now().Add(lifetime)}
		c.entries[key] = x
		// The read serves all callers, so it does not end with the context of the first one.
		c.fills.Go(func() { c.fill(key, x, read) })
	}
	c.used++
	x.used = c.used
	c.evict()
	return x, nil
}

// Clear drops all entries.
func (c *Timed[T]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

// Len returns the number of entries.
func (c *Timed[T]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// evict removes the least recently used entries.
func (c *Timed[T]) evict() {
	for len(c.entries) > c.maxEntries {
		var oldest int64
		least := c.used + 1
		for key, x := range c.entries {
			if x.used < least {
				oldest, least = key, x.used
			}
		}
		delete(c.entries, oldest)
	}
}

func (c *Timed[T]) fill(key int64, x *entry[T], read func(context.Context) (T, error)) {
	defer close(x.ready)
	defer func() {
		if fault := recover(); fault != nil { // a panic of read must not end the process
			x.err = fmt.Errorf("reading a moment panicked: %v", fault) // logged, and not shown to the client
		}
		if x.err != nil {
			c.remove(key, x)
		}
	}()
	wait := time.NewTimer(readWait)
	defer wait.Stop()
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
		x.value, x.err = read(c.run)
	case <-wait.C:
		x.err = errBusy
	case <-c.run.Done():
		x.err = errBusy
	}
}

func (c *Timed[T]) remove(key int64, x *entry[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] == x {
		delete(c.entries, key)
	}
}
