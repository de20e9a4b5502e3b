package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"nhip/internal/httpserver"

	"github.com/go-chi/chi/v5"
)

// fleetSize is how many buses the city has.
const fleetSize = 2500

// BenchmarkServe loads a serving api, whose buses move, with wrk. In turns with it the same middleware serves a fixed
// body of the same length. of-fixed is the ratio of their rates, cpu-of-fixed that of their CPU times, which exclude
// wrk's.
func BenchmarkServe(b *testing.B) {
	needWrk(b)
	a := startSimulated(b, fleetSize)
	addMonitors(b, a)
	for _, c := range []struct {
		name, path string
		zips       bool // the handler compresses; elsewhere the middleware does
	}{
		{"nearest10", "/v1/buses?near=21.03,105.85&limit=10", false},
		{"all", "/v1/buses", false},
		{"transit-tile", "/tiles/transit/13/6504/3606.mvt", true},
		{"air-tile", "/tiles/air/10/813/450.mvt", true},
		{"air-picture", "/tiles/air/12/3252/1803.png", true},
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run("get="+c.name+"/encoding="+encoding, func(b *testing.B) {
				written := encoding
				if !c.zips {
					written = "identity"
				}
				answer := fetch(b, a.URL()+c.path, written)
				fixed := startFixed(b, a, c.path, answer)
				var ours, floor served
				b.ResetTimer()
				for b.Loop() {
					floor.take(b, fixed+c.path, encoding)
					ours.take(b, a.URL()+c.path, encoding)
				}
				b.ReportMetric(float64(len(answer.body)), "body-B")
				reportServed(b, &ours, &floor)
			})
		}
	}
}

func reportServed(b *testing.B, ours, floor *served) {
	b.ReportMetric(0, "ns/op") // an op is a turn of both
	b.ReportMetric(ours.rate(), "req/s")
	b.ReportMetric(ours.rate()/floor.rate(), "of-fixed")
	b.ReportMetric(ours.cpuPerRequest(), "cpu-µs/req")
	b.ReportMetric(floor.cpuPerRequest()/ours.cpuPerRequest(), "cpu-of-fixed")
	b.ReportMetric(float64(ours.p50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(ours.p99.Microseconds())/1000, "p99-ms")
}

// served is the measurement of one server in all its turns.
type served struct {
	requests float64
	took     time.Duration
	cpu      time.Duration // of this process: the server and the moving city
	p50, p99 time.Duration // of the slowest turn
}

func (s *served) take(b *testing.B, url, encoding string) {
	before := cpuTime(b)
	l := wrk(b, url, encoding)
	s.cpu += cpuTime(b) - before
	s.requests += l.rate * wrkTurn.Seconds()
	s.took += wrkTurn
	s.p50, s.p99 = max(s.p50, l.p50), max(s.p99, l.p99)
}

func (s *served) rate() float64 { return s.requests / s.took.Seconds() }

// cpuPerRequest is in µs.
func (s *served) cpuPerRequest() float64 { return s.cpu.Seconds() * 1e6 / s.requests }

// cpuTime returns the CPU time of this process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fixed is an answer that is made in advance.
type fixed struct {
	header http.Header
	body   []byte
}

// ServeHTTP writes it.
func (f *fixed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for _, name := range []string{"Content-Type", "Content-Encoding", "Cache-Control"} {
		if v := f.header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	_, _ = w.Write(f.body) // fails if the client disconnected
}

// fetch returns an answer as it is sent.
func fetch(b *testing.B, url, encoding string) *fixed {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encoding)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
		b.Fatalf("%s: %s, %d bytes, %v", url, answer.Status, len(body), err)
	}
	return &fixed{answer.Header, body}
}

// startFixed serves an answer behind the middleware that the api has for a path, at the same path of another server.
func startFixed(b *testing.B, a *API, path string, answer *fixed) (url string) {
	b.Helper()
	routes, where := a.server.Handler.(chi.Routes), chi.NewRouteContext()
	asked := httptest.NewRequest(http.MethodGet, path, nil).URL.Path
	if !routes.Match(where, http.MethodGet, asked) {
		b.Fatalf("no route for %s", asked)
	}
	r := chi.NewRouter()
	mount := func(method, route string, _ http.Handler, chain ...func(http.Handler) http.Handler) error {
		if method == http.MethodGet && route == where.RoutePattern() {
			r.With(chain...).Method(method, route, answer)
		}
		return nil
	}
	if err := chi.Walk(routes, mount); err != nil {
		b.Fatal(err)
	}
	s := httptest.NewServer(r)
	b.Cleanup(s.Close)
	return s.URL
}

// BenchmarkWarmTile loads one cached tile with wrk, in turns with a bare handler of the same header and bytes on a
// server of net/http without anything of ours. of-bare is the ratio of their rates, cpu-of-bare that of their CPU
// times.
func BenchmarkWarmTile(b *testing.B) {
	needWrk(b)
	a := newAPI(b, func(o *Options) { o.Server.Limits = httpserver.Limits{Connections: 20_000, PerAddress: 10_000} })
	addMonitors(b, a)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = a.server.Serve(a.listener) }()
	b.Cleanup(func() { _ = a.server.Close(); <-ended })
	const path = "/tiles/air/12/3252/1803.mvt"
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run("encoding="+encoding, func(b *testing.B) {
			answer := fetch(b, a.URL()+path, encoding)
			bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				for name, values := range answer.header {
					if name != "Date" {
						h[name] = values
					}
				}
				_, _ = w.Write(answer.body) // fails if the client disconnected
			}))
			defer bare.Close()
			var ours, floor served
			b.ResetTimer()
			for b.Loop() {
				floor.take(b, bare.URL+path, encoding)
				ours.take(b, a.URL()+path, encoding)
			}
			b.ReportMetric(0, "ns/op") // an op is a turn of both
			b.ReportMetric(float64(len(answer.body)), "body-B")
			b.ReportMetric(ours.rate(), "req/s")
			b.ReportMetric(ours.rate()/floor.rate(), "of-bare")
			b.ReportMetric(ours.cpuPerRequest(), "cpu-µs/req")
			b.ReportMetric(floor.cpuPerRequest()/ours.cpuPerRequest(), "cpu-of-bare")
		})
	}
}
