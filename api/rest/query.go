package rest

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// Query parses the parameters of a request. Its methods return the default of a parameter that is missing, invalid, or
// read after an error.
type Query struct {
	Values url.Values
	Err    error // the first error; it names the parameter
}

// ReadQuery returns the parameters of a request. A parameter that is not among the known ones is an error: otherwise a
// client would not notice a misspelt filter.
func ReadQuery(r *http.Request, known ...string) *Query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &Query{Values: values}
	if err != nil {
		q.Fail("", "malformed query: %v", err)
		return q
	}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			q.Fail(name, "is not a parameter of this address%s", alternatives(known))
		case len(given) > 1:
			q.Fail(name, "must be given once")
		}
	}
	return q
}

// LenientQuery returns the parameters of a request and ignores those that are not among the known ones: map programs
// add keys and versions to the addresses of tiles.
func LenientQuery(r *http.Request, known ...string) *Query {
	q := &Query{Values: r.URL.Query()}
	for _, name := range known {
		if len(q.Values[name]) > 1 {
			q.Fail(name, "must be given once")
		}
	}
	return q
}

// alternatives lists the known parameters for an error text.
func alternatives(known []string) string {
	if len(known) == 0 {
		return ""
	}
	return "; it has " + strings.Join(known, ", ")
}

// Fail records an error of a parameter, unless there is one already.
func (q *Query) Fail(field, format string, args ...any) {
	if q.Err == nil {
		q.Err = nhip.Errorf(nhip.CodeInvalid, field, format, args...)
	}
}

// Text returns a parameter, "" if it is missing. An empty parameter is an error.
func (q *Query) Text(name string) string {
	if !q.Values.Has(name) || q.Err != nil {
		return ""
	}
	s := q.Values.Get(name)
	if s == "" {
		q.Fail(name, "must not be empty")
	} else if err := nhip.CheckText(name, s); err != nil && q.Err == nil {
		q.Err = err
	}
	return s
}

// Integer parses a whole number from low to high.
func (q *Query) Integer(name string, def, low, high int) int {
	s := q.Text(name)
	if s == "" || q.Err != nil {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		q.Fail(name, "must be a whole number between %d and %d, got %q", low, high, s)
		return def
	}
	return n
}

// Boolean parses true or false, which is the default.
func (q *Query) Boolean(name string) bool {
	switch s := q.Text(name); s {
	case "", "false":
		return false
	case "true":
		return true
	default:
		q.Fail(name, "must be true or false, got %q", s)
		return false
	}
}

// Number parses a number from low to high.
func (q *Query) Number(name string, def, low, high float64) float64 {
	s := q.Text(name)
	if s == "" || q.Err != nil {
		return def
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= low && f <= high) {
		q.Fail(name, "must be a number between %v and %v, got %q", low, high, s)
		return def
	}
	return f
}

// Time parses an RFC 3339 time from FirstTime to LastTime and returns it in UTC.
func (q *Query) Time(name string, def time.Time) time.Time {
	s := q.Text(name)
	if s == "" || q.Err != nil {
		return def
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		q.Fail(name, `must be RFC 3339, as in "2026-02-16T15:58:02Z" (a "+" is written %%2B in an address), got %q`, s)
		return def
	}
	if t.Before(FirstTime) || t.After(LastTime) {
		q.Fail(name, "must be between %s and %s", FirstTime.Format(time.DateOnly), LastTime.Format(time.DateOnly))
		return def
	}
	return t.UTC()
}

// FirstTime and LastTime bound the times in queries: the database counts nanoseconds from 1970 in 64 bits, which
// overflow beyond these bounds.
var (
	FirstTime = time.Unix(0, 0).UTC()
	LastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Point parses "LAT,LON" in degrees. It reports false if the parameter is missing or invalid.
func (q *Query) Point(name string) (orb.Point, bool) {
	s := q.Text(name)
	if s == "" || q.Err != nil {
		return orb.Point{}, false
	}
	v, ok := Floats(s, 2)
	if !ok || math.Abs(v[0]) > 90 || math.Abs(v[1]) > 180 {
		q.Fail(name, "must be LAT,LON in degrees, as in 21.0285,105.8542")
		return orb.Point{}, false
	}
	return orb.Point{v[1], v[0]}, true
}

// Box parses "minLon,minLat,maxLon,maxLat" in degrees; the default is the world. It reports false if the parameter is
// missing or invalid.
func (q *Query) Box(name string) (index.Box, bool) {
	s := q.Text(name)
	if s == "" || q.Err != nil {
		return index.World, false
	}
	v, ok := Floats(s, 4)
	if !ok || !ValidBox(v) {
		q.Fail(name, "must be minLon,minLat,maxLon,maxLat in degrees, as in 105.7,20.9,106.0,21.1, got %q", s)
		return index.World, false
	}
	return index.Box{MinLon: v[0], MinLat: v[1], MaxLon: v[2], MaxLat: v[3]}, true
}

// ValidBox reports whether four finite numbers are minLon, minLat, maxLon and maxLat of a box, in degrees. A box that
// crosses the date line has a minLon above its maxLon.
func ValidBox(v []float64) bool {
	return math.Abs(v[0]) <= 180 && math.Abs(v[2]) <= 180 && math.Abs(v[1]) <= 90 && math.Abs(v[3]) <= 90 && v[1] <= v[3]
}

// Floats parses exactly n finite numbers separated by commas.
func Floats(s string, n int) ([]float64, bool) {
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

// Scale parses the scale of an air quality index; the default is nhip.ScaleVNAQI.
func (q *Query) Scale(name string) nhip.Scale {
	s := nhip.Scale(q.Text(name))
	if s == "" {
		return nhip.ScaleVNAQI
	}
	if !aqi.Known(s) {
		var known []string
		for _, k := range aqi.Scales() {
			known = append(known, string(k))
		}
		q.Fail(name, "must be one of %s, got %q", strings.Join(known, ", "), string(s))
		return nhip.ScaleVNAQI
	}
	return s
}

// SurfaceQuantity parses a quantity that has a sub-index on the scale in the parameter scale; "" if it is missing.
func (q *Query) SurfaceQuantity(name, scale string) nhip.Quantity {
	s := nhip.Quantity(q.Text(name))
	if s == "" {
		return ""
	}
	var known []string
	for _, a := range aqi.Averages(q.Scale(scale)) {
		if a.Quantity == s {
			return s
		}
		known = append(known, string(a.Quantity))
	}
	q.Fail(name, "must be one of %s, got %q", strings.Join(known, ", "), string(s))
	return ""
}

// PastTime parses a time that is not in the future; the default is the zero time.
func (q *Query) PastTime(name string, now time.Time) time.Time {
	t := q.Time(name, time.Time{})
	if t.After(now.Add(nhip.FutureTolerance)) {
		q.Fail(name, "must not be in the future, got %q", q.Values.Get(name))
	}
	return t
}

// Quality parses a quality level; the default is nhip.QualityReviewed.
func (q *Query) Quality(name string) nhip.Quality {
	switch s := nhip.Quality(q.Text(name)); s {
	case "":
		return nhip.QualityReviewed
	case nhip.QualityRaw, nhip.QualityAutomatic, nhip.QualityReviewed:
		return s
	default:
		q.Fail(name, "must be raw, automatic or reviewed, got %q", string(s))
		return nhip.QualityReviewed
	}
}

// LocalTime parses a time or a day in a time zone (2026-02-16). A day stands for its start, plus a number of days.
func (q *Query) LocalTime(name string, def time.Time, zone *time.Location, days int) time.Time {
	if s := q.Values.Get(name); len(s) == len(time.DateOnly) {
		if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil && !t.Before(FirstTime) && !t.After(LastTime) {
			return t.AddDate(0, 0, days).UTC()
		}
	}
	return q.Time(name, def)
}
