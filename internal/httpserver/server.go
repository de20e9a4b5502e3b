// Package httpserver is an HTTP server with an owner: bound before it serves, and stopped in order.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// Server answers on one address.
type Server struct {
	listener net.Listener
	secured  bool
	server   *http.Server
	log      *slog.Logger
	ended    chan struct{}
}

// Listen binds an address (host:port; port 0 picks a free one) for a server whose handler and timeouts are
// set. Without a TLS configuration it is plain. Nothing is served before Start.
func Listen(addr string, secured *tls.Config, server *http.Server, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for HTTP on %s: %w", addr, err)
	}
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug) // clients that hang up are no news
	return &Server{listener: l, secured: secured != nil, server: server, log: log, ended: make(chan struct{})}, nil
}

// URL returns the address as browsers write it.
func (s *Server) URL() string {
	if s.secured {
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Start begins to answer.
func (s *Server) Start() {
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("an HTTP server ended", "address", s.URL(), "error", err)
		}
	}()
}

// Stop finishes what is being answered, as far as ctx leaves time. It must follow a Start.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.ended
	return err
}
