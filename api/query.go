package api

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// query reads the parameters of a request. The first rule that one breaks is kept in err; from then
// on everything reads as its default.
type query struct {
	values url.Values
	err    error
}

// readQuery takes a request's parameters; one that is not listed is an error, because a typing
// mistake that changes nothing would be believed.
func readQuery(r *http.Request, known ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.fail("", "the query can't be read: %v", err)
		return q
	}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			q.fail(name, "is no parameter here%s", alternatives(known))
		case len(given) > 1:
			q.fail(name, "must be given once")
		}
	}
	return q
}

// alternatives lists the parameters that there are.
func alternatives(known []string) string {
	if len(known) == 0 {
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

func (q *query) fail(field, format string, args ...any) {
	if q.err == nil {
		q.err = nhip.Errorf(nhip.Invalid, field, format, args...)
	}
}

// text returns a parameter, or "" when it is not given. Given and empty is an error.
func (q *query) text(name string) string {
	if !q.values.Has(name) || q.err != nil {
		return ""
	}
	s := q.values.Get(name)
	if s == "" {
		q.fail(name, "must not be empty")
	} else if err := nhip.CheckText(name, s); err != nil && q.err == nil {
		q.err = err
	}
	return s
}

func (q *query) integer(name string, def, low, high int) int {
	s := q.text(name)
	if s == "" || q.err != nil {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		q.fail(name, "must be a whole number between %d and %d, got %q", low, high, s)
		return def
	}
	return n
}

// boolean reads true or false; false when it is not given.
func (q *query) boolean(name string) bool {
	switch s := q.text(name); s {
	case "", "false":
		return false
	case "true":
		return true
	default:
		q.fail(name, "must be true or false, got %q", s)
		return false
	}
}

func (q *query) number(name string, def, low, high float64) float64 {
	s := q.text(name)
	if s == "" || q.err != nil {
		return def
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= low && f <= high) {
		q.fail(name, "must be a number between %v and %v, got %q", low, high, s)
		return def
	}
	return f
}

func (q *query) time(name string, def time.Time) time.Time {
	s := q.text(name)
	if s == "" || q.err != nil {
		return def
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		q.fail(name, `must be RFC 3339, as in "2026-02-16T15:58:02Z" (a "+" is written %%2B in an address), got %q`, s)
		return def
	}
	if t.Before(firstTime) || t.After(lastTime) {
		q.fail(name, "must be between %s and %s", firstTime.Format(time.DateOnly), lastTime.Format(time.DateOnly))
		return def
	}
	return t.UTC()
}

// firstTime and lastTime bound the times that may be asked for: the database counts nanoseconds
// from 1970 in 64 bits, and beyond them asks for something else than was meant.
var (
	firstTime = time.Unix(0, 0).UTC()
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// point reads "LAT,LON".
func (q *query) point(name string) (orb.Point, bool) {
	s := q.text(name)
	if s == "" || q.err != nil {
		return orb.Point{}, false
	}
	v, ok := floats(s, 2)
	if !ok || math.Abs(v[0]) > 90 || math.Abs(v[1]) > 180 {
		q.fail(name, "must be LAT,LON in degrees, as in 21.0285,105.8542")
		return orb.Point{}, false
	}
	return orb.Point{v[1], v[0]}, true
}

// world is the box that holds everything.
var world = index.Box{MinLon: -180, MinLat: -90, MaxLon: 180, MaxLat: 90}

// box reads "minLon,minLat,maxLon,maxLat"; the world when it is not given.
func (q *query) box(name string) (index.Box, bool) {
	s := q.text(name)
	if s == "" || q.err != nil {
		return world, false
	}
	v, ok := floats(s, 4)
	if !ok || math.Abs(v[0]) > 180 || math.Abs(v[2]) > 180 || math.Abs(v[1]) > 90 || math.Abs(v[3]) > 90 || v[1] > v[3] {
		q.fail(name, "must be minLon,minLat,maxLon,maxLat in degrees, as in 105.7,20.9,106.0,21.1, got %q", s)
		return world, false
	}
	return index.Box{MinLon: v[0], MinLat: v[1], MaxLon: v[2], MaxLat: v[3]}, true
}

// floats reads exactly n finite numbers with commas between them.
func floats(s string, n int) ([]float64, bool) {
	parts := strings.Split(s, ",")
	if len(parts) != n {
		return nil, false
	}
	out := make([]float64, n)
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}
