package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Timings of the HTTP server.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// PushServer is the HTTP door of a gateway that runs alone.
type PushServer struct {
	listener net.Listener
	secured  bool
	server   *http.Server
	log      *slog.Logger
	ended    chan struct{}
}

// ListenPush binds an address (host:port; port 0 picks a free one) for pushes; without a TLS configuration it
// is plain. Nothing is served before Start.
func (g *Gateway) ListenPush(addr string, secured *tls.Config, log *slog.Logger) (*PushServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for HTTP on %s: %w", addr, err)
	}
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	return &PushServer{listener: l, secured: secured != nil, log: log, ended: make(chan struct{}), server: &http.Server{
		Handler: g.Push(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients that hang up are no news
	}}, nil
}

// URL returns the address as clients write it.
func (s *PushServer) URL() string {
	if s.secured {
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Start begins to take pushes in. The gateway must have been started.
func (s *PushServer) Start() {
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the HTTP server ended", "error", err)
		}
	}()
}

// Stop finishes what is being taken in, as far as ctx leaves time. It must follow a Start.
func (s *PushServer) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.ended
	return err
}
