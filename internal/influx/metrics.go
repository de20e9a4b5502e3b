package influx

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics measures the requests of one DB.
type metrics struct {
	registerer prometheus.Registerer
	requests   *prometheus.HistogramVec
}

// newMetrics makes the metrics, and registers them where there is a registerer.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "nhip_influx_request_seconds",
		Help:    "How long InfluxDB took over a request, by what it was and how it ended.",
		Buckets: prometheus.ExponentialBuckets(0.002, 4, 8), // 2 ms, a small write, to 33 s, past the time limit
	}, []string{"request", "outcome"})}
	if r == nil {
		return m, nil
	}
	if err := r.Register(m.requests); err != nil {
		return nil, fmt.Errorf("can't register the metrics of InfluxDB: %w", err)
	}
	return m, nil
}

// observe records a request. Outcomes are ok, and for a write the kinds of its errors, else error.
func (m *metrics) observe(request, outcome string, took time.Duration) {
	m.requests.WithLabelValues(request, outcome).Observe(took.Seconds())
}

func (m *metrics) close() {
	if m.registerer != nil {
		m.registerer.Unregister(m.requests)
	}
}
