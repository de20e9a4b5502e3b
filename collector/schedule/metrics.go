package schedule

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	mails *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{mails: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_collector_schedule_mails_total",
		Help: "Mails of scheduled reports, by outcome: sent, refused for good, retried, given_up after a day, and times " +
			"that were missed.",
	}, []string{"outcome"})}
	for _, outcome := range []string{outcomeSent, outcomeRefused, outcomeRetried, outcomeGivenUp, outcomeMissed} {
		m.mails.WithLabelValues(outcome)
	}
	if r != nil {
		r.MustRegister(m.mails)
	}
	return m
}
