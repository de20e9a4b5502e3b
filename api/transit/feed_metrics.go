package transit

import (
	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

// feedMetrics exports FeedQualities. A collector bounds the number of feeds.
type feedMetrics struct {
	model                *Model
	board, minutes, told *prometheus.Desc
}

func newFeedMetrics(m *Model) *feedMetrics {
	return &feedMetrics{
		model: m,
		board: prometheus.NewDesc("nhip_api_feed_board_percent",
			"ETA Accuracy Benchmark of the expected times of a realtime feed, or of ours for the same arrivals, in the last "+
				"three weeks.", []string{"feed", "predicted_by"}, nil),
		minutes: prometheus.NewDesc("nhip_api_feed_board_minutes",
			"Questions of the last three weeks that compare a realtime feed with us.", []string{"feed"}, nil),
		told: prometheus.NewDesc("nhip_api_feed_told", "1 if the expected times of a realtime feed are told where we have "+
			"some, too; 0 if ours are.", []string{"feed"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *feedMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.board, m.minutes, m.told} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *feedMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, q := range m.model.FeedQualities() {
		told := 0.0
		if q.Told == nhip.PredictionsTheirs {
			told = 1
		}
		gauge(m.told, told, q.Feed)
		gauge(m.minutes, float64(q.Minutes), q.Feed)
		if q.Minutes > 0 {
			gauge(m.board, q.Ours.Board, q.Feed, string(nhip.PredictionsOurs))
			gauge(m.board, q.Theirs.Board, q.Feed, string(nhip.PredictionsTheirs))
		}
	}
}
