package stream

import "github.com/prometheus/client_golang/prometheus"

// Why a stream ended, as in the metric.
const (
	endedByClient = "client" // it disconnected
	endedSlow     = "slow"   // it did not read
	endedByServer = "server" // the server stopped
	endedSilent   = "silent" // it did not answer pings
)

// Reasons for which a stream begins anew, as in the metric.
const (
	resetUnknown = "unknown" // the id is none of this server since its start, or the subscription was another one
	resetOld     = "old"     // too much has happened since
)

// metrics are those of a hub.
type metrics struct {
	refused *prometheus.CounterVec
	ended   *prometheus.CounterVec
	bytes   prometheus.Counter
	delay   prometheus.Histogram

	byTransport *prometheus.GaugeVec
	resumed     *prometheus.CounterVec
	messages    *prometheus.CounterVec
	watched     prometheus.Gauge
	watching    prometheus.Counter
	alerts      prometheus.Gauge
}

// newMetrics returns metrics, and registers them if there is a registerer.
func newMetrics(o *Options) metrics {
	m := metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_streams_refused_total",
			Help: "Live streams that were refused: full (http.streams.max), address (http.streams.per_address) or watched " +
				"(nhip_api_streams_watched has reached its limit).",
		}, []string{"reason"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_streams_ended_total",
			Help: "Live streams that ended: client (it disconnected), slow (it did not read), silent (it did not answer " +
				"pings) or server (it stopped).",
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
	m.addSubscriptions()
	for _, reason := range []string{"full", "address", "watched"} {
		m.refused.WithLabelValues(reason)
	}
	for _, reason := range []string{endedByClient, endedSlow, endedByServer, endedSilent} {
		m.ended.WithLabelValues(reason)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(m.refused, m.ended, m.bytes, m.delay, m.byTransport, m.resumed, m.messages, m.watched,
			m.watching, m.alerts,
			limit("nhip_api_stream_alerts_max", "Active service alerts that live streams show.", o.maxAlerts),
			limit("nhip_api_streams_watched_max", "Stops and zones that live streams may watch in all.", o.maxWatched),
			limit("nhip_api_streams_max", "Live streams that may be open; 0: no limit.", o.MaxStreams),
			limit("nhip_api_streams_per_address_max", "Live streams of one address that may be open; 0: no limit.",
				o.PerAddress))
	}
	return m
}

// addSubscriptions makes the metrics of what clients ask for.
func (m *metrics) addSubscriptions() {
	m.byTransport = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "nhip_api_streams_open", Help: "Open live streams by transport: sse or websocket.",
	}, []string{"transport"})
	m.resumed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_api_streams_resumed_total",
		Help: "Live streams whose client asked to continue: resumed, or begun anew because the position was old or unknown.",
	}, []string{"result"})
	m.messages = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_api_stream_messages_total",
		Help: "Messages of clients over WebSockets: subscribed, invalid, or flood (the connection was closed).",
	}, []string{"result"})
	m.watched = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_api_streams_watched", Help: "Stops and zones that live streams watch.",
	})
	m.watching = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "nhip_api_stream_watch_seconds_total", Help: "Time spent on the boards and the air that live streams watch.",
	})
	m.alerts = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_api_stream_alerts", Help: "Active service alerts, of which live streams show up to a limit.",
	})
	for _, transport := range []string{transportSSE, transportSocket} {
		m.byTransport.WithLabelValues(transport)
	}
	for _, result := range []string{"resumed", resetOld, resetUnknown} {
		m.resumed.WithLabelValues(result)
	}
	for _, result := range []string{"subscribed", "invalid", "flood"} {
		m.messages.WithLabelValues(result)
	}
}

// open counts a stream that is opened, or with -1 closed.
func (m *metrics) open(transport string, n float64) { m.byTransport.WithLabelValues(transport).Add(n) }

// limit returns a gauge of a setting.
func limit(name, help string, value int) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	g.Set(float64(value))
	return g
}
