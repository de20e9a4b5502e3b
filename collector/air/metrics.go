package air

import (
	"strconv"
	"time"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	assessed *prometheus.CounterVec
	rollups  *prometheus.CounterVec
	refused  prometheus.Counter

	unassessed prometheus.Counter
	alerts     *prometheus.CounterVec

	undelivered *prometheus.CounterVec
}

// newMetrics returns the metrics, and registers them unless r is nil. remaining returns the work that remains.
func newMetrics(
	r prometheus.Registerer, zone *time.Location, completeness float64, remaining func() nhip.RecomputeProgress,
) *metrics {
	m := &metrics{
		assessed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_judged_total", Help: "New or changed assessments of readings, by flag.",
		}, []string{"flag"}),
		rollups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_rollups_total", Help: "Roll-ups of hours, days and months, by period.",
		}, []string{"period"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_air_refused_total",
			Help: "Writes of assessments and roll-ups that the database refused permanently.",
		}),
		unassessed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_air_unjudged_total",
			Help: "Stored readings that are not assessed, because a station sends more of an hour than are considered.",
		}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_alerts_total", Help: "Alerts that began, changed their grade or ended (grade 0), by grade.",
		}, []string{"grade"}),
		undelivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_air_alerts_undelivered_total", Help: "Failed attempts to deliver an alert, by recipient.",
		}, []string{"to"}),
	}
	if r == nil {
		return m
	}
	rules := prometheus.Labels{
		"zone": zone.String(), "completeness": strconv.FormatFloat(100*completeness, 'g', 6, 64),
	}
	r.MustRegister(m.assessed, m.rollups, m.refused, m.unassessed, m.alerts, m.undelivered,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_rules", Help: "Always 1; the labels are the rules for roll-ups: time zone and completeness in %.",
			ConstLabels: rules,
		}, func() float64 { return 1 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_left_hours", Help: "Hours of stations that have ended and are still to be assessed and summed up.",
		}, func() float64 { return float64(remaining().Hours) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_air_left_days", Help: "Days of stations that have ended and are still to be summed up.",
		}, func() float64 { return float64(remaining().Days) }))
	return m
}
