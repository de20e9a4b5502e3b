package api

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/tiles"
	"nhip/internal/httpserver"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// allowedOfOthers are the methods that web pages of other origins may use.
const allowedOfOthers = "GET, HEAD, OPTIONS"

// Headers of every answer, under their canonical names and shared by all answers: setting them takes a notable part
// of the time of a cached tile.
var (
	anyOrigin      = []string{"*"}
	exposedHeaders = []string{
		"ETag, Nhip-Timetable-Expires, Nhip-Timetable-Expired, RateLimit, RateLimit-Policy, Retry-After",
	}
	noSniff = []string{"nosniff"}
)

// allowOrigins allows web pages of any origin to read the answers, with their ETag and the timetable's expiry.
// OPTIONS tells the methods of an address.
func allowOrigins(routes chi.Routes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			setCommonHeaders(h)
			if r.Method == http.MethodOptions {
				h.Set("Allow", strings.Join(methodsOf(routes, r), ", "))
				h.Set("Access-Control-Allow-Methods", allowedOfOthers)
				h.Set("Access-Control-Allow-Headers", "If-None-Match, Accept, Range")
				h.Set("Access-Control-Max-Age", "86400")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// newOverload returns how requests are refused while too many wait for the processors: all but those of the programs
// that watch over this one.
func newOverload() *httpserver.Overload {
	h := make(http.Header)
	setCommonHeaders(h)
	return &httpserver.Overload{Backoff: httpserver.NewBackoff(), Header: h, Exempt: watching}
}

// watching reports whether a request is one of a program that watches over this one.
func watching(target []byte) bool {
	path, _, _ := bytes.Cut(target, []byte("?"))
	switch string(path) {
	case "/livez", "/readyz", "/metrics":
		return true
	}
	return false
}

// plainRanges keeps requests of a range from being compressed: a range counts the bytes of the plain file.
func plainRanges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			r = r.Clone(r.Context())
			r.Header.Del("Accept-Encoding")
		}
		next.ServeHTTP(w, r)
	})
}

func setCommonHeaders(h http.Header) {
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	h["X-Content-Type-Options"] = noSniff
}

// recover answers a panic of a handler with a problem and logs it. If the answer has begun, the connection is
// aborted.
func (a *API) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ww := httpserver.Wrap(w)
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // http.Server handles it
			default:
				a.guard.Note("api", p)
				a.log.Error("handler panicked", "route", rest.RoutePattern(r))
				if ww.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				problem.Plain(ww, http.StatusInternalServerError, nhip.CodeInternal, "")
			}
		}()
		next.ServeHTTP(ww, r)
	})
}

// durations is the histogram of the durations of requests by route pattern and status.
func (a *API) durations() *prometheus.HistogramVec {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "nhip_api_request_seconds", Help: "Duration of requests, by route and status; streams are omitted.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
	}, []string{"route", "status"})
	a.o.Registry.MustRegister(seconds)
	return seconds
}

// measure records the duration of requests by route pattern. Neither metrics nor logs contain queries, because
// queries contain the coordinates of people.
func (a *API) measure(seconds *prometheus.HistogramVec) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			ww := httpserver.Wrap(w)
			status := "aborted" // unless the handler returns
			defer func() {
				if route := rest.RoutePattern(r); route != "/v1/live" {
					seconds.WithLabelValues(route, status).Observe(time.Since(began).Seconds())
				}
			}()
			next.ServeHTTP(ww, r)
			status = strconv.Itoa(max(ww.Status(), http.StatusOK))
		})
	}
}

// tilesFirst serves tiles with the same middleware as the router, and leaves all other requests to it: routing takes
// longer than all else that a cached tile needs.
func (a *API) tilesFirst(t http.Handler, seconds *prometheus.HistogramVec, router http.Handler) http.Handler {
	ok := make(map[string]prometheus.Observer) // the durations of status 200, by route
	for _, pattern := range tiles.Patterns() {
		ok[pattern] = seconds.WithLabelValues(pattern, strconv.Itoa(http.StatusOK))
	}
	guarded := a.recover(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RawPath != "" {
			router.ServeHTTP(w, r)
			return
		}
		pattern, isTile := tiles.Match(r.URL.Path)
		if !isTile {
			router.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		r.Pattern = pattern
		setCommonHeaders(w.Header())
		ww := httpserver.Wrap(w)
		guarded.ServeHTTP(ww, r)
		observer := ok[pattern]
		if status := ww.Status(); status > http.StatusOK {
			observer = seconds.WithLabelValues(pattern, strconv.Itoa(status))
		}
		observer.Observe(time.Since(began).Seconds())
	})
}
