package health

import (
	"log/slog"
	"net/http"

	"nhip/internal/httpserver"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthConnections bounds the connections of the health server: a scraper and an operator need few.
const healthConnections = 256

// Listen binds an address (host:port; port 0 picks a free one) for /livez, /readyz and /metrics of a role. It serves
// nothing before Start.
func Listen(addr string, ready http.Handler, metrics Registry, log *slog.Logger) (*httpserver.Server, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", Live)
	mux.Handle("GET /readyz", ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	return httpserver.Listen(addr, httpserver.Options{
		Name: "health", Handler: mux, Limits: httpserver.Limits{Connections: healthConnections, Bodies: 1},
		Logger: log, Registry: metrics,
	})
}

// Registry holds the metrics that the server shows, and its own.
type Registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}
