package consume

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	connections prometheus.Counter
	received    prometheus.Counter
	redelivered prometheus.Counter
	skipped     prometheus.Counter
	acked       prometheus.Counter
	rejected    prometheus.Counter

	resubscribed prometheus.Counter
	silent       prometheus.Counter
}

func newMetrics(r prometheus.Registerer, s *Source) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "nhip_source_" + name, Help: help})
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "nhip_source_" + name, Help: help},
			func() float64 { return float64(value()) })
	}
	m := &metrics{
		connections: counter("connections_total", "Connections whose subscriptions were granted. "+
			"More than a few per hour indicate a bad network, or another client with the same id."),
		received: counter("messages_total",
			"Messages delivered by the broker, including redeliveries and retained messages."),
		redelivered: counter("redelivered_total", "Messages that the broker had delivered before and delivered again."),
		skipped:     counter("retained_skipped_total", "Retained messages, which are acknowledged and not stored."),
		acked:       counter("acked_total", "Messages acknowledged to the broker."),
		rejected: counter("refused_total", "Messages that could not be stored. "+
			"They are not acknowledged, and the broker delivers them again."),

		resubscribed: counter("resubscriptions_total",
			"Subscriptions sent again because no message arrived for a long time."),
		silent: counter("deaf_total", "Connections closed because neither messages nor probes arrived any more, "+
			"although the connection was open."),
	}
	all := []prometheus.Collector{
		m.connections, m.received, m.redelivered, m.skipped, m.acked, m.rejected, m.resubscribed, m.silent,
		gauge("connected", "1 while the source is connected and its subscriptions are granted, else 0.", func() int {
			if s.Connected() {
				return 1
			}
			return 0
		}),
		gauge("queue_length", "Received messages that wait to be stored.", s.inboxCount),
		gauge("unacked", "Messages that are being stored and not acknowledged yet.", s.unackedCount),
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
