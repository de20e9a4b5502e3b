package api

import (
	"context"
	"sync"
	"time"

	"nhip"
)

// memo keeps what was read of the past, by when that was: so many at most, so that who asks for a million moments gets
// no more memory than these, and so few read at once that the history has time for others. Whoever asks for one that
// is being read waits for it.
type memo[T any] struct {
	most    int
	reading chan struct{} // holds a place for each that is being read

	mu   sync.Mutex
	all  map[int64]*memory[T]
	used int64
}

type memory[T any] struct {
	ready chan struct{} // closed when what or err is there
	what  T
	err   error
	until time.Time // wall clock
	used  int64
}

func newMemo[T any](most, atOnce int) *memo[T] {
	return &memo[T]{most: most, reading: make(chan struct{}, atOnce), all: make(map[int64]*memory[T])}
}

// memoWait is how long a moment waits for a place to be read.
const memoWait = 5 * time.Second

// errBusyPast is told where too many moments are being read.
var errBusyPast = nhip.Errorf(nhip.Unavailable, "time", "too many moments of the past are being read; ask again")

// get returns what was at a moment, for as long as that may be kept. A moment that can't be read is forgotten at once.
func (m *memo[T]) get(ctx context.Context, at time.Time, keep time.Duration, read func(context.Context) (T, error)) (T, error) {
	key := at.Unix()
	m.mu.Lock()
	x := m.all[key]
	if x == nil || time.Now().After(x.until) {
		x = &memory[T]{ready: make(chan struct{}), until: time.Now().Add(keep)}
		m.all[key] = x
		go m.fill(context.WithoutCancel(ctx), key, x, read) // others may wait for it when this one has left
	}
	m.used++
	x.used = m.used
	m.forget()
	m.mu.Unlock()
	select {
	case <-x.ready:
		return x.what, x.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// forget drops what was asked for least lately.
func (m *memo[T]) forget() {
	for len(m.all) > m.most {
		var oldest int64
		least := m.used + 1
		for key, x := range m.all {
			if x.used < least {
				oldest, least = key, x.used
			}
		}
		delete(m.all, oldest)
	}
}

func (m *memo[T]) fill(ctx context.Context, key int64, x *memory[T], read func(context.Context) (T, error)) {
	defer close(x.ready)
	wait := time.NewTimer(memoWait)
	defer wait.Stop()
	select {
	case m.reading <- struct{}{}:
		x.what, x.err = read(ctx)
		<-m.reading
	case <-wait.C:
		x.err = errBusyPast
	}
	if x.err == nil {
		return
	}
	m.mu.Lock()
	if m.all[key] == x {
		delete(m.all, key)
	}
	m.mu.Unlock()
}
