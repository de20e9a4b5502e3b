package rpc

import (
	"cmp"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

// clientMetrics count a client's requests and responses.
type clientMetrics struct {
	requests *prometheus.CounterVec // by method and outcome
	dropped  *prometheus.CounterVec // by reason
}

func newClientMetrics(r prometheus.Registerer) *clientMetrics {
	m := &clientMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_asked_total", Help: "Requests to collectors by method and outcome: ok, or the code of the error.",
		}, []string{"question", "outcome"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_answers_dropped_total",
			Help: "Responses that were dropped by reason: malformed, or late (after the time-out of the request).",
		}, []string{"reason"}),
	}
	register(r, m.requests, m.dropped)
	return m
}

// serverMetrics count a server's requests and responses.
type serverMetrics struct {
	responses *prometheus.CounterVec // by method and outcome
	dropped   *prometheus.CounterVec // by reason
}

func newServerMetrics(r prometheus.Registerer) *serverMetrics {
	m := &serverMetrics{
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_answered_total", Help: "Responses to requests by method and outcome: ok, or the code of the error.",
		}, []string{"question", "outcome"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_questions_dropped_total",
			Help: "Requests without a response by reason: malformed, retained, reply (not a reply topic), or flood (too many).",
		}, []string{"reason"}),
	}
	register(r, m.responses, m.dropped)
	return m
}

func register(r prometheus.Registerer, all ...prometheus.Collector) {
	if r != nil {
		r.MustRegister(all...)
	}
}

// outcome returns the label for how a request ended.
func outcome(err error) string { return string(cmp.Or(nhip.ErrorCode(err), "ok")) }
