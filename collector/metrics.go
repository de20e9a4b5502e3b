package collector

import (
	"slices"
	"time"

	"nhip/collector/ledger"
	"nhip/internal/journal"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collector's numbers. Received rows are stored, rejected or pending, always.
type metrics struct {
	messages     prometheus.Counter
	received     *prometheus.CounterVec // rows, by kind
	rejected     *prometheus.CounterVec // rows, by reason
	stored       prometheus.Counter     // rows
	duplicates   prometheus.Counter     // rows
	revisions    prometheus.Counter     // rows
	writeErrors  prometheus.Counter
	unannounced  prometheus.Counter
	arrivals     prometheus.Counter
	arrivalsLost *prometheus.CounterVec // by where they did not go
	writeTime    prometheus.Histogram
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
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_rows_duplicate_total", Help: "Rows that were said before; judged again after a crash they count again.",
		}),
		revisions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_rows_revised_total", Help: "Rows that were said before with another content.",
		}),
		writeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_write_errors_total", Help: "Writes the database did not take and that were tried again.",
		}),
		unannounced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_announcements_missed_total",
			Help: "Dead letters that were kept and not announced, because too many were waiting for the broker.",
		}),
		arrivals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_collector_arrivals_total", Help: "Arrivals of buses at stops that were seen.",
		}),
		arrivalsLost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_collector_arrivals_missed_total",
			Help: "Arrivals that did not reach the database or the broker, because it was away for long; positions have them all the same.",
		}, []string{"to"}),
		writeTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "nhip_collector_write_seconds", Help: "Time of one write to the database.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	r.MustRegister(m.messages, m.received, m.rejected, m.stored, m.duplicates, m.revisions, m.writeErrors, m.unannounced, m.arrivals, m.arrivalsLost, m.writeTime)
	return m
}

// watch adds what the parts of a collector know of themselves.
func (m *metrics) watch(r prometheus.Registerer, c *Collector) {
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "nhip_collector_" + name, Help: help}, value))
	}
	for _, j := range []struct {
		name, what string
		stats      func() journal.Stats
	}{
		{"journal", "the intake's journal", c.intake.Stats},
		{"outbox", "the outbox, which holds what is on its way to the database", c.outbox.Stats},
	} {
		gauge(j.name+"_bytes", "Bytes on disk of "+j.what+".", func() float64 { return float64(j.stats().Bytes) })
		gauge(j.name+"_max_bytes", "Bound of the bytes of "+j.what+".", func() float64 { return float64(j.stats().MaxBytes) })
		gauge(j.name+"_full", "1 while there is no room for "+j.what+": nothing is acknowledged.", func() float64 { return number(j.stats().Full) })
		gauge(j.name+"_commits", "Group commits since the start of "+j.what+".", func() float64 { return float64(j.stats().Commits) })
		gauge(j.name+"_failures", "Commits that failed since the start of "+j.what+".", func() float64 { return float64(j.stats().Failures) })
		gauge(j.name+"_lost_records", "Records lost to damage of "+j.what+".", func() float64 { return float64(j.stats().LostRecords) })
	}
	gauge("journal_unjudged", "Records of the intake that are not judged yet.", func() float64 { return float64(c.clerk.behind()) })
	gauge("outbox_pending", "Parcels of the outbox that are not in the database.", func() float64 { return float64(c.drain.pending()) })
	gauge("backlog_max_rows_per_second", "Bound of the rows a second that go to the database of what waited; 0 is none.", func() float64 { return c.drain.backlogRate() })
	gauge("dead_bytes", "Bytes on disk of the dead letters.", func() float64 { return float64(deadFiles{c.deadDir}.bytes()) })
	gauge("dead_max_bytes", "Bound of the bytes of the dead letters; beyond it the oldest day goes.", func() float64 { return float64(c.dead) })
	m.watchLedger(gauge, c.book)
}

func (m *metrics) watchLedger(gauge func(name, help string, value func() float64), b *ledger.Book) {
	gauge("ledger_bytes", "Bytes on disk of the ledger, with what each device has said within the late window.", func() float64 { return float64(b.Stats().Bytes) })
	gauge("ledger_files", "Files of the ledger.", func() float64 { return float64(b.Stats().Runs) })
	gauge("ledger_unsaved", "Facts and counts that are in memory until the next checkpoint.", func() float64 { s := b.Stats(); return float64(s.Facts + s.Cells) })
	gauge("ledger_devices", "Devices whose last words are in memory.", func() float64 { return float64(b.Stats().Devices) })
	gauge("ledger_damaged", "Files of the ledger in which damage was found; what they held is not counted any more.", func() float64 { return float64(b.Stats().Damaged) })
	gauge("ledger_unbalanced", "Times that a row of the ledger was found whose sum does not hold. Anything but 0 is a fault of nhip.", func() float64 { return float64(b.Stats().Unbalanced) })
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// tally is what one message adds to the counts.
type tally struct {
	positions, readings, sayings int
	rejections                   []rejection
}

func (o *outcome) tally() tally {
	return tally{len(o.facts.Positions), len(o.facts.Readings), len(o.facts.Sayings), slices.Clone(o.rejections)}
}

func (m *metrics) count(t tally) {
	m.messages.Inc()
	if t.positions > 0 {
		m.received.WithLabelValues("position").Add(float64(t.positions))
	}
	if t.readings > 0 {
		m.received.WithLabelValues("reading").Add(float64(t.readings))
	}
	if t.sayings > 0 {
		m.received.WithLabelValues("saying").Add(float64(t.sayings))
	}
	for _, r := range t.rejections {
		m.rejected.WithLabelValues(string(r.err.Code)).Add(float64(r.rows))
	}
}

func (m *metrics) wrote(rows int, took time.Duration) {
	m.stored.Add(float64(rows))
	m.writeTime.Observe(took.Seconds())
}
