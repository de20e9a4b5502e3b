package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"nhip/geo/index"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// BenchmarkGTFSRealtime serves the trip updates of 2,500 simulated buses from memory.
func BenchmarkGTFSRealtime(b *testing.B) {
	againstFixedBytes(b, startSimulated(b, fleetSize), "/gtfs-rt/trip-updates.pb")
}

// BenchmarkOneBusAway serves arrivals at a stop of a city with 2,500 simulated buses, and those around it.
func BenchmarkOneBusAway(b *testing.B) {
	a := startSimulated(b, fleetSize)
	t, err := a.transit.Timetable()
	if err != nil {
		b.Fatal(err)
	}
	stop := t.Stops().Within(nil, index.World, nil)[0].Item
	at := fmt.Sprintf("lat=%f&lon=%f", stop.Point.Lat(), stop.Point.Lon())
	agency := t.Network.CallsAt(stop)[0].Pattern.Route.Agency.ID
	b.Run("stop", func(b *testing.B) {
		againstFixedBytes(b, a, "/api/where/arrivals-and-departures-for-stop/"+agency+"_"+stop.ID+".json")
	})
	b.Run("location", func(b *testing.B) {
		againstFixedBytes(b, a, "/api/where/arrivals-and-departures-for-location.json?latSpan=0.01&lonSpan=0.01&"+at)
	})
}

// againstFixedBytes requests an answer, and in turn the same bytes from a handler that does nothing else, behind the
// same middleware. of-fixed-bytes is the ratio of the median times.
func againstFixedBytes(b *testing.B, a *API, path string) {
	const fixedPath = "/fixed"
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
	body := plainly(b, a, path)
	r := a.server.Handler.(routed).routes.(chi.Router)
	zip := middleware.Compress(compressLevel, compressed...)
	r.With(a.classes.List.Admit, zip).Get(fixedPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
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
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(body)), "bytes")
	b.ReportMetric(theirs[len(theirs)/2].Seconds()/ours[len(ours)/2].Seconds(), "of-fixed-bytes")
	b.ReportMetric(float64(ours[len(ours)*99/100].Microseconds())/1000, "p99-ms")
}

// plainly returns the body of an answer without compression.
func plainly(b *testing.B, a *API, path string) []byte {
	b.Helper()
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}
