package gateway

import (
	"nhip/internal/mqtt/broker"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the gateway's metrics. Those of the forwarder are forwardMetrics.
type metrics struct {
	connections prometheus.Gauge
	refused     *prometheus.CounterVec // connections, by reason
	messages    prometheus.Counter
	denied      *prometheus.CounterVec // publications and subscriptions, by action
	limited     *prometheus.CounterVec // clients slowed down or disconnected, by class of the limit
	dropped     *prometheus.CounterVec // messages that a subscriber did not get, by cause
	unsaved     prometheus.Counter
	takeovers   prometheus.Counter
	pushes      *prometheus.CounterVec // by format and outcome
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_gateway_connections", Help: "Open connections.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_refused_total", Help: "Refused or revoked connections, by reason.",
		}, []string{"reason"}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_messages_total", Help: "Device messages passed on.",
		}),
		denied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_denied_total", Help: "Requests of clients without permission, by action.",
		}, []string{"action"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_limited_total",
			Help: "Times that a client was slowed down or disconnected because of a limit, by class of the limit.",
		}, []string{"class"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_dropped_total",
			Help: "Messages that a subscriber did not get, by cause: queue means that it reads too slowly.",
		}, []string{"cause"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_pushes_total",
			Help: "Messages pushed over HTTP, by format and outcome: taken, or the error code.",
		}, []string{"format", "outcome"}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_unsaved_total", Help: "Messages not acknowledged because they could not be written to disk.",
		}),
		takeovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_takeovers_total", Help: "Connections that ended because another one had their client id.",
		}),
	}
	r.MustRegister(m.connections, m.refused, m.messages, m.denied, m.limited, m.dropped, m.unsaved, m.takeovers,
		m.pushes)
	return m
}

// registerStats registers what the broker holds.
func registerStats(r prometheus.Registerer, stats func() broker.Stats) {
	for _, g := range []struct {
		name, help string
		value      func(broker.Stats) int
	}{
		{"sessions", "Sessions of MQTT clients, with those that outlive their connection.", func(s broker.Stats) int {
			return s.Sessions
		}},
		{"subscriptions", "Subscriptions of all sessions.", func(s broker.Stats) int { return s.Subscriptions }},
		{"retained", "Retained messages.", func(s broker.Stats) int { return s.Retained }},
	} {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "nhip_gateway_" + g.name, Help: g.help},
			func() float64 { return float64(g.value(stats())) }))
	}
}
