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

	run    context.Context // ends with close
	cancel context.CancelFunc
	fills  sync.WaitGroup

	mu     sync.Mutex
	all    map[int64]*memory[T]
	used   int64
	closed bool
}

type memory[T any] struct {
	ready chan struct{} // closed when what or err is there
	what  T
	err   error
	until time.Time // wall clock
	used  int64
}

func newMemo[T any](most, atOnce int) *memo[T] {
	m := &memo[T]{most: most, reading: make(chan struct{}, atOnce), all: make(map[int64]*memory[T])}
	m.run, m.cancel = context.WithCancel(context.Background())
	return m
}

// close breaks off what is being read, and waits until that has ended. Nothing is read after it.
func (m *memo[T]) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.fills.Wait()
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
		if m.closed {
			m.mu.Unlock()
			var none T
			return none, errBusyPast
		}
		x = &memory[T]{ready: make(chan struct{}), until: time.Now().Add(keep)}
		m.all[key] = x
		// It is read for all who ask, also when the first of them has left.
		m.fills.Go(func() { m.fill(key, x, read) })
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

// clear forgets all.
func (m *memo[T]) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.all)
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

func (m *memo[T]) fill(key int64, x *memory[T], read func(context.Context) (T, error)) {
	defer close(x.ready)
	defer func() {
		if fault := recover(); fault != nil { // a fault of ours must not end the house
			x.err = nhip.Errorf(nhip.Internal, "time", "can't be answered: %v", fault)
		}
		if x.err != nil {
			m.mu.Lock()
			if m.all[key] == x {
				delete(m.all, key)
			}
			m.mu.Unlock()
		}
	}()
	wait := time.NewTimer(memoWait)
	defer wait.Stop()
	select {
	case m.reading <- struct{}{}:
		defer func() { <-m.reading }()
		x.what, x.err = read(m.run)
	case <-wait.C:
		x.err = errBusyPast
	case <-m.run.Done():
		x.err = errBusyPast
	}
}
