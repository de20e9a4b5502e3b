// Package httpserver provides the HTTP servers of all roles. It is the only package that makes an http.Server, so
// that everything that a client can hold has a deadline, a size and a share: heads, bodies, answers, connections.
package httpserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Deadlines and sizes of every server.
const (
	HeadTimeout = 10 * time.Second // for a TLS handshake and for the head of a request
	IdleTimeout = 2 * time.Minute  // between two requests of a connection

	// MaxHeader is the largest head of a request, bytes. net/http reads headerSlack more than it is told.
	MaxHeader   = 16 << 10
	headerSlack = 4 << 10

	maxStreams  = 100              // requests at a time of one HTTP/2 connection
	silentAfter = 10 * time.Second // an HTTP/2 connection without a frame is probed, and closed after pingTimeout
	pingTimeout = 5 * time.Second
)

// Options configure a server.
type Options struct {
	Name     string // in logs and metrics, as in api
	Handler  http.Handler
	TLS      *tls.Config // nil: plain
	Limits   Limits
	Logger   *slog.Logger
	Registry prometheus.Registerer // nil: no metrics

	Work     *WorkSlots // nil: no limit
	Overload *Overload  // nil: only handlers refuse requests

	bodyWindow  time.Duration // 0: BodyWindow; shorter in tests
	headTimeout time.Duration // 0: HeadTimeout; shorter in tests
}

// New returns a server with all deadlines. Its listener is one of Options.Listener, or has its own limits.
func New(o Options) *http.Server {
	b := newBounds(&o)
	s := &http.Server{
		Handler: b.handler(o.Handler), ReadHeaderTimeout: cmp.Or(o.headTimeout, HeadTimeout), IdleTimeout: IdleTimeout,
		MaxHeaderBytes: MaxHeader - headerSlack,
		ErrorLog:       slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), // mostly clients that disconnect
		ConnState:      followState,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), boundsKey{}, b)
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, &connState{conn: ownConn(c)})
		},
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, SendPingTimeout: silentAfter, PingTimeout: pingTimeout,
			WriteByteTimeout: WriteStall,
		},
	}
	return s
}

// Server is an HTTP server on one address.
type Server struct {
	listener net.Listener
	secured  bool
	server   *http.Server
	log      *slog.Logger
	ended    chan struct{}
}

// Listen binds an address (host:port; port 0 picks a free one) for a server. It serves nothing before Start.
func Listen(addr string, o Options) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for HTTP on %s: %w", addr, err)
	}
	return &Server{
		listener: o.Listener(l), secured: o.TLS != nil, server: New(o), log: o.Logger, ended: make(chan struct{}),
	}, nil
}

// URL returns the address as an http or https URL.
func (s *Server) URL() string {
	if s.secured {
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Start begins to serve.
func (s *Server) Start() {
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("HTTP server failed", "address", s.URL(), "error", err)
		}
	}()
}

// Stop waits for the requests in progress until ctx ends, then closes their connections. It must follow Start.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.ended
	return err
}
