package api

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"nhip/geo/index"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// BenchmarkGTFSRealtime serves the trip updates of 2,500 simulated buses from memory.
func BenchmarkGTFSRealtime(b *testing.B) {
	a := startSimulated(b, fleetSize)
	body := getZipped(b, a, "/gtfs-rt/trip-updates.pb").Body.Bytes() // the feed is kept compressed
	againstFixedBytes(b, a, "/gtfs-rt/trip-updates.pb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	})
}

// BenchmarkOneBusAway serves arrivals at a stop of a city with 2,500 simulated buses, and those around it: most answers
// are those of the same second.
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
		path := "/api/where/arrivals-and-departures-for-stop/" + agency + "_" + stop.ID + ".json"
		againstFixedBytes(b, a, path, fixedJSON(b, a, path))
	})
	b.Run("location", func(b *testing.B) {
		path := "/api/where/arrivals-and-departures-for-location.json?latSpan=0.01&lonSpan=0.01&" + at
		againstFixedBytes(b, a, path, fixedJSON(b, a, path))
	})
}

// BenchmarkOneBusAwayStops serves arrivals at one stop after the other: none of the answers was asked for before. The
// fixed bytes are those of each answer in turn.
func BenchmarkOneBusAwayStops(b *testing.B) {
	a := startSimulated(b, fleetSize)
	t, err := a.transit.Timetable()
	if err != nil {
		b.Fatal(err)
	}
	stops := t.Stops().Within(nil, index.World, nil)
	paths := make([]string, len(stops))
	for i, s := range stops {
		paths[i] = "/api/where/arrivals-and-departures-for-stop/" + t.QualifiedStop(s.Item) + ".json"
	}
	var body []byte
	zipped := middleware.Compress(compressLevel, compressed...)
	r := a.server.Handler.(routed).routes.(chi.Router)
	r.With(a.classes.List.Admit, zipped).Get("/fixed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	var ours, theirs []time.Duration
	for b.Loop() {
		for i, path := range paths {
			began := time.Now()
			w := getZipped(b, a, path+"?minutesAfter="+strconv.Itoa(30+(len(ours)+i)%30))
			ours = append(ours, time.Since(began))
			body = inflated(b, w)
			began = time.Now()
			getZipped(b, a, "/fixed")
			theirs = append(theirs, time.Since(began))
		}
	}
	reportAgainst(b, ours, theirs)
}

// inflated returns the body of a compressed answer.
func inflated(b *testing.B, w *httptest.ResponseRecorder) []byte {
	b.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.Bytes()
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// getZipped returns the answer of an api to a client that accepts gzip.
func getZipped(b *testing.B, a *API, path string) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w
}

// fixedJSON returns a handler that sends the JSON of an answer, compressed by the same middleware.
func fixedJSON(b *testing.B, a *API, path string) http.HandlerFunc {
	b.Helper()
	plain := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(plain, httptest.NewRequest(http.MethodGet, path, nil))
	if plain.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, plain.Code, plain.Body)
	}
	body := plain.Body.Bytes()
	zipped := middleware.Compress(compressLevel, compressed...)
	return zipped(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})).ServeHTTP
}

// againstFixedBytes requests an answer, and in turn one of a handler that sends the same bytes, behind the same
// admission. of-fixed-bytes is the ratio of the median times.
func againstFixedBytes(b *testing.B, a *API, path string, fixed http.HandlerFunc) {
	const fixedPath = "/fixed"
	r := a.server.Handler.(routed).routes.(chi.Router)
	r.With(a.classes.List.Admit).Get(fixedPath, fixed)
	var ours, theirs []time.Duration
	for b.Loop() {
		for range 200 {
			began := time.Now()
			getZipped(b, a, fixedPath)
			between := time.Now()
			getZipped(b, a, path)
			theirs, ours = append(theirs, between.Sub(began)), append(ours, time.Since(between))
		}
	}
	reportAgainst(b, ours, theirs)
}

// reportAgainst reports the ratio of the median times of an answer and of fixed bytes, and the quantiles of the first.
func reportAgainst(b *testing.B, ours, theirs []time.Duration) {
	b.Helper()
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(theirs[len(theirs)/2].Seconds()/ours[len(ours)/2].Seconds(), "of-fixed-bytes")
	b.ReportMetric(float64(ours[len(ours)*99/100].Microseconds())/1000, "p99-ms")
}
