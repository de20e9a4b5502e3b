package influx

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics has the metrics of one DB.
type metrics struct {
	registerer prometheus.Registerer
	requests   *prometheus.HistogramVec
}

// newMetrics creates the metrics and registers them unless r is nil.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "nhip_influx_request_seconds",
		Help:    "Duration of requests to InfluxDB, by request and outcome.",
		Buckets: prometheus.ExponentialBuckets(0.002, 4, 8), // from 2 ms, a small write, to 33 s, beyond the timeout
	}, []string{"request", "outcome"})}
	if r == nil {
		return m, nil
	}
	if err := r.Register(m.requests); err != nil {
		return nil, fmt.Errorf("can't register the metrics of InfluxDB: %w", err)
	}
	return m, nil
}

// observe records a request. The outcome of success is "ok"; that of a failed write is its Kind, that of another failed
// request "error".
func (m *metrics) observe(request, outcome string, took time.Duration) {
	m.requests.WithLabelValues(request, outcome).Observe(took.Seconds())
}

func (m *metrics) close() {
	if m.registerer != nil {
		m.registerer.Unregister(m.requests)
	}
}
