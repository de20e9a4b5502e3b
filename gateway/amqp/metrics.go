package amqp

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	connections, redelivered, acked, tooLarge, rejected, retries prometheus.Counter
	connected, unacked                                           prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, s *Source) (*metrics, error) {
	labels := prometheus.Labels{"source": s.o.Name}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_amqp_" + name, Help: help, ConstLabels: labels,
		})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_gateway_amqp_" + name, Help: help, ConstLabels: labels,
		})
	}
	m := &metrics{
		connections: counter("connections_total", "Connections to the AMQP broker that consume the queue."),
		redelivered: counter("redelivered_total", "Messages that the AMQP broker had delivered before."),
		acked:       counter("acked_total", "Messages that are on disk and acknowledged to the AMQP broker."),
		tooLarge:    counter("too_large_total", "Messages beyond the maximum size, of which only the beginning is kept."),
		rejected:    counter("rejected_total", "Messages that can't be stored at all, rejected without requeueing."),
		retries:     counter("retries_total", "Further attempts to store messages that could not be written to disk."),
		connected:   gauge("connected", "1 while the queue is consumed, else 0."),
		unacked:     gauge("unacked", "Messages delivered and not acknowledged yet."),
	}
	return m, errors.Join(
		r.Register(m.connections), r.Register(m.redelivered), r.Register(m.acked), r.Register(m.tooLarge),
		r.Register(m.rejected), r.Register(m.retries), r.Register(m.connected), r.Register(m.unacked),
	)
}
