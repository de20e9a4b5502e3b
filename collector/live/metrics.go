package live

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of a State and its Publisher.
type Metrics struct {
	unannounced  prometheus.Counter
	arrivals     prometheus.Counter
	arrivalsLost *prometheus.CounterVec // by destination
	servicesLeft *prometheus.CounterVec // by kind
	shifts       *prometheus.GaugeVec   // by agency
}

// shifted sets how much the positions of an agency are off the timetable.
func (m *Metrics) shifted(agency string, by time.Duration) {
	if m != nil {
		m.shifts.WithLabelValues(agency).Set(by.Seconds())
	}
}

// serviceLeft counts trips, alerts and feeds beyond the bounds.
func (m *Metrics) serviceLeft(kind string, n int) {
	if m != nil {
		m.servicesLeft.WithLabelValues(kind).Add(float64(n))
	}
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		unannounced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_announcements_missed_total",
			Help: "Dead letters, confirmations and alerts not published because too many were waiting for the broker.",
		}),
		arrivals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_arrivals_total", Help: "Detected arrivals of buses at stops.",
		}),
		arrivalsLost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_collector_arrivals_missed_total",
			Help: "Arrivals dropped during a long outage, by destination. The positions they were derived from are kept.",
		}, []string{"to"}),
		servicesLeft: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_collector_services_left_out_total",
			Help: "Trip updates and service alerts of realtime feeds beyond the number that is kept, by kind.",
		}, []string{"kind"}),
		shifts: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "nhip_collector_timetable_shift_seconds",
			Help: "Full hours by which the buses of an agency seem to be late, all of them alike: a wrong clock or time zone.",
		}, []string{"agency"}),
	}
	r.MustRegister(m.unannounced, m.arrivals, m.arrivalsLost, m.servicesLeft, m.shifts)
	return m
}
