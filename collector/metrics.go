package collector

import (
	"slices"

	"nhip/collector/record"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of a collector. Each received row is stored, duplicate, revised, rejected, lost or pending.
type metrics struct {
	messages    prometheus.Counter
	received    *prometheus.CounterVec // rows, by kind
	rejected    *prometheus.CounterVec // rows, by reason
	dropped     *prometheus.CounterVec // fields, by name
	stored      prometheus.Counter     // rows
	duplicates  prometheus.Counter     // rows
	revisions   prometheus.Counter     // rows
	lost        *prometheus.CounterVec // messages of the intake, rows of the outbox
	writeErrors prometheus.Counter
	writeTime   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "nhip_collector_" + name, Help: help})
	}
	counters := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nhip_collector_" + name, Help: help}, []string{label})
	}
	m := &metrics{
		messages: counter("messages_total", "Accepted messages."),
		received: counters("rows_received_total", "Rows that passed all checks, by kind.", "kind"),
		rejected: counters("rows_rejected_total", "Rejected rows, by reason.", "reason"),
		dropped:  counters("fields_dropped_total", "Invalid fields that were dropped from accepted rows, by field.", "field"),
		stored: counter("rows_stored_total",
			"Rows written to the database. Rows written again after a crash are counted again."),
		duplicates: counter("rows_duplicate_total",
			"Rows received before with the same content. Rows classified again after a crash are counted again."),
		revisions: counter("rows_revised_total", "Rows received before with different content."),
		lost: counters("rows_lost_total",
			"Acknowledged messages (intake) and rows (outbox) that are lost, by journal.", "journal"),
		writeErrors: counter("write_errors_total", "Failed writes to the database that were retried."),
		writeTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "nhip_collector_write_seconds", Help: "Duration of one write to the database.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	r.MustRegister(m.messages, m.received, m.rejected, m.dropped, m.stored, m.duplicates, m.revisions, m.lost,
		m.writeErrors,
		m.writeTime)
	return m
}

// counts are what one message adds to the metrics.
type counts struct {
	positions, readings, actions, trips, alerts int

	rejections []record.Rejection
}

func countsOf(o *record.Outcome) counts {
	f := &o.Facts
	c := counts{
		positions: len(f.Positions), readings: len(f.Readings), actions: len(f.UserActions),
		rejections: slices.Clone(o.Rejections),
	}
	if f.Service != nil {
		c.trips, c.alerts = len(f.Service.Trips), len(f.Service.Alerts)
	}
	return c
}

func (m *metrics) count(c counts) {
	m.messages.Inc()
	m.countReceived("position", c.positions)
	m.countReceived("reading", c.readings)
	m.countReceived("saying", c.actions)
	m.countReceived("trip_update", c.trips)
	m.countReceived("service_alert", c.alerts)
	for _, r := range c.rejections {
		m.rejected.WithLabelValues(string(r.Err.Code)).Add(float64(r.Rows))
	}
}

func (m *metrics) countReceived(kind string, rows int) {
	if rows > 0 {
		m.received.WithLabelValues(kind).Add(float64(rows))
	}
}
