package oba

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// request is one request and what its answer refers to. Parameters that a method does not have are ignored, as in other
// servers: apps add keys and versions.
type request struct {
	t     *transit.Timetable
	now   time.Time
	http  *http.Request
	query url.Values

	transit  *transit.Model
	live     *live.State
	problems Problems
	baseURL  string // of the api, as the client reaches it
	version  int    // of the answer
	refs     references
	// withoutRefs: the client wants no references.
	withoutRefs bool
	stored      bool  // the request stores something: its answer is that of this request alone
	err         error // the first invalid parameter
}

// Versions of the API. In the first one, elements hold the elements that they refer to.
const (
	version1 = 1
	version  = 2
)

// readCommon reads the parameters that methods share: the version, and whether the client wants references. A time is
// checked also where it changes nothing.
func (q *request) readCommon() {
	q.moment()
	switch s := q.query.Get("version"); s {
	case "", "2":
	case "1":
		q.version = version1
	default:
		q.fail("version", "must be 1 or 2: unknown version: %.20s", s)
	}
	q.withoutRefs = !q.boolean("includeReferences", true) && q.version == version
}

// errNotFound is the error of an element that does not exist.
func errNotFound(kind, id string) error {
	return nhip.Errorf(nhip.CodeNotFound, kind, "there is no %s %q", kind, id)
}

// suffix ends the address of every method.
const suffix = ".json"

// id returns the id of the path.
func (q *request) id() (string, error) {
	id, err := rest.PathID(q.http, "id")
	if err != nil {
		return "", err
	}
	id, found := strings.CutSuffix(id, suffix)
	if !found || id == "" {
		return "", errNotFound("method", q.http.URL.Path)
	}
	return id, nil
}

// fail records an error of a parameter.
func (q *request) fail(name, format string, args ...any) {
	if q.err == nil {
		q.err = nhip.Errorf(nhip.CodeInvalid, name, format, args...)
	}
}

// number returns a number within a range, def if it is missing.
func (q *request) number(name string, def, low, high float64) float64 {
	s := q.query.Get(name)
	if s == "" {
		return def
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || x < low || x > high {
		q.fail(name, "must be a number from %g to %g", low, high)
		return def
	}
	return x
}

// integer returns a whole number, which is limited to a range, def if it is missing.
func (q *request) integer(name string, def, low, high int) int {
	s := q.query.Get(name)
	if s == "" {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low {
		q.fail(name, "must be a whole number of at least %d", low)
		return def
	}
	return min(n, high)
}

// boolean returns true or false, def if the parameter is missing.
func (q *request) boolean(name string, def bool) bool {
	switch strings.ToLower(q.query.Get(name)) {
	case "":
		return def
	case "true":
		return true
	case "false":
		return false
	}
	q.fail(name, "must be true or false")
	return def
}

// Limits of times, so that days can be computed: 1970 and 2200.
const maxMillis = 7_258_118_400_000

// day returns the service day of a date, YYYY-MM-DD or Unix ms, and today if it is missing.
func (q *request) day(name string) gtfs.Date {
	s, loc := q.query.Get(name), q.t.Network.Location()
	if s == "" {
		return gtfs.DateOf(q.now.In(loc))
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms >= 0 && ms <= maxMillis && len(s) != len("20060102") {
		return gtfs.DateOf(time.UnixMilli(ms).In(loc))
	}
	at, err := time.ParseInLocation(time.DateOnly, s, loc)
	if err != nil {
		q.fail(name, "must be a day as in 2026-02-16, or a Unix time in ms")
	}
	return gtfs.DateOf(at)
}

// moment returns the time that is asked for, the present if it is missing: Unix ms, RFC 3339, or a local time as the
// reference server takes it.
func (q *request) moment() time.Time {
	s := q.query.Get("time")
	if s == "" {
		return q.now
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms >= 0 && ms <= maxMillis {
		return time.UnixMilli(ms).UTC()
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		at, err = time.ParseInLocation("2006-01-02_15-04-05", s, q.t.Network.Location())
	}
	if err != nil {
		q.fail("time", "must be a Unix time in ms, or a time as in 2026-02-16T12:00:00Z")
		return q.now
	}
	return at
}

// midnight returns the begin of a service day, by which clients name it, in Unix ms.
func midnight(d gtfs.Date, loc *time.Location) int64 {
	noon := d.At(12*3600, loc).In(loc)
	return time.Date(noon.Year(), noon.Month(), noon.Day(), 0, 0, 0, 0, loc).UnixMilli()
}

// Distances of searches around a place, in m.
const (
	defaultRadius      = 500
	defaultQueryRadius = 10_000 // with a text to search for
	maxRadius          = 50_000
)

// area is where a request looks.
type area struct {
	center orb.Point
	box    index.Box
}

// area returns the area of lat, lon and latSpan, lonSpan or radius. radius is the default one.
func (q *request) area(radius float64) area {
	at := orb.Point{q.number("lon", 0, -180, 180), q.number("lat", 0, -90, 90)}
	latSpan, lonSpan := q.number("latSpan", 0, 0, 180), q.number("lonSpan", 0, 0, 360)
	radius = q.number("radius", radius, 0, math.MaxFloat64)
	if latSpan == 0 && lonSpan == 0 {
		radius = min(radius, maxRadius)
		latSpan = 2 * radius / metresPerDegree
		lonSpan = latSpan / max(math.Cos(at.Lat()*math.Pi/180), 0.01)
	}
	return area{at, index.Box{
		MinLon: at[0] - lonSpan/2, MinLat: at[1] - latSpan/2, MaxLon: at[0] + lonSpan/2, MaxLat: at[1] + latSpan/2,
	}}
}

// metresPerDegree is the length of a degree of latitude.
const metresPerDegree = 111_195
