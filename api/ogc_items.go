package api

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// Limits of a page of features. Above the most a page is as long as that, as the standard asks.
const (
	ogcPage     = 100
	ogcMostPage = 10_000
)

// ogcFeature is a feature of a collection.
type ogcFeature struct {
	Type       string      `json:"type"`
	ID         string      `json:"id"`
	Geometry   ogcGeometry `json:"geometry"`
	Properties any         `json:"properties"`
	Links      []ogcLink   `json:"links,omitempty"`

	bound orb.Bound
	time  time.Time // zero: it has none, and is there at any time
}

type ogcGeometry struct {
	Type        string       `json:"type"`
	Coordinates orb.Geometry `json:"coordinates"`
}

func newFeature(id string, g orb.Geometry, at time.Time, properties any) ogcFeature {
	return ogcFeature{Type: "Feature", ID: id, Geometry: ogcGeometry{g.GeoJSONType(), g}, Properties: properties, bound: g.Bound(), time: at}
}

// ogcSpan is the time that is asked for, both ends included; a zero one is open.
type ogcSpan struct{ from, to time.Time }

// instant is the moment of a span by which areas are chosen: its end, or now.
func (s ogcSpan) instant(now time.Time) time.Time {
	if s.to.IsZero() {
		return now
	}
	return s.to
}

func (s ogcSpan) holds(t time.Time) bool {
	return t.IsZero() || (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || !t.After(s.to))
}

// ogcSpan reads datetime: an instant, or an interval with ".." or nothing for an open end.
func (q *query) ogcSpan(name string) (s ogcSpan) {
	text := q.text(name)
	if text == "" {
		return s
	}
	from, to, interval := strings.Cut(text, "/")
	if !interval {
		to = from
	}
	var err1, err2 error
	s.from, err1 = ogcEnd(from)
	s.to, err2 = ogcEnd(to)
	switch {
	case err1 != nil || err2 != nil || !interval && s.from.IsZero():
		q.fail(name, `must be RFC 3339, or an interval as in "2026-02-16T00:00:00Z/..", got %q`, text)
	case s.from.IsZero() && s.to.IsZero():
		q.fail(name, "must have one end at least, got %q", text)
	case !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from):
		q.fail(name, "must not end before it begins, got %q", text)
	}
	return s
}

func ogcEnd(s string) (time.Time, error) {
	if s == "" || s == ".." {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

// ogcBox reads bbox: four numbers, or six with heights, which we have none of.
func (q *query) ogcBox(name string) (index.Box, bool) {
	s := q.text(name)
	if v, ok := floats(s, 6); ok {
		s = strings.Join([]string{format(v[0]), format(v[1]), format(v[3]), format(v[4])}, ",")
		q.values.Set(name, s)
	}
	return q.box(name)
}

func format(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// overlaps reports whether a box that may cross the antimeridian has anything of a bound.
func overlaps(box index.Box, b orb.Bound) bool {
	if b.Max[1] < box.MinLat || b.Min[1] > box.MaxLat {
		return false
	}
	if box.MinLon <= box.MaxLon {
		return b.Max[0] >= box.MinLon && b.Min[0] <= box.MaxLon
	}
	return b.Max[0] >= box.MinLon || b.Min[0] <= box.MaxLon
}

// ogcItems answers GET /ogc/collections/{collection}/items.
func (a *API) ogcItems(w http.ResponseWriter, r *http.Request) {
	l, err := ogcAsked(r)
	q := ogcQuery(r, "limit", "offset", "bbox", "datetime")
	limit := min(q.integer("limit", ogcPage, 1, math.MaxInt32), ogcMostPage)
	offset := q.integer("offset", 0, 0, math.MaxInt32)
	box, boxed := q.ogcBox("bbox")
	span := q.ogcSpan("datetime")
	if err == nil {
		err = q.err
	}
	var all []ogcFeature
	if err == nil {
		all, err = l.features(a, span)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	found := all[:0]
	for _, f := range all {
		if span.holds(f.time) && (!boxed || overlaps(box, f.bound)) {
			found = append(found, f)
		}
	}
	page := found[min(offset, len(found)):min(offset+limit, len(found))]
	base := a.publicURL(r)
	links := []ogcLink{{base + r.URL.RequestURI(), "self", geoJSON, ""}, {base + ogcBase + "/collections/" + l.id, "collection", "application/json", l.title}}
	if next := offset + limit; next < len(found) {
		again := url.Values{}
		for k, v := range q.values {
			again[k] = v
		}
		again.Set("offset", strconv.Itoa(next))
		again.Set("limit", strconv.Itoa(limit))
		links = append(links, ogcLink{base + r.URL.Path + "?" + again.Encode(), "next", geoJSON, ""})
	}
	w.Header().Set("Cache-Control", "public, max-age=5")
	sendAs(w, geoJSON, struct {
		Type     string       `json:"type"`
		Time     time.Time    `json:"timeStamp"`
		Matched  int          `json:"numberMatched"`
		Returned int          `json:"numberReturned"`
		Links    []ogcLink    `json:"links"`
		Features []ogcFeature `json:"features"`
	}{"FeatureCollection", a.o.Clock.Now(), len(found), len(page), links, append([]ogcFeature{}, page...)})
}

// ogcItem answers GET /ogc/collections/{collection}/items/{feature}.
func (a *API) ogcItem(w http.ResponseWriter, r *http.Request) {
	l, err := ogcAsked(r)
	id, idErr := pathID(r, "feature")
	if q := ogcQuery(r); err == nil {
		err = q.err
	}
	if err == nil {
		err = idErr
	}
	var all []ogcFeature
	if err == nil {
		all, err = l.features(a, ogcSpan{})
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	base := a.publicURL(r)
	for _, f := range all {
		if f.ID == id {
			f.Links = []ogcLink{
				{base + r.URL.EscapedPath(), "self", geoJSON, ""},
				{base + ogcBase + "/collections/" + l.id, "collection", "application/json", l.title},
			}
			w.Header().Set("Cache-Control", "public, max-age=5")
			sendAs(w, geoJSON, f)
			return
		}
	}
	a.problem(w, r, nhip.Errorf(nhip.NotFound, "feature", "there is no feature %q in %s", id, l.id))
}
