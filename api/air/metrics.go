package air

import "github.com/prometheus/client_golang/prometheus"

// Register registers the metrics of the model.
func (m *Model) Register(r prometheus.Registerer) { r.MustRegister(newMetrics(m)) }

// metrics exports the accuracy of the fields.
type metrics struct {
	model        *Model
	rmse, rounds *prometheus.Desc
}

func newMetrics(m *Model) *metrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("nhip_api_"+name, help, []string{"quantity"}, nil)
	}
	return &metrics{
		model: m,
		rmse: desc("surface_rmse",
			"Root mean square error of estimating each monitor from the others, in the quantity's unit, faded over ten days."),
		rounds: desc("surface_rounds", "Number of hours that were learned from."),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.rmse
	ch <- m.rounds
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for q, v := range m.model.learned.Load().newest {
		ch <- prometheus.MustNewConstMetric(m.rmse, prometheus.GaugeValue, v.RMSE(), string(q))
		ch <- prometheus.MustNewConstMetric(m.rounds, prometheus.GaugeValue, float64(v.Count), string(q))
	}
}
