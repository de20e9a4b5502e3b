package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// forwardMetrics are the forwarder's numbers that nobody else keeps.
type forwardMetrics struct {
	unreadable prometheus.Counter
}

// newForwardMetrics registers them, with those that f and its parts know.
func newForwardMetrics(r prometheus.Registerer, f *Forwarder) *forwardMetrics {
	const prefix = "nhip_gateway_forward_"
	counter := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, value))
	}
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, value))
	}
	counter("forwarded_total", "Messages that upstream has acknowledged.", func() float64 { return float64(f.fan.Acked()) })
	counter("resent_total", "Messages sent again because the line was lost before they were acknowledged.",
		func() float64 { return float64(f.fan.Resent()) })
	gauge("pending", "Messages on disk here that are not forwarded yet.", func() float64 { return float64(f.Pending()) })
	gauge("oldest_seconds", "Age of the oldest message that is not forwarded yet, since it was received.",
		func() float64 { return f.oldest(time.Now()).Seconds() })
	gauge("connected", "1 while upstream is reached.", func() float64 { return toFloat(f.Connected()) })
	gauge("stuck", "Messages over which the line is lost again and again; what is behind them waits.",
		func() float64 { return float64(f.fan.Stuck()) })
	gauge("journal_bytes", "Bytes of the journal on disk.", func() float64 { return float64(f.journal.Stats().Bytes) })
	m := &forwardMetrics{unreadable: prometheus.NewCounter(prometheus.CounterOpts{
		Name: prefix + "unreadable_total", Help: "Journal records that could not be sent and were passed over.",
	})}
	r.MustRegister(m.unreadable)
	return m
}

// oldest returns how old the oldest message is that is not forwarded yet; 0 when all are.
func (f *Forwarder) oldest(now time.Time) time.Duration {
	received, ok := f.window.oldest()
	if !ok {
		return 0
	}
	return max(0, now.Sub(received))
}

func toFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
