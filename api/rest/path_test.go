package rest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"nhip"

	"github.com/go-chi/chi/v5"
)

func TestPathIDIsDecodedOnce(t *testing.T) {
	var got string
	var failed error
	r := chi.NewRouter()
	r.Get("/stations/{id}", func(_ http.ResponseWriter, r *http.Request) { got, failed = PathID(r, "id") })
	for path, want := range map[string]string{
		"50%25": "50%", "a%2541": "a%41", "a%41": "aA", "b%2F1": "b/1", "%C4%91": "đ",
	} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/stations/"+path, nil))
		if got != want || failed != nil {
			t.Errorf("%s: %q, %v, want %q", path, got, failed, want)
		}
	}
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/stations/a%00b", nil))
	if code := nhip.ErrorCode(failed); code == "" {
		t.Errorf("an id with a zero byte is accepted as %q", got)
	}
}

func TestRoutePatternHoldsNothingOfRequest(t *testing.T) {
	var got string
	r := chi.NewRouter()
	r.Get("/stations/{id}", func(_ http.ResponseWriter, r *http.Request) { got = RoutePattern(r) })
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/stations/x?near=21,105", nil))
	if got != "/stations/{id}" {
		t.Errorf("the pattern is %q", got)
	}
	if got := RoutePattern(httptest.NewRequest(http.MethodGet, "/", nil)); got != "none" {
		t.Errorf("without a route: %q", got)
	}
}
