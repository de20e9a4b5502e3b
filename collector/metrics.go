package collector

import (
	"slices"
	"time"

	"nhip/internal/journal"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collector's numbers. Received rows are stored, rejected or pending, always.
type metrics struct {
	messages    prometheus.Counter
	received    *prometheus.CounterVec // rows, by kind
	rejected    *prometheus.CounterVec // rows, by reason
	stored      prometheus.Counter     // rows
	writeErrors prometheus.Counter
	unannounced prometheus.Counter
	writeTime   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_messages_total", Help: "Messages taken in.",
		}),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_collector_rows_received_total", Help: "Rows that passed the door, by kind.",
		}, []string{"kind"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_collector_rows_rejected_total", Help: "Rows turned away, by reason.",
		}, []string{"reason"}),
		stored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_rows_stored_total", Help: "Rows the database took; a row sent again after a crash counts again.",
		}),
		writeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_write_errors_total", Help: "Writes the database did not take and that were tried again.",
		}),
		unannounced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_announcements_missed_total",
			Help: "Dead letters that were kept and not announced, because too many were waiting for the broker.",
		}),
		writeTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "nhip_collector_write_seconds", Help: "Time of one write to the database.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	r.MustRegister(m.messages, m.received, m.rejected, m.stored, m.writeErrors, m.unannounced, m.writeTime)
	return m
}

// watch adds what the journal knows of itself.
func (m *metrics) watch(r prometheus.Registerer, j *journal.Journal) {
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("nhip_collector_journal_bytes", "Bytes of the journal on disk.", func() float64 {
		return float64(j.Stats().Bytes)
	})
	gauge("nhip_collector_journal_commits", "Group commits since the start.", func() float64 {
		return float64(j.Stats().Commits)
	})
}

// tally is what one message adds to the counts.
type tally struct {
	positions, readings int
	rejections          []rejection
}

func (o *outcome) tally() tally {
	return tally{len(o.facts.Positions), len(o.facts.Readings), slices.Clone(o.rejections)}
}

func (m *metrics) count(t tally) {
	m.messages.Inc()
	if t.positions > 0 {
		m.received.WithLabelValues("position").Add(float64(t.positions))
	}
	if t.readings > 0 {
		m.received.WithLabelValues("reading").Add(float64(t.readings))
	}
	for _, r := range t.rejections {
		m.rejected.WithLabelValues(string(r.err.Code)).Add(float64(r.rows))
	}
}

func (m *metrics) wrote(rows int, took time.Duration) {
	m.stored.Add(float64(rows))
	m.writeTime.Observe(took.Seconds())
}
