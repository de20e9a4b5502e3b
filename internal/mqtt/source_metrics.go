package mqtt

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// sourceMetrics are a source's numbers.
type sourceMetrics struct {
	connections prometheus.Counter
	received    prometheus.Counter
	redelivered prometheus.Counter
	skipped     prometheus.Counter
	acked       prometheus.Counter
	refused     prometheus.Counter

	resubscribed prometheus.Counter
	deaf         prometheus.Counter
}

func newSourceMetrics(r prometheus.Registerer, s *Source) (*sourceMetrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "nhip_source_" + name, Help: help})
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "nhip_source_" + name, Help: help},
			func() float64 { return float64(value()) })
	}
	m := &sourceMetrics{
		connections: counter("connections_total", "Connections whose subscriptions were granted; more than a few an hour mean a bad line, or another client with the same id."),
		received:    counter("messages_total", "Messages that the broker delivered, those delivered again and retained copies among them."),
		redelivered: counter("redelivered_total", "Messages that the broker had sent before and that it delivered again."),
		skipped:     counter("retained_skipped_total", "Retained copies, which are acknowledged and not taken in."),
		acked:       counter("acked_total", "Messages acknowledged to the broker."),
		refused:     counter("refused_total", "Messages that the door did not take; they are not acknowledged and are delivered again."),

		resubscribed: counter("resubscriptions_total", "Times that nothing came for so long that the source subscribed again."),
		deaf:         counter("deaf_total", "Connections given up because nothing came over them any more, although they stood."),
	}
	all := []prometheus.Collector{
		m.connections, m.received, m.redelivered, m.skipped, m.acked, m.refused, m.resubscribed, m.deaf,
		gauge("connected", "1 while the source is connected and its subscriptions are granted.", func() int {
			if s.Connected() {
				return 1
			}
			return 0
		}),
		gauge("queue_length", "Messages received that wait for the door.", s.queued),
		gauge("unacked", "Messages that the door has and that are not acknowledged yet.", s.inHand),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("can't register the metrics of a source: %w", err)
		}
	}
	return m, nil
}
