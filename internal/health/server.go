package health

import (
	"log/slog"
	"net/http"
	"time"

	"nhip/internal/httpserver"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// requestTimeout bounds one request; the longest answer is that of /metrics.
const requestTimeout = 10 * time.Second

// Listen binds an address (host:port; port 0 picks a free one) for /livez, /readyz and /metrics of a role that
// has no HTTP door of its own. Nothing is served before Start.
func Listen(addr string, ready *Readiness, numbers prometheus.Gatherer, log *slog.Logger) (*httpserver.Server, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", Live)
	mux.Handle("GET /readyz", ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(numbers, promhttp.HandlerOpts{}))
	return httpserver.Listen(addr, nil, &http.Server{Handler: mux, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout}, log)
}
