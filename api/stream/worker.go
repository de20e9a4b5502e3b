package stream

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"nhip/internal/task"
)

// sweepEvery is how often the hub looks for objects that have expired.
const sweepEvery = 5 * time.Second

// maxWorkers bounds the workers. There is one for every two cores, so that streams never take all of them.
const maxWorkers = 8

// Run serves the streams whose connections workers write, until ctx ends or the hub is closed. Then it ends them.
func (h *Hub) Run(ctx context.Context) error {
	h.setRunning(true)
	workers := task.NewGroup()
	workers.Go("live stream boards", h.watchLoop)
	if h.o.Watch.Alerts != nil {
		workers.Go("live stream alerts", h.alertLoop)
	}
	for i := range min(max(1, runtime.GOMAXPROCS(0)/2), maxWorkers) {
		workers.Go("live stream worker "+strconv.Itoa(i), h.work)
	}
	ticker := time.NewTicker(min(sweepEvery, h.o.heartbeat))
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case <-h.closing:
			running = false
		case <-ticker.C:
			h.sweep()
		}
	}
	h.setRunning(false)
	err := workers.Stop(context.WithoutCancel(ctx))
	h.endConnections()
	h.readers.Wait()
	return err
}

func (h *Hub) setRunning(running bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = running && !h.closed
}

// serving reports whether workers run.
func (h *Hub) serving() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running
}

// adopt lets workers serve a stream over its connection, from which read reads until it ends. It reports false if no
// workers run.
func (h *Hub) adopt(s *stream, c *connection, read func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running {
		return false
	}
	s.connection = c
	if h.queues.add(s) {
		h.signal()
	}
	h.readers.Go(func() {
		read()
		h.drop(s, endedByClient)
	})
	return true
}

// drop ends a stream that workers serve, and closes its connection.
func (h *Hub) drop(s *stream, reason string) {
	if h.leave(s, reason) {
		s.connection.close(reason == endedSlow)
	}
}

// endConnections ends the streams that workers have served.
func (h *Hub) endConnections() {
	h.mu.Lock()
	var all []*stream
	for s := range h.streams {
		if s.connection != nil {
			all = append(all, s)
		}
	}
	h.mu.Unlock()
	for _, s := range all {
		s.connection.finish(&s.view)
		h.drop(s, endedByServer)
	}
}

// work serves streams until ctx ends.
func (h *Hub) work(ctx context.Context) error {
	var w writer
	frame := make([]byte, 0, frameBytes+frameBytes/4)
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for ctx.Err() == nil {
		at := h.elapsed()
		h.mu.Lock()
		s, wait := h.queues.next(at)
		h.mu.Unlock()
		if s != nil {
			h.signal() // another worker, which may find a stream that is due, too
			frame = h.serveGuarded(&w, s, frame[:0], at)
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-h.wake:
		case <-timer.C:
		}
	}
	return ctx.Err()
}

// serveGuarded is serve. A panic ends that stream alone.
func (h *Hub) serveGuarded(w *writer, s *stream, b []byte, at time.Duration) (frame []byte) {
	defer h.o.Guard.Recover(part, func() {
		h.drop(s, endedByServer)
		h.putBack(s, at)
		frame = b
	})
	return h.serve(w, s, b, at)
}

// serve gives a stream what it needs, or what its client did not take last time. It returns the buffer of the frame.
func (h *Hub) serve(w *writer, s *stream, b []byte, at time.Duration) []byte {
	if len(s.unsent) == 0 {
		b = h.nextFrame(s, b, at)
		if len(b) > s.headroom() {
			s.unsent, s.since, s.moved = s.seal(b), at, at
		}
	}
	n, err := s.write(w)
	h.metrics.bytes.Add(float64(n))
	if s.retry = min(2*s.retry, lastRetry); n > 0 {
		s.moved, s.retry = at, firstRetry
	}
	switch {
	case err != nil:
		h.drop(s, endedByClient)
	case s.dead:
		h.drop(s, endedSilent)
	case len(s.unsent) > 0 && (at-s.moved >= h.o.stuckLimit || at-s.since >= frameLimit):
		h.drop(s, endedSlow)
	}
	s.keepUnsent()
	h.putBack(s, at)
	return b
}

// nextFrame composes the next frame of a stream.
func (h *Hub) nextFrame(s *stream, b []byte, at time.Duration) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics.delay.Observe(max(0, at-s.at).Seconds())
	b, s.more = h.compose(s, b[:s.headroom()], at)
	s.sent = at
	return b
}

// putBack returns a stream to its queue after it was served at a time.
func (h *Hub) putBack(s *stream, at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queues.served(s, at, h.elapsed())
	if s.left {
		return
	}
	switch {
	case len(s.unsent) > 0:
		s.at = at + s.retry
	default:
		s.at = s.nextAt(at, s.more)
	}
	h.queues.add(s)
}
