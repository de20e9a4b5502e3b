package oba_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/oba"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// TestPopularAnswersAreKeptForASecond asks for the arrivals at a stop as several riders do.
func TestPopularAnswersAreKeptForASecond(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	h := &oba.Handler{
		Transit: city.Transit, Live: city.Live, Clock: city.Clock, Kept: oba.NewKept(prometheus.NewRegistry()),
		Responder: city.Responder,
	}
	r := chi.NewRouter()
	h.Routes(r)
	ask := func(query, encoding string) (*httptest.ResponseRecorder, string) {
		t.Helper()
		req := httptest.NewRequest(http.MethodGet, "/api/where/arrivals-and-departures-for-stop/HN_S15.json"+query, nil)
		req.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		body := io.Reader(w.Body)
		if w.Header().Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return w, string(raw)
	}
	_, first := ask("", "identity")
	city.Report(t, []nhip.TripUpdate{{Trip: "T8-0", Relationship: nhip.TripCanceled}}, nil)
	for _, query := range []string{"", "?key=TEST&app_uid=u&app_ver=9"} {
		if _, again := ask(query, "identity"); again != first {
			t.Errorf("%q was made anew", query)
		}
	}
	if w, zipped := ask("", "gzip"); zipped != first || w.Header().Get("Content-Encoding") != "gzip" ||
		w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("compressed: %v, the same: %v", w.Header(), zipped == first)
	}
	if _, other := ask("?minutesAfter=36", "identity"); other == first {
		t.Error("another span has the same answer")
	}
	if _, long := ask("?routeType="+strings.Repeat("3,", 600)+"3", "identity"); long == first {
		t.Error("a long request is answered from what is kept")
	}
	if w, _ := ask("?minutesAfter=-1", "identity"); w.Code != http.StatusBadRequest {
		t.Errorf("an invalid span: %d", w.Code)
	}
	city.Clock.Set(citytest.Eight.Add(time.Second))
	if _, later := ask("", "identity"); later == first {
		t.Error("an answer is kept for more than a second")
	}
}
