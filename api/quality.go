package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"nhip/geo/backtest"

	"github.com/prometheus/client_golang/prometheus"
)

// etaQuality is how right predictions were.
type etaQuality struct {
	Route         string     `json:"route,omitempty"`
	Line          string     `json:"line,omitempty"`
	Benchmark     float64    `json:"eta_benchmark"`
	BenchmarkBins [4]float64 `json:"eta_benchmark_bins"`
	MBTA          float64    `json:"mbta"`
	MBTABins      [4]float64 `json:"mbta_bins"`
	Cover         float64    `json:"p10_p90_cover"`
	MAE           [4]float64 `json:"mae_s"`
	Bias          float64    `json:"bias_s"`
	Arrivals      int        `json:"arrivals"`
	Predictions   int        `json:"predictions"`
}

func qualityOf(r backtest.Report) etaQuality {
	return etaQuality{
		Benchmark: r.Benchmark, BenchmarkBins: r.BenchmarkBins, MBTA: r.MBTA, MBTABins: r.MBTABins, Cover: r.Cover,
		MAE: r.MAE, Bias: r.Bias, Arrivals: r.Arrivals, Predictions: r.Predictions,
	}
}

// quality returns the score of everything and of each line, by line.
func (t *transit) quality() (since time.Time, all etaQuality, lines []etaQuality) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	lines = []etaQuality{}
	for id, r := range t.score.Routes() {
		q := qualityOf(r)
		q.Route = id
		if route := t.net.Feed.Route(id); route != nil {
			q.Line = lineOf(route)
		}
		lines = append(lines, q)
	}
	slices.SortFunc(lines, func(a, b etaQuality) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Route, b.Route)) })
	return t.score.Since(), qualityOf(t.score.All()), lines
}

// getETAQuality answers GET /v1/quality/eta: we show our own error in public.
func (a *API) getETAQuality(w http.ResponseWriter, r *http.Request) {
	t, err := a.timetable(readQuery(r).err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	since, all, lines := t.quality()
	writeJSON(w, struct {
		Time  time.Time    `json:"time"`
		Since time.Time    `json:"since"`
		All   etaQuality   `json:"all"`
		Lines []etaQuality `json:"lines"`
	}{a.o.Clock.Now(), since, all, lines})
}

// etaMetrics are the same numbers for Prometheus.
type etaMetrics struct {
	api                                   *API
	benchmark, mbta, cover, mae, verified *prometheus.Desc
}

func newETAMetrics(a *API) *etaMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("nhip_api_eta_"+name, help, []string{"line"}, nil)
	}
	return &etaMetrics{
		api:       a,
		benchmark: desc("benchmark_percent", "ETA Accuracy Benchmark of the predictions that have come true or not, by line."),
		mbta:      desc("mbta_percent", "Share of predictions within the MBTA's windows, by line."),
		cover:     desc("cover_percent", "Share of arrivals within the p10–p90 range, by line."),
		mae:       desc("mae_3min_seconds", "Mean absolute error of predictions of buses at most 3 minutes away, by line."),
		verified:  desc("verified_total", "Predictions that were held against an arrival, by line."),
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
	t := m.api.city.transit.Load()
	if t == nil {
		return
	}
	_, _, lines := t.quality()
	seen := make(map[string]bool)
	for _, q := range lines {
		if seen[q.Line] { // two routes with one number: the first stands for both
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
