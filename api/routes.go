package api

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/internal/health"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// compressLevel is gzip's level for answers that are made for each request.
const compressLevel = 5

// allowed are the methods of every public address.
const allowed = "GET, HEAD, OPTIONS"

// routes lists every address.
func (a *API) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(a.measure(), a.recover, open, middleware.GetHead)
	r.NotFound(a.notFound)
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		problem.Plain(w, http.StatusMethodNotAllowed, nhip.Invalid, r.Method+" is not possible here")
	})

	r.Get("/livez", health.Live)
	r.Method(http.MethodGet, "/readyz", a.ready)
	r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(a.o.Registry, promhttp.HandlerOpts{}))

	r.Group(func(r chi.Router) {
		r.Use(middleware.Compress(compressLevel, geoJSON, "application/json", "application/problem+json", "text/csv",
			"application/yaml", "application/vnd.oai.openapi+json", "text/html", "text/css", "text/javascript", "image/svg+xml"))
		r.With(a.needCity).Get("/v1/buses", a.listBuses)
		r.With(a.needCity).Get("/v1/stations", a.listStations)
		r.With(a.needCity).Get("/v1/stations/{id}", a.getStation)
		r.Get("/v1/stations/{id}/readings", a.listReadings)
		r.Get("/v1/stations/{id}/aqi", a.listIndices)
		r.Get("/v1/stations/{id}/report", a.getReport)
		r.With(a.needCity).Get("/v1/stations/status", a.listStatus)
		r.With(a.needCity).Get("/v1/exceedances", a.listExceedances)
		r.Group(func(r chi.Router) {
			r.Use(a.sayExpiry)
			r.With(a.needCity).Get("/v1/departures", a.listDepartures)
			r.Get("/v1/stops", a.listStops)
			r.Get("/v1/stops/{id}", a.getStop)
			r.With(a.needCity).Get("/v1/stops/{id}/arrivals", a.listArrivals)
			r.With(a.needCity).Get("/v1/routes", a.listRoutes)
			r.With(a.needCity).Get("/v1/routes/{id}", a.getRoute)
			r.With(a.needCity).Get("/v1/routes/{id}/air", a.getRouteAir)
			r.Get("/v1/search", a.search)
			r.Get("/v1/quality/eta", a.getETAQuality)
		})
		r.With(a.needCity).Get("/v1/air", a.getAir)
		r.With(a.needCity).Get("/v1/zones", a.listZones)
		r.With(a.needCity).Get("/v1/zones.geojson", a.listZones)
		a.ogcRoutes(r)
		r.Get("/v1/map", a.getMap)
		r.Get("/openapi.yaml", serveContract)
		r.Get("/*", a.web())
	})
	r.With(a.needCity).Get("/v1/live", a.live)

	r.Group(func(r chi.Router) {
		r.Use(a.operator, a.needCity)
		r.Get("/v1/ledger", a.ledger)
		r.Get("/v1/dead", a.listDead)
		r.Get("/v1/dead/{collector}/{id}", a.showDead)
		r.Post("/v1/dead/replay", a.replayDead)
		r.Get("/v1/reviews", a.listReviews)
		r.Post("/v1/reviews", a.postReview)
		r.Get("/v1/stations/{id}/value", a.getValue)
		r.Get("/v1/retention", a.getRetention)
		r.Post("/v1/retention", a.postRetention)
		r.Get("/v1/alerts", a.listAlerts)
		r.Get("/v1/alerts/live", a.liveAlerts)
		r.Post("/v1/alerts/{id}/ack", a.ackAlert)
		r.Get("/v1/recompute", a.getRecompute)
		r.Post("/v1/recompute", a.postRecompute)
	})

	if a.o.In != nil {
		r.Method(http.MethodPost, "/in/{format}/{device}", a.o.In)
	}

	r.Get(basemapPath, a.getBasemap)
	r.Get("/v1/legend", a.getLegend)
	r.Get("/styles/nhip.json", a.getStyle)
	r.Get("/tiles/air.json", a.airTileJSON)
	r.Get("/tiles/air.png.json", a.airPictureJSON)
	r.With(a.needCity).Get("/tiles/air/{z}/{x}/{y}.mvt", a.airTile)
	r.With(a.needCity).Get("/tiles/air/{z}/{x}/{y}.png", a.airPicture)
	r.Get("/tiles/transit.json", a.transitTileJSON)
	r.Get("/tiles/transit/{z}/{x}/{y}.mvt", a.transitTile)
	return r
}

func serveContract(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(contract) // the client may be gone
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	a.problem(w, r, nhip.Errorf(nhip.NotFound, "", "there is nothing at this address"))
}

// open lets any web page read the public answers, and tiles keep their ETag across origins.
func open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "ETag, Nhip-Timetable-Expires, Nhip-Timetable-Expired")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodOptions {
			h.Set("Allow", allowed)
			h.Set("Access-Control-Allow-Methods", allowed)
			h.Set("Access-Control-Allow-Headers", "If-None-Match, Accept, Range")
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recover turns a panic into an answer and a log line; the process goes on. Where an answer has
// begun it can only be broken off.
func (a *API) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // meant for the server
			default:
				a.log.Error("a handler panicked", "route", routePattern(r), "panic", p)
				if ww.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				problem.Plain(ww, http.StatusInternalServerError, nhip.Internal, "")
			}
		}()
		next.ServeHTTP(ww, r)
	})
}

// measure counts requests by route pattern. Neither it nor any log holds a query: people's
// coordinates are in there.
func (a *API) measure() func(http.Handler) http.Handler {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "nhip_api_request_seconds", Help: "Time of answers, by route and status; streams are not timed.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
	}, []string{"route", "status"})
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_streams", Help: "Live streams that are open now.",
	}, func() float64 { return float64(a.hub.size()) })
	buses := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_buses", Help: "Buses on the map.",
	}, func() float64 { return float64(a.city.buses.Len()) })
	a.o.Registry.MustRegister(seconds, streams, buses)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			status := "aborted" // unless the handler returns
			defer func() {
				if route := routePattern(r); route != "/v1/live" {
					seconds.WithLabelValues(route, status).Observe(time.Since(began).Seconds())
				}
			}()
			next.ServeHTTP(ww, r)
			status = strconv.Itoa(max(ww.Status(), http.StatusOK))
		})
	}
}

// routePattern names the route without anything of the request.
func routePattern(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	return "none"
}

// Contract returns api/openapi.yaml.
func Contract() []byte { return bytes.Clone(contract) }
