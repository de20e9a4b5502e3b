package stream

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"nhip/api/rest"
	"nhip/api/scope"
)

// Handler serves /v1/live.
type Handler struct {
	Hub     *Hub
	Address func(*http.Request) netip.Addr // of the client; nil is that of the connection
	rest.Responder
}

// serve answers GET /v1/live.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	v, lastID, err := readView(r)
	if err != nil {
		return err
	}
	if v.socket = asksForSocket(r); v.socket {
		if err := checkHandshake(r); err != nil {
			w.Header().Set("Sec-WebSocket-Version", "13")
			return err
		}
	}
	if err := h.Hub.o.Watch.check(&v); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		setHead(w.Header())
		return nil
	}
	v.sees = h.sees(r)
	s, err := h.Hub.join(v, addressClass(h.address(r)), lastID)
	if err != nil {
		return err
	}
	if v.socket {
		h.serveSocket(w, r, s)
		return nil
	}
	setHead(w.Header())
	if r.TLS == nil && r.ProtoMajor == 1 && h.Hub.serving() && rest.CallerOf(r).Name == "" {
		if c := takeOver(w, r, h.Hub.elapsed()); c != nil {
			h.handOver(s, c, c.awaitEnd)
			return nil
		}
	}
	h.serveHere(w, r, s)
	return nil
}

func setHead(h http.Header) {
	h.Set("X-Accel-Buffering", "no") // otherwise nginx buffers events
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", rest.NoStore)
}

// sees returns what the caller of a request sees. The data are public, so pages of any origin may read them; but what a
// visitor sees with a session's cookie is nothing for a page of another origin, which gets what the public sees.
func (h *Handler) sees(r *http.Request) scope.View {
	byCookie := r.Header.Get("Cookie") != "" && r.Header.Get("Authorization") == ""
	if byCookie && !h.ownOrigin(r) {
		return scope.View{}
	}
	return rest.ScopeOf(r)
}

// ownOrigin reports whether a request comes from a page of the api itself, or from no page at all.
func (h *Handler) ownOrigin(r *http.Request) bool {
	text := r.Header.Get("Origin")
	if text == "" {
		return true
	}
	origin, err := url.Parse(text)
	if err != nil || origin.Host == "" {
		return false
	}
	own, err := url.Parse(h.BaseURL(r))
	return strings.EqualFold(origin.Host, r.Host) || err == nil && strings.EqualFold(origin.Host, own.Host)
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

// handOver lets the workers serve a stream. read reads from its connection until it ends.
func (h *Handler) handOver(s *stream, c *connection, read func()) {
	if h.Hub.adopt(s, c, read) {
		return
	}
	var w writer // the hub was closed meanwhile
	_, _ = c.write(&w)
	c.finish(&s.view)
	h.Hub.leave(s, endedByServer)
	c.close(false)
}

// serveSocket serves a stream over a WebSocket.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request, s *stream) {
	conn, early := acceptSocket(w, r)
	if conn == nil {
		h.Hub.leave(s, endedByClient)
		return
	}
	c := newSocket(conn, early, h.Hub, s)
	caller := rest.CallerOf(r)
	if r.TLS == nil && h.Hub.serving() && caller.Name == "" {
		h.handOver(s, newConnection(conn, h.Hub.elapsed()), c.read)
		return
	}
	h.Hub.serveSocketHere(s, c, caller.Ended)
}
