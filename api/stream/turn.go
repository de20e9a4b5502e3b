package stream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"nhip/api/rest"
	"nhip/internal/wait"
)

// buffers holds the buffers of streams that no worker serves.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, frameBytes+frameBytes/4); return &b }}

// serveHere serves a stream in the goroutine of its request, over TLS for example.
func (h *Handler) serveHere(w http.ResponseWriter, r *http.Request, s *stream) {
	out, caller := http.NewResponseController(w), rest.CallerOf(r)
	reason := h.Hub.serveLoop(r.Context(), s, func(frame []byte) error {
		if caller.Ended() {
			return errEnded
		}
		if err := out.SetWriteDeadline(time.Now().Add(h.Hub.o.stuckLimit)); err != nil {
			return err
		}
		if _, err := w.Write(frame); err != nil {
			return err
		}
		return out.Flush()
	})
	h.Hub.leave(s, reason)
}

// errEnded ends the stream of a caller whose key or session has ended. There is a frame with each heartbeat.
var errEnded = errors.New("the key or session of the client has ended")

// serveSocketHere serves a WebSocket in goroutines of its own: one reads, the other one writes and closes it.
func (h *Hub) serveSocketHere(s *stream, c *socket, ended func() bool) {
	ctx, cancel := context.WithCancel(context.Background())
	h.readers.Go(func() {
		defer cancel()
		c.read()
	})
	h.readers.Go(func() {
		send := func(frame []byte) error {
			if ended() {
				return errEnded
			}
			if err := c.conn.SetWriteDeadline(time.Now().Add(h.o.stuckLimit)); err != nil {
				return err
			}
			_, err := c.conn.Write(frame)
			return err
		}
		reason := h.serveLoop(ctx, s, send)
		if reason == endedByServer {
			_ = send(goingAway) // the connection is closed next
		}
		h.leave(s, reason)
		_ = c.conn.Close() // nothing depends on it
	})
}

// serveLoop serves a stream that no worker serves, until ctx ends, the hub is closed or its client does not read. It
// returns why it ended.
func (h *Hub) serveLoop(ctx context.Context, s *stream, send func(frame []byte) error) (reason string) {
	h.serveByWaking(s)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return endedByClient
		case <-h.closing:
			return endedByServer
		case <-s.wake:
		case <-timer.C:
		}
		if !s.narrow && !h.awaitTurn(ctx) {
			continue // the stream ends
		}
		wait, err := h.sendDue(s, send)
		switch {
		case err != nil:
			return endedSlow
		case s.dead:
			return endedSilent
		}
		timer.Reset(wait)
	}
}

// sendDue sends a stream what it needs now. It returns when to look again, and an error if the client does not read it
// within Options.stuckLimit.
func (h *Hub) sendDue(s *stream, send func(frame []byte) error) (time.Duration, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	frame, wait := h.takeTurn(s, (*buf)[:0])
	*buf = frame[:0]
	if len(frame) == 0 {
		return wait, nil
	}
	if err := send(frame); err != nil {
		return 0, err
	}
	h.metrics.bytes.Add(float64(len(frame)))
	return wait, nil
}

// awaitTurn waits until a stream that is not narrow and that no worker serves may be given a frame: their goroutines
// compose one after the other, and keep the share of the workers. It reports false if the stream has to end. After it,
// takeTurn must be called.
func (h *Hub) awaitTurn(ctx context.Context) bool {
	select {
	case h.wideTurn <- struct{}{}:
	case <-ctx.Done():
		return false
	case <-h.closing:
		return false
	}
	h.mu.Lock()
	pause := h.queues.wideFrom - h.elapsed()
	h.mu.Unlock()
	if pause > 0 {
		_ = wait.Sleep(ctx, pause) // the goroutine ends at its next look at ctx
	}
	return true
}

// takeTurn is frameIfDue, and ends the turn of a stream that is not narrow.
func (h *Hub) takeTurn(s *stream, b []byte) (frame []byte, wait time.Duration) {
	if !s.narrow { // before it may become so
		defer h.endTurn()
	}
	return h.frameIfDue(s, b)
}

// endTurn lets the next stream have its turn.
func (h *Hub) endTurn() { <-h.wideTurn }

// writeCost is about what sending a byte over TLS costs a processor.
const writeCost = time.Nanosecond

// serveByWaking makes the hub wake the goroutine that serves a stream.
func (h *Hub) serveByWaking(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.wake = make(chan struct{}, 1)
}

// frameIfDue composes the next frame of a stream, if it is due, and returns when the next one is.
func (h *Hub) frameIfDue(s *stream, b []byte) (frame []byte, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.elapsed()
	if at < s.at {
		return b, s.at - at
	}
	h.metrics.delay.Observe((at - s.at).Seconds())
	b, more := h.compose(s, b, at)
	if s.sent = at; !s.narrow {
		h.queues.charge(at, h.elapsed()+time.Duration(len(b))*writeCost)
	}
	s.at = s.nextAt(at, more)
	return b, s.at - at
}
