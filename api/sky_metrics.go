package api

import (
	"github.com/prometheus/client_golang/prometheus"
)

// skyMetrics are the numbers of the map: how well the air is known, and how tiles are kept.
type skyMetrics struct {
	api                              *API
	rmse, rounds, tiles, bytes, past *prometheus.Desc
}

func newSkyMetrics(a *API) *skyMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("nhip_api_"+name, help, labels, nil)
	}
	return &skyMetrics{
		api:    a,
		rmse:   desc("surface_rmse", "How far off each monitor is estimated from the others, in the quantity's unit, when the surface was learned last.", "quantity"),
		rounds: desc("surface_rounds", "Hours that the surface was learned from.", "quantity"),
		tiles:  desc("tiles_total", "Tiles that were asked for, by whether they had to be made.", "outcome"),
		bytes:  desc("tile_cache_bytes", "Bytes of tiles that are kept."),
		past:   desc("past_moments", "Moments of the past that are kept, by what they are of.", "of"),
	}
}

// Describe implements prometheus.Collector.
func (m *skyMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.rmse, m.rounds, m.tiles, m.bytes, m.past} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *skyMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for q, model := range m.api.sky.learned.Load().Models {
		gauge(m.rmse, model.RMSE, string(q))
		gauge(m.rounds, float64(model.Rounds), string(q))
	}
	hits, made, bytes := m.api.tiles.numbers()
	ch <- prometheus.MustNewConstMetric(m.tiles, prometheus.CounterValue, float64(hits), "kept")
	ch <- prometheus.MustNewConstMetric(m.tiles, prometheus.CounterValue, float64(made), "made")
	gauge(m.bytes, float64(bytes))
	gauge(m.past, float64(m.api.sky.past.len()), "air")
	gauge(m.past, float64(m.api.fleets.len()), "buses")
}

// numbers returns how many tiles were there, how many were made, and how many bytes are kept.
func (c *tileCache) numbers() (hits, made, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits, c.made, c.bytes
}

func (m *memo[T]) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}
