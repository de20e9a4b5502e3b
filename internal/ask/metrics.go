package ask

import (
	"cmp"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

// askerMetrics count what an asker asks and hears.
type askerMetrics struct {
	asked   *prometheus.CounterVec // by question and outcome
	dropped *prometheus.CounterVec // by reason
}

func newAskerMetrics(r prometheus.Registerer) *askerMetrics {
	m := &askerMetrics{
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_asked_total", Help: "Questions to collectors, by how they ended: ok, or an error's code.",
		}, []string{"question", "outcome"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_answers_dropped_total", Help: "Answers that were not used: malformed, or late.",
		}, []string{"reason"}),
	}
	register(r, m.asked, m.dropped)
	return m
}

// answererMetrics count what an answerer hears and answers.
type answererMetrics struct {
	answered *prometheus.CounterVec // by question and outcome
	dropped  *prometheus.CounterVec // by reason
}

func newAnswererMetrics(r prometheus.Registerer) *answererMetrics {
	m := &answererMetrics{
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_answered_total", Help: "Questions that were answered, by how: ok, or an error's code.",
		}, []string{"question", "outcome"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_ask_questions_dropped_total",
			Help: "Questions without an answer: malformed, retained, with a reply topic that is none, or past a flood's bound.",
		}, []string{"reason"}),
	}
	register(r, m.answered, m.dropped)
	return m
}

func register(r prometheus.Registerer, all ...prometheus.Collector) {
	if r != nil {
		r.MustRegister(all...)
	}
}

// outcome names how a question ended.
func outcome(err error) string { return string(cmp.Or(nhip.ErrorCode(err), "ok")) }
