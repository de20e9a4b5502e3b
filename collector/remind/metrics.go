package remind

import (
	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of requests to web hooks.
const (
	hookDelivered = "delivered"
	hookRetried   = "retried"
	hookGivenUp   = "given_up" // the reminder is pointless by then
	hookDropped   = "dropped"  // an update, which the next one replaces
)

// metrics are those of the Decider.
type metrics struct {
	decided  *prometheus.CounterVec
	webhooks *prometheus.CounterVec
	round    prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, b *book, l *leader) *metrics {
	m := &metrics{
		decided: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_reminders_decided_total", Help: "Reminders that fired or ended, by kind and state.",
		}, []string{"kind", "state"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_reminder_webhooks_total",
			Help: "Requests to web hooks of reminders: delivered, retried, given_up (pointless by then), dropped (an update).",
		}, []string{"outcome"}),
		round: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "nhip_reminder_round_seconds", Help: "How long it took to decide the reminders that were due.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3},
		}),
	}
	r.MustRegister(m.decided, m.webhooks, m.round)
	for _, state := range []nhip.ReminderState{nhip.ReminderWaiting, nhip.ReminderFired, nhip.ReminderEnded} {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_reminders", Help: "Reminders that are kept, by state.",
			ConstLabels: prometheus.Labels{"state": string(state)},
		}, func() float64 { return float64(b.count(state)) }))
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_reminders_undelivered", Help: "Reminders that fired or ended and are not delivered yet.",
	}, func() float64 { return float64(len(b.undelivered())) }))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_reminder_leads", Help: "1 if this collector decides the reminders.",
	}, func() float64 {
		if l.leads() {
			return 1
		}
		return 0
	}))
	return m
}
