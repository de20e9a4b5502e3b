package api

import "github.com/prometheus/client_golang/prometheus"

func (a *API) registerMetrics() {
	r := a.o.Registry
	a.transit.Register(r)
	a.air.Register(r)
	a.tiles.Register(r)
	gauge := func(name, help string, labels prometheus.Labels, value func() int) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value()) }))
	}
	const past = "Cached moments of the past, by kind."
	gauge("nhip_api_past_moments", past, prometheus.Labels{"of": "air"}, a.air.PastSnapshots)
	gauge("nhip_api_past_moments", past, prometheus.Labels{"of": "buses"}, a.live.PastFleets)
	gauge("nhip_api_streams", "Open live streams.", nil, a.hub.Streams)
	gauge("nhip_api_streams_direct", "Open live streams that are written without waiting: those without TLS.", nil,
		a.hub.Direct)
	gauge("nhip_api_buses", "Buses on the map.", nil, a.live.Buses().Len)
}
