package edr

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/geojson"
	"nhip/api/rest"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Limits of an answer.
const (
	maxValues        = 500_000
	maxFeatureValues = 100_000 // as GeoJSON, which repeats the names
	maxHours         = 24      // of the air between the monitors
	maxRadius        = 100_000
)

// request is what a data query asks for.
type request struct {
	collection *dataset
	parameters []parameter
	geometry   *wkt    // nil: the query has no coords
	within     float64 // m, of a radius
	span       span
	latFirst   bool // coordinates are latitude, longitude
	format     string
	endpoint   string // address of the query, without its parameters
}

// span is an instant, if both ends are equal, or an interval with both its ends. A zero end is open. A span that is not
// given is the present.
type span struct {
	from, to time.Time
	given    bool
}

func (s span) instant() bool { return s.given && s.from.Equal(s.to) }
func (s span) open() bool    { return s.from.IsZero() || s.to.IsZero() }

// readRequest reads the parameters of a data query whose geometry is of one of the kinds; extra are parameters that
// only this query has.
func (h *Handler) readRequest(r *http.Request, collection string, kinds []string, extra ...string) (*request, error) {
	known := append([]string{"datetime", "parameter-name", "crs", "f", "z"}, extra...)
	if len(kinds) > 0 {
		known = append([]string{"coords"}, known...)
	}
	q := rest.ReadQuery(r, known...)
	c, _ := find(collection)
	out := &request{collection: &c, parameters: c.parameters, endpoint: h.BaseURL(r) + r.URL.EscapedPath()}
	if q.Values.Has("z") {
		q.Fail("z", "is not supported: the data are of the air at the ground and have no heights")
	}
	out.latFirst = readCRS(q)
	out.format = readFormat(q, r.Header.Get("Accept"))
	out.readParameters(q)
	out.span = readSpan(q, h.Clock.Now())
	if slices.Contains(extra, "within") {
		out.within = readWithin(q)
	}
	if len(kinds) > 0 {
		out.readCoords(q, kinds)
	}
	return out, q.Err
}

func (o *request) readCoords(q *rest.Query, kinds []string) {
	if q.Err != nil {
		return
	}
	text := q.Values.Get("coords")
	if text == "" {
		q.Fail("coords", "is required: well-known text of %s", strings.Join(kinds, " or "))
		return
	}
	geometry, err := parseWKT(text, o.latFirst, kinds...)
	if err != nil {
		q.Fail("coords", "%v", err)
		return
	}
	o.geometry = geometry
}

// readParameters reads the parameters that are selected; the default is all.
func (o *request) readParameters(q *rest.Query) {
	text := q.Values.Get("parameter-name")
	if q.Err != nil || !q.Values.Has("parameter-name") {
		return
	}
	if len(text) > maxParameterList {
		q.Fail("parameter-name", "must be at most %d bytes", maxParameterList)
		return
	}
	chosen, err := selectParameters(o.collection.parameters, text)
	if err != nil {
		q.Err = err
		return
	}
	o.parameters = chosen
}

// maxParameterList is the maximum length of a list of parameters.
const maxParameterList = 1000

// readCRS reads the reference system and reports whether latitudes come first.
func readCRS(q *rest.Query) bool {
	switch crs := q.Text("crs"); crs {
	case "", "CRS84", "CRS:84", "OGC:CRS84", crs84, "https" + strings.TrimPrefix(crs84, "http"):
		return false
	case "EPSG:4326", epsg4326, "https" + strings.TrimPrefix(epsg4326, "http"):
		return true
	default:
		q.Fail("crs", "must be CRS84 (longitude, latitude) or EPSG:4326 (latitude, longitude), got %q", crs)
		return false
	}
}

// The formats of data.
const (
	formatCoverageJSON = "CoverageJSON"
	formatGeoJSON      = "GeoJSON"

	// ContentType is the media type of CoverageJSON.
	ContentType = "application/prs.coverage+json"
)

// mediaTypes are those of the formats.
var mediaTypes = map[string]string{
	formatCoverageJSON: ContentType, formatGeoJSON: geojson.ContentType,
}

// readFormat reads f, which comes before an Accept header that names one of the media types.
func readFormat(q *rest.Query, accept string) string {
	f := strings.ToLower(q.Text("f"))
	switch f {
	case "coveragejson", "covjson", "json", mediaTypes[formatCoverageJSON]:
		return formatCoverageJSON
	case "geojson", mediaTypes[formatGeoJSON]:
		return formatGeoJSON
	case "":
		if strings.Contains(accept, mediaTypes[formatGeoJSON]) && !strings.Contains(accept, mediaTypes[formatCoverageJSON]) {
			return formatGeoJSON
		}
		return formatCoverageJSON
	}
	q.Fail("f", "must be CoverageJSON or GeoJSON, got %q", f)
	return formatCoverageJSON
}

// readSpan reads datetime: an instant, or an interval in which an end that is empty or ".." is open.
func readSpan(q *rest.Query, now time.Time) (s span) {
	text := q.Text("datetime")
	if text == "" {
		return s
	}
	s.given = true
	from, to, interval := strings.Cut(text, "/")
	if !interval {
		to = from
	}
	var err1, err2 error
	s.from, err1 = parseEnd(from)
	s.to, err2 = parseEnd(to)
	switch {
	case err1 != nil || err2 != nil || !interval && s.from.IsZero():
		q.Fail("datetime", `must be RFC 3339, or an interval as in "2026-02-16T00:00:00Z/.." (a "+" is written %%2B in an `+
			`address), got %q`, text)
	case !held(s.from) || !held(s.to):
		q.Fail("datetime", "must be between %s and %s", rest.FirstTime.Format(time.DateOnly),
			rest.LastTime.Format(time.DateOnly))
	case !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from):
		q.Fail("datetime", "must not end before it begins, got %q", text)
	case s.from.After(now.Add(nhip.FutureTolerance)):
		q.Fail("datetime", "must not be in the future, got %q", text)
	}
	return s
}

// parseEnd parses an end of an interval; the zero time is an open end, which extents write as null.
func parseEnd(s string) (time.Time, error) {
	if s == "" || s == ".." || s == "null" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err
}

// held reports whether the history can hold a time; an open end is no time.
func held(t time.Time) bool {
	return t.IsZero() || !t.Before(rest.FirstTime) && !t.After(rest.LastTime)
}

// readWithin reads the radius, in metres.
func readWithin(q *rest.Query) float64 {
	unit, limit := 1.0, float64(maxRadius)
	switch u := q.Text("within-units"); u {
	case "m":
	case "km":
		unit, limit = 1000, maxRadius/1000
	default:
		q.Fail("within-units", "is required: m or km")
	}
	if !q.Values.Has("within") {
		q.Fail("within", "is required: the radius, in within-units")
	}
	return unit * q.Number("within", 0, 0, limit)
}

// region is an area of the earth.
type region struct {
	bound    orb.Bound
	contains func(orb.Point) bool
}

// circle returns the points within r metres of a point.
func circle(centre orb.Point, r float64) region {
	return region{geo.NewBoundAroundPoint(centre, math.Max(r, 1)), func(p orb.Point) bool {
		return geo.DistanceHaversine(centre, p) <= r
	}}
}

// polygons returns the points in any of some polygons.
func polygons(all orb.MultiPolygon) region {
	return region{all.Bound(), func(p orb.Point) bool {
		return slices.ContainsFunc(all, func(one orb.Polygon) bool {
			inside := false
			for _, ring := range one {
				inside = inside != crossesOddly(ring, p)
			}
			return inside
		})
	}}
}

// crossesOddly reports whether a ray from p eastwards crosses a ring an odd number of times. The edges are straight on
// a map of longitudes and latitudes, as GeoJSON defines them.
func crossesOddly(ring orb.Ring, p orb.Point) bool {
	odd := false
	for k := 1; k < len(ring); k++ {
		a, b := ring[k-1], ring[k]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0]+(p[1]-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			odd = !odd
		}
	}
	return odd
}

// checkSize returns an error if an answer would have too many values.
func (o *request) checkSize(places, hours, parameters int) error {
	limit := maxValues
	if o.format == formatGeoJSON {
		limit = maxFeatureValues
	}
	if n := places * hours * parameters; n > limit {
		return nhip.Errorf(nhip.CodeTooLarge, "coords", "asks for %d values, at most %d are told at once as %s: ask for a "+
			"smaller place, a shorter time or fewer parameters (parameter-name)", n, limit, o.format)
	}
	return nil
}
