package stream

import "github.com/prometheus/client_golang/prometheus"

// Why a stream ended, as in the metric.
const (
	endedByClient = "client" // it disconnected
	endedSlow     = "slow"   // it did not read
	endedByServer = "server" // the server stopped
)

// metrics are those of a hub.
type metrics struct {
	refused *prometheus.CounterVec
	ended   *prometheus.CounterVec
	bytes   prometheus.Counter
	delay   prometheus.Histogram
}

// newMetrics returns metrics, and registers them if there is a registerer.
func newMetrics(o *Options) metrics {
	m := metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_streams_refused_total",
			Help: "Live streams that were refused: full (http.streams.max) or address (http.streams.per_address).",
		}, []string{"reason"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_streams_ended_total",
			Help: "Live streams that ended: client (it disconnected), slow (it did not read) or server (it stopped).",
		}, []string{"reason"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_api_stream_bytes_total", Help: "Bytes sent over live streams, before TLS.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "nhip_api_stream_delay_seconds",
			Help:    "How much later than planned live streams are served.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	for _, reason := range []string{"full", "address"} {
		m.refused.WithLabelValues(reason)
	}
	for _, reason := range []string{endedByClient, endedSlow, endedByServer} {
		m.ended.WithLabelValues(reason)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(m.refused, m.ended, m.bytes, m.delay,
			limit("nhip_api_streams_max", "Live streams that may be open; 0: no limit.", o.MaxStreams),
			limit("nhip_api_streams_per_address_max", "Live streams of one address that may be open; 0: no limit.",
				o.PerAddress))
	}
	return m
}

// limit returns a gauge of a setting.
func limit(name, help string, value int) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	g.Set(float64(value))
	return g
}
