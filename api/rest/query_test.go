package rest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nhip"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

func parse(query string, known ...string) *Query {
	return ReadQuery(httptest.NewRequest(http.MethodGet, "/?"+query, nil), known...)
}

func TestQueryParsesParameters(t *testing.T) {
	noon := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	q := parse("near=21.03,105.85&bbox=170,-10,-170,10&n=7&f=1.5&b=true"+
		"&t=2026-02-16T19:00:00%2B07:00&day=2026-02-16&level=raw",
		"near", "bbox", "n", "f", "b", "t", "day", "level")
	if p, ok := q.Point("near"); !ok || p != (orb.Point{105.85, 21.03}) {
		t.Errorf("near %v %t", p, ok)
	}
	if b, ok := q.Box("bbox"); !ok || b != (index.Box{MinLon: 170, MinLat: -10, MaxLon: -170, MaxLat: 10}) {
		t.Errorf("bbox %v %t", b, ok)
	}
	if n, f := q.Integer("n", 1, 0, 10), q.Number("f", 0, 0, 2); n != 7 || f != 1.5 || !q.Boolean("b") {
		t.Errorf("numbers %d, %v", n, f)
	}
	hanoi := time.FixedZone("", 7*3600)
	if at := q.Time("t", time.Time{}); !at.Equal(noon) || at.Location() != time.UTC {
		t.Errorf("time %v", at)
	}
	if end := q.LocalTime("day", noon, hanoi, 1); !end.Equal(time.Date(2026, 2, 17, 0, 0, 0, 0, hanoi)) {
		t.Errorf("the day ends at %v", end)
	}
	if q.Quality("level") != nhip.QualityRaw || q.Err != nil {
		t.Errorf("quality, error %v", q.Err)
	}
}

func TestQueryReturnsDefaultsOfMissingParameters(t *testing.T) {
	q := parse("")
	if _, ok := q.Point("near"); ok {
		t.Error("a point without a parameter")
	}
	if b, ok := q.Box("bbox"); ok || b != index.World {
		t.Errorf("bbox %v", b)
	}
	if q.Integer("n", 3, 0, 10) != 3 || q.Boolean("b") || q.Scale("index") != nhip.ScaleVNAQI ||
		q.Quality("level") != nhip.QualityReviewed || !q.PastTime("t", time.Now()).IsZero() || q.Err != nil {
		t.Errorf("other defaults; error %v", q.Err)
	}
}

func TestQueryKeepsFirstError(t *testing.T) {
	q := parse("n=x&near=91,0", "n", "near")
	q.Integer("n", 0, 0, 10)
	q.Point("near")
	var err *nhip.Error
	if !errors.As(q.Err, &err) || err.Field != "n" || err.Code != nhip.CodeInvalid {
		t.Errorf("error %v", q.Err)
	}
}

func TestReadQueryRejectsUnknownAndRepeatedParameters(t *testing.T) {
	for _, query := range []string{"raduis=5", "n=1&n=2", "n=%zz"} {
		if q := parse(query, "n"); q.Err == nil {
			t.Errorf("%s is accepted", query)
		}
	}
	if q := LenientQuery(httptest.NewRequest(http.MethodGet, "/?key=1", nil)); q.Err != nil {
		t.Errorf("a lenient query: %v", q.Err)
	}
	if q := LenientQuery(httptest.NewRequest(http.MethodGet, "/?time=1&time=2", nil), "time"); q.Err == nil {
		t.Error("a lenient query takes one of two values")
	}
}
