package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// requestTimeout bounds one request; the longest answer is that of /metrics.
const requestTimeout = 10 * time.Second

// Server answers /livez, /readyz and /metrics for a role that has no HTTP door of its own.
type Server struct {
	listener net.Listener
	server   *http.Server
	log      *slog.Logger
	ended    chan struct{}
}

// Listen binds the address (host:port; port 0 picks a free one). Nothing is served before Start.
func Listen(addr string, ready *Readiness, numbers prometheus.Gatherer, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for HTTP on %s: %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", Live)
	mux.Handle("GET /readyz", ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(numbers, promhttp.HandlerOpts{}))
	return &Server{listener: l, log: log, ended: make(chan struct{}), server: &http.Server{
		Handler: mux, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients that hang up are no news
	}}, nil
}

// URL returns the address as browsers write it.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Start begins to answer.
func (s *Server) Start() {
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the health server ended", "error", err)
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
