package air

import (
	"strconv"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	judged  *prometheus.CounterVec
	rollups *prometheus.CounterVec
	refused prometheus.Counter
	alerts  *prometheus.CounterVec

	undelivered *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, k *Keeper) *metrics {
	m := &metrics{
		judged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_judged_total", Help: "Verdicts on readings that were new or changed, by flag.",
		}, []string{"flag"}),
		rollups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_rollups_total", Help: "Hours, days and months summed up, by period.",
		}, []string{"period"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_air_refused_total", Help: "Writes of verdicts and roll-ups that the database refused for good.",
		}),
	}
	m.alerts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_air_alerts_total", Help: "Alerts that began, changed their grade or ended (0), by grade.",
	}, []string{"grade"})
	m.undelivered = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_air_alerts_undelivered_total", Help: "Tries to deliver an alert that failed.",
	}, []string{"to"})
	if r == nil {
		return m
	}
	r.MustRegister(m.judged, m.rollups, m.refused, m.alerts, m.undelivered,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_rules", Help: "1; its labels say by which rules hours and days are summed up.",
			ConstLabels: prometheus.Labels{"zone": k.o.Zone.String(), "completeness": strconv.FormatFloat(100*k.completeness, 'g', 6, 64)},
		}, func() float64 { return 1 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_left_hours", Help: "Hours of stations that have ended and are still to be judged and summed up.",
		}, func() float64 { return float64(k.leftNow().Hours) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_left_days", Help: "Days of stations that are over and still to be summed up.",
		}, func() float64 { return float64(k.leftNow().Days) }))
	return m
}

func (k *Keeper) leftNow() nhip.Recomputing {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.left("")
}
