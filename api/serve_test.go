package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// fleetSize is the size of the city's bus fleetSize.
const fleetSize = 2500

// BenchmarkServe asks a served api, in a city that moves, with wrk. In turns with it the same
// middleware serves bytes that are there already, as many as the handler would have written:
// of-fixed is the rate of the one to that of the other, cpu-of-fixed the same by the server's CPU
// time, which has nothing of wrk's in it.
func BenchmarkServe(b *testing.B) {
	needWrk(b)
	a := startSimulated(b, fleetSize)
	skyOver(b, a)
	for _, c := range []struct {
		name, path string
		zips       bool // in the handler; elsewhere the middleware does
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
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(ours.rate(), "req/s")
	b.ReportMetric(ours.rate()/floor.rate(), "of-fixed")
	b.ReportMetric(ours.cpuPerRequest(), "cpu-µs/req")
	b.ReportMetric(floor.cpuPerRequest()/ours.cpuPerRequest(), "cpu-of-fixed")
	b.ReportMetric(float64(ours.p50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(ours.p99.Microseconds())/1000, "p99-ms")
}

// served is what one contestant did under wrk, in all its turns.
type served struct {
	requests float64
	took     time.Duration
	cpu      time.Duration // of this process: the server's, and the little that the moving city takes
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

// cpuTime is what this process has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fixed is an answer that is there already.
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
	_, _ = w.Write(f.body) // the client may be gone
}

// fetch returns an answer as it goes over the wire.
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

// startFixed serves an answer behind the middleware that the api has before a path, at the same path
// of a server of its own.
func startFixed(b *testing.B, a *API, path string, answer *fixed) (url string) {
	b.Helper()
	routes, where := a.server.Handler.(chi.Routes), chi.NewRouteContext()
	asked := httptest.NewRequest(http.MethodGet, path, nil).URL.Path
	if !routes.Match(where, http.MethodGet, asked) {
		b.Fatalf("there is no route to %s", asked)
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
