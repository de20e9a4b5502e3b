package gateway

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"nhip"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt/wsconn"
	"nhip/internal/problem"
)

// newGuestServer returns the HTTP server whose requests become connections of the broker.
func newGuestServer(g *Gateway) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc(guestPath, g.acceptWebSocket)
	l := g.public.webSocket
	server := httpserver.New(httpserver.Options{
		Name: guestListenerID, Handler: mux, Limits: httpserver.Limits{Bodies: 1, Proxies: l.proxies}, Logger: g.hook.log,
	})
	server.ReadHeaderTimeout = l.timeout
	// Of requests that do not become WebSockets.
	server.ReadTimeout, server.WriteTimeout = httpserver.HeadTimeout, httpserver.HeadTimeout
	return server
}

// acceptWebSocket makes a request a connection of the broker. The connections of a trusted proxy count for their
// clients from here on; see listener.admit.
func (g *Gateway) acceptWebSocket(w http.ResponseWriter, r *http.Request) {
	l := g.public.webSocket
	release := func() {}
	if client := httpserver.ClientAddr(r); l.fromProxy(r.RemoteAddr) {
		from := addressPrefix(client)
		if class := l.addresses.admitClient(from, time.Now()); class != "" {
			l.metrics.limited.WithLabelValues(class).Inc()
			w.Header().Set("Connection", "close")
			problem.Answer(w, nhip.Errorf(nhip.CodeTooMany, "", "too many connections from this address"))
			return
		}
		release = sync.OnceFunc(func() { l.addresses.releaseClient(from) })
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String() // for limits and logs
	}
	conn, err := wsconn.Accept(w, r) // pages of any origin may read, and none can publish
	if err != nil {
		release()
		return // it is answered
	}
	// Not in the goroutine of the request, whose stack has grown.
	g.serving.Go(func() {
		defer release()
		g.server.Serve(conn, guestListenerID)
	})
}

// serveGuests accepts guests over WebSocket until the listener is closed.
func (g *Gateway) serveGuests() error {
	err := g.guestServer.Serve(g.public.webSocket)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	g.hook.log.Error("public listener failed", "error", err)
	return err
}
