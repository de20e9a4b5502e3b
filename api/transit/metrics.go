package transit

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers the metrics of the model.
func (m *Model) Register(r prometheus.Registerer) {
	r.MustRegister(newETAMetrics(m), newFeedMetrics(m), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
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

// maxMetricLines bounds the series of each metric. The largest cities have some hundred lines; merged timetables of a
// country have thousands, and /v1/quality/eta tells all of them.
const maxMetricLines = 500

// etaMetrics exports ETAQuality by line.
type etaMetrics struct {
	model                                 *Model
	benchmark, mbta, cover, mae, verified *prometheus.Desc
	board, boardMinutes, ghosts           *prometheus.Desc
}

func newETAMetrics(m *Model) *etaMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("nhip_api_"+name, help+", by line.", []string{"line"}, nil)
	}
	return &etaMetrics{
		model:        m,
		benchmark:    desc("eta_benchmark_percent", "ETA Accuracy Benchmark of the verified predictions"),
		mbta:         desc("eta_mbta_percent", "Share of predictions within the MBTA's windows"),
		cover:        desc("eta_cover_percent", "Share of arrivals within the p10–p90 range"),
		mae:          desc("eta_mae_3min_seconds", "Mean absolute error of predictions of buses at most 3 minutes away"),
		verified:     desc("eta_verified_total", "Predictions that were compared with an arrival"),
		board:        desc("board_percent", "ETA Accuracy Benchmark of what boards told, with or without a bus"),
		boardMinutes: desc("board_minutes_total", "Questions to boards that an arrival answered"),
		ghosts:       desc("board_ghosts_percent", "Share of promises of buses within 15 minutes that no bus kept"),
	}
}

// Describe implements prometheus.Collector.
func (m *etaMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.benchmark, m.mbta, m.cover, m.mae, m.verified, m.board, m.boardMinutes, m.ghosts,
	} {
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
	slices.SortStableFunc(lines, func(a, b ETAQuality) int {
		return cmp.Compare(b.Predictions+b.BoardMinutes, a.Predictions+a.BoardMinutes)
	})
	seen := make(map[string]bool)
	for _, q := range lines[:min(len(lines), maxMetricLines)] {
		if seen[q.Line] { // labels must be unique: of two routes with one number, the one with more predictions is exported
			continue
		}
		seen[q.Line] = true
		for _, x := range [...]struct {
			desc  *prometheus.Desc
			kind  prometheus.ValueType
			value float64
			of    int // observations; without any there is nothing to tell
		}{
			{m.benchmark, prometheus.GaugeValue, q.Benchmark, q.Predictions},
			{m.mbta, prometheus.GaugeValue, q.MBTA, q.Predictions},
			{m.cover, prometheus.GaugeValue, q.Cover, q.Predictions},
			{m.mae, prometheus.GaugeValue, q.MAE[0], q.Predictions},
			{m.verified, prometheus.CounterValue, float64(q.Predictions), q.Predictions},
			{m.board, prometheus.GaugeValue, q.Board, q.BoardMinutes},
			{m.boardMinutes, prometheus.CounterValue, float64(q.BoardMinutes), q.BoardMinutes},
			{m.ghosts, prometheus.GaugeValue, q.Ghosts.Share, q.Ghosts.Promises},
		} {
			if x.of == 0 {
				continue
			}
			out <- prometheus.MustNewConstMetric(x.desc, x.kind, x.value, q.Line)
		}
	}
}
