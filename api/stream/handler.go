package stream

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"nhip/api/access"
	"nhip/api/rest"
	"nhip/internal/wait"
)

// Handler serves /v1/live.
type Handler struct {
	Hub     *Hub
	Address func(*http.Request) netip.Addr // of the client; nil is that of the connection
	rest.Responder
}

// formCompact is the value of the parameter form that asks for rows of moving buses.
const formCompact = "compact"

// serve answers GET /v1/live.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	v, err := readView(r)
	if err != nil {
		return err
	}
	w.Header().Set("X-Accel-Buffering", "no") // otherwise nginx buffers events
	if r.Method == http.MethodHead {
		setHead(w.Header())
		return nil
	}
	s, err := h.Hub.join(v, addressClass(h.address(r)))
	if err != nil {
		return err
	}
	setHead(w.Header())
	caller := rest.CallerOf(r) // whose stream ends with the key, which is looked at here
	if r.TLS == nil && r.ProtoMajor == 1 && h.Hub.serving() && caller.Name == "" {
		if c := takeOver(w, r, h.Hub.elapsed()); c != nil {
			h.handOver(s, c)
			return nil
		}
	}
	h.serveHere(w, r, s, &caller)
	return nil
}

func setHead(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", rest.NoStore)
}

// readView reads the parameters of a request.
func readView(r *http.Request) (view, error) {
	q := rest.ReadQuery(r, "bbox", "zoom", "form")
	v := view{sees: rest.ScopeOf(r)}
	v.box, v.boxed = q.Box("bbox")
	zoom := q.Integer("zoom", -1, 0, 24)
	switch form := q.Text("form"); form {
	case "", "plain":
	case formCompact:
		v.compact = true
	default:
		q.Fail("form", "must be plain or compact, got %q", form)
	}
	v.period = period(zoom, v.boxed && narrow(v.box))
	return v, q.Err
}

// Periods for which changes are joined: of streams of narrow boxes, and of others.
const (
	narrowPeriod = 200 * time.Millisecond
	widePeriod   = 250 * time.Millisecond
)

// period returns for how long changes are joined. Zoom is that of the client's map, with tiles of 512 pixels, or -1: at
// zoom 10 a bus in traffic moves a pixel in 15 s, so that a phone needs no more than a change every 2 s.
func period(zoom int, narrow bool) time.Duration {
	switch {
	case zoom < 0 && narrow, zoom >= 13:
		return narrowPeriod
	case zoom < 0:
		return widePeriod
	case zoom == 12:
		return 500 * time.Millisecond
	case zoom == 11:
		return time.Second
	case zoom == 10:
		return 2 * time.Second
	default:
		return 5 * time.Second
	}
}

// address returns the address of the client.
func (h *Handler) address(r *http.Request) netip.Addr {
	if h.Address != nil {
		return h.Address(r)
	}
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // a client without an address shares that class
	return from.Addr()
}

// addressClass returns the addresses that count as one client: an IPv4 address, or a /64 of IPv6.
func addressClass(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Prefix for the zero Addr
	return p
}

// handOver lets the workers serve a stream.
func (h *Handler) handOver(s *stream, c *connection) {
	if h.Hub.adopt(s, c) {
		return
	}
	var w writer // the hub was closed meanwhile
	_, _ = c.write(&w)
	c.finish()
	h.Hub.leave(s, endedByServer)
	c.close(false)
}

// buffers holds the buffers of serveHere.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, frameBytes+frameBytes/4); return &b }}

// serveHere serves a stream in the goroutine of its request, over TLS for example.
func (h *Handler) serveHere(w http.ResponseWriter, r *http.Request, s *stream, caller *access.Caller) {
	reason := endedByClient
	defer func() { h.Hub.leave(s, reason) }()
	h.Hub.serveByWaking(s)
	out := http.NewResponseController(w)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-h.Hub.closing:
			reason = endedByServer
			return
		case <-s.wake:
		case <-timer.C:
		}
		if caller.Ended() {
			reason = endedByServer
			return
		}
		if !s.narrow && !h.Hub.awaitTurn(r.Context()) {
			continue // the stream ends
		}
		wait, err := h.send(w, out, s)
		if err != nil {
			reason = endedSlow
			return
		}
		timer.Reset(wait)
	}
}

// send sends a stream what it needs now. It returns when to look again, and an error if the client does not read it
// within rest.ClientTimeout.
func (h *Handler) send(w http.ResponseWriter, out *http.ResponseController, s *stream) (time.Duration, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	frame, wait := h.Hub.takeTurn(s, (*buf)[:0])
	*buf = frame[:0]
	if len(frame) == 0 {
		return wait, nil
	}
	if err := out.SetWriteDeadline(time.Now().Add(h.Hub.o.stuckLimit)); err != nil {
		return 0, err
	}
	if _, err := w.Write(frame); err != nil {
		return 0, err
	}
	h.Hub.metrics.bytes.Add(float64(len(frame)))
	return wait, out.Flush()
}

// awaitTurn waits until a stream of a wide box that no worker serves may be given a frame: the goroutines of requests
// compose those one after the other, and keep the share of the workers. It reports false if the stream has to end.
// After it, takeTurn must be called.
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

// takeTurn is frameIfDue, and ends the turn of a stream of a wide box.
func (h *Hub) takeTurn(s *stream, b []byte) (frame []byte, wait time.Duration) {
	if !s.narrow {
		defer h.endTurn()
	}
	return h.frameIfDue(s, b)
}

// endTurn lets the next stream of a wide box have its turn.
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
	switch {
	case more:
		s.at = at
	case s.behind:
		s.at = min(s.beat, at+s.period)
	default:
		s.at = s.beat
	}
	return b, s.at - at
}
