package transit

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers the metrics of the model.
func (m *Model) Register(r prometheus.Registerer) {
	r.MustRegister(newETAMetrics(m), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_timetable_days_left",
		Help: "Days until the end of the timetable's last day; negative after it, NaN if there is none.",
	}, m.daysLeft))
}

func (m *Model) daysLeft() float64 {
	t := m.inUse.Load()
	if t.expires == 0 {
		return math.NaN()
	}
	return t.expires.At(24*3600, t.Network.Location()).Sub(m.o.Clock.Now()).Hours() / 24
}

// etaMetrics exports ETAQuality by line.
type etaMetrics struct {
	model                                 *Model
	benchmark, mbta, cover, mae, verified *prometheus.Desc
}

func newETAMetrics(m *Model) *etaMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("nhip_api_eta_"+name, help, []string{"line"}, nil)
	}
	return &etaMetrics{
		model:     m,
		benchmark: desc("benchmark_percent", "ETA Accuracy Benchmark of the verified predictions, by line."),
		mbta:      desc("mbta_percent", "Share of predictions within the MBTA's windows, by line."),
		cover:     desc("cover_percent", "Share of arrivals within the p10–p90 range, by line."),
		mae:       desc("mae_3min_seconds", "Mean absolute error of predictions of buses at most 3 minutes away, by line."),
		verified:  desc("verified_total", "Predictions that were compared with an arrival, by line."),
	}
}

// Describe implements prometheus.Collector.
func (m *etaMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.benchmark, m.mbta, m.cover, m.mae, m.verified} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *etaMetrics) Collect(out chan<- prometheus.Metric) {
	t, err := m.model.Timetable()
	if err != nil {
		return
	}
	_, _, lines := t.ETAQuality()
	seen := make(map[string]bool)
	for _, q := range lines {
		if seen[q.Line] { // labels must be unique: of two routes with one number, the first is exported
			continue
		}
		seen[q.Line] = true
		out <- prometheus.MustNewConstMetric(m.benchmark, prometheus.GaugeValue, q.Benchmark, q.Line)
		out <- prometheus.MustNewConstMetric(m.mbta, prometheus.GaugeValue, q.MBTA, q.Line)
		out <- prometheus.MustNewConstMetric(m.cover, prometheus.GaugeValue, q.Cover, q.Line)
		out <- prometheus.MustNewConstMetric(m.mae, prometheus.GaugeValue, q.MAE[0], q.Line)
		out <- prometheus.MustNewConstMetric(m.verified, prometheus.CounterValue, float64(q.Predictions), q.Line)
	}
}
