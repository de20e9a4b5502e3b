package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// BenchmarkGTFSRealtime serves the trip updates of 2,500 simulated buses from memory, and in turn the same bytes by a
// handler that does nothing else, behind the same middleware. of-fixed-bytes is the ratio of the median times.
func BenchmarkGTFSRealtime(b *testing.B) {
	const path, fixedPath = "/gtfs-rt/trip-updates.pb", "/fixed"
	a := startSimulated(b, fleetSize)
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w
	}
	began := time.Now()
	answer := get(path)
	made := time.Since(began)
	fixed := answer.Body.Bytes()
	r := a.server.Handler.(routed).routes.(chi.Router)
	r.With(a.classes.List.Admit).Get(fixedPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(fixed)
	})
	var ours, theirs []time.Duration
	for b.Loop() {
		for range 200 {
			began := time.Now()
			get(fixedPath)
			between := time.Now()
			get(path)
			theirs, ours = append(theirs, between.Sub(began)), append(ours, time.Since(between))
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return all[len(all)/2].Seconds()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(fixed)), "bytes")
	b.ReportMetric(float64(made.Milliseconds()), "ms-to-make")
	b.ReportMetric(median(theirs)/median(ours), "of-fixed-bytes")
}
