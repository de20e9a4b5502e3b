package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// forwardMetrics are the forwarder's metrics that no other part counts.
type forwardMetrics struct {
	unreadable prometheus.Counter
	lost       prometheus.Counter
}

// newForwardMetrics registers them, and those that are read from f.
func newForwardMetrics(r prometheus.Registerer, f *Forwarder) *forwardMetrics {
	const prefix = "nhip_gateway_forward_"
	counter := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, value))
	}
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, value))
	}
	counter("forwarded_total", "Messages acknowledged by the upstream broker.",
		func() float64 { return float64(f.publisher.Load().Acked()) })
	counter("resent_total", "Messages sent again because the connection was lost before their acknowledgement.",
		func() float64 { return float64(f.publisher.Load().Resent()) })
	gauge("pending", "Messages on disk that are not forwarded yet.",
		func() float64 { return float64(f.Pending()) })
	gauge("oldest_seconds", "Seconds since the oldest message that is not forwarded yet was received.",
		func() float64 { return f.oldest(time.Now()).Seconds() })
	gauge("connected", "1 while the upstream broker is connected.",
		func() float64 { return toFloat(f.Connected()) })
	gauge("covered", "1 while a collector upstream has subscribed to anything; else everything waits.",
		func() float64 { return toFloat(f.Covered()) })
	gauge("uncovered", "Messages that wait because no collector has subscribed to their topics, while others are "+
		"forwarded.",
		func() float64 { return float64(f.Waiting()) })
	gauge("stuck", "Messages that make the upstream broker close the connection again and again; they block their queue.",
		func() float64 { return float64(f.publisher.Load().Stuck()) })
	gauge("journal_bytes", "Bytes of the journals on disk.",
		func() float64 { return float64(f.main.journal.Stats().Bytes + f.waiting.journal.Stats().Bytes) })
	m := &forwardMetrics{
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "unreadable_total", Help: "Invalid journal records skipped.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "lost_total", Help: "Acknowledged messages lost with parts of the journal.",
		}),
	}
	r.MustRegister(m.unreadable, m.lost)
	return m
}

// oldest returns the age of the oldest message that is not forwarded yet; 0 if there is none.
func (f *Forwarder) oldest(now time.Time) time.Duration {
	age := max(f.main.oldest(now), f.waiting.oldest(now))
	if since := f.waitingSince.Load(); since != 0 && f.waiting.pending() > 0 {
		age = max(age, now.Sub(time.Unix(0, since)))
	}
	return age
}

func toFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
