package ogc

import (
	"cmp"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/geojson"
	"nhip/api/rest"
	"nhip/geo/index"
)

// Limits of a page of features. The standard requires that a limit above the maximum is treated as the maximum.
const (
	defaultLimit = 100
	maxLimit     = 10_000
)

// timeSpan is a time interval that includes both ends. A zero end is open.
type timeSpan struct {
	from, to time.Time
	given    bool // whether the request has one
}

// anyTime is the interval that contains all times.
var anyTime = timeSpan{given: true}

// contains reports whether t lies in the interval. The zero time lies in every interval.
func (s timeSpan) contains(t time.Time) bool {
	return t.IsZero() || (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || !t.After(s.to))
}

// readDatetime reads an instant, or an interval in which an end that is empty or ".." is open.
func readDatetime(q *rest.Query, name string) (s timeSpan) {
	text := q.Text(name)
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
		q.Fail(name, `must be RFC 3339, or an interval as in "2026-02-16T00:00:00Z/..", got %q`, text)
	case s.from.IsZero() && s.to.IsZero():
		q.Fail(name, "must have at least one end, got %q", text)
	case !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from):
		q.Fail(name, "must not end before it begins, got %q", text)
	}
	return s
}

// parseEnd parses an end of an interval; the zero time is an open end.
func parseEnd(s string) (time.Time, error) {
	if s == "" || s == ".." {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

// readBox reads a box of four numbers, or of six with heights, which are ignored. It returns false if there is none.
func readBox(q *rest.Query, name string) (index.Box, bool) {
	s := q.Text(name)
	if _, ok := rest.Floats(s, 6); ok {
		v := strings.Split(s, ",")
		q.Values.Set(name, strings.Join([]string{v[0], v[1], v[3], v[4]}, ","))
	}
	return q.Box(name)
}

// readLimit reads the maximum number of features of a page.
func readLimit(q *rest.Query, name string) int {
	s := q.Text(name)
	if s == "" {
		return defaultLimit
	}
	n, _ := strconv.Atoi(s) // 0 if s is not a number, the largest int if s is beyond it
	if n < 1 {
		q.Fail(name, "must be a whole number of at least 1, got %q", s)
	}
	return min(n, maxLimit)
}

// itemsQuery is a query for the features of a layer.
type itemsQuery struct {
	limit, offset int
	box           index.Box
	boxed         bool // whether box is given
	span          timeSpan
}

// readItemsQuery reads the parameters of a query. An error is in p.Err.
func readItemsQuery(p *rest.Query) (q itemsQuery) {
	q.limit, q.offset = readLimit(p, "limit"), p.Integer("offset", 0, 0, math.MaxInt32)
	q.box, q.boxed = readBox(p, "bbox")
	q.span = readDatetime(p, "datetime")
	return q
}

// filter returns the matching features. It overwrites all.
func (q *itemsQuery) filter(all []feature) []feature {
	found := all[:0]
	for _, f := range all {
		if q.span.contains(f.time) && (!q.boxed || q.box.Intersects(f.geometry)) {
			found = append(found, f)
		}
	}
	return found
}

// next returns the query string of the next page.
func (q *itemsQuery) next(p *rest.Query) string {
	values := maps.Clone(p.Values)
	values.Set("offset", strconv.Itoa(q.offset+q.limit))
	values.Set("limit", strconv.Itoa(q.limit))
	return values.Encode()
}

// listItems answers GET /ogc/collections/{collection}/items.
func (h *Handler) listItems(w http.ResponseWriter, r *http.Request) error {
	l, err := layerOf(r)
	p := readQuery(r, "limit", "offset", "bbox", "datetime")
	q := readItemsQuery(p)
	if err == nil {
		err = p.Err
	}
	if err != nil {
		return err
	}
	found := q.filter(l.features(h, asked{q.span, rest.ScopeOf(r)}))
	page := []encodedFeature{}
	for _, f := range found[min(q.offset, len(found)):min(q.offset+q.limit, len(found))] {
		page = append(page, f.encode())
	}
	base := h.BaseURL(r)
	links := []link{{base + r.URL.RequestURI(), "self", geojson.ContentType, ""}, l.link(base)}
	if q.offset+q.limit < len(found) {
		links = append(links, link{base + r.URL.Path + "?" + q.next(p), "next", geojson.ContentType, ""})
	}
	return h.JSONAs(w, geojson.ContentType, rest.CacheBrief, struct {
		Type     string           `json:"type"`
		Time     time.Time        `json:"timeStamp"`
		Matched  int              `json:"numberMatched"`
		Returned int              `json:"numberReturned"`
		Links    []link           `json:"links"`
		Features []encodedFeature `json:"features"`
	}{"FeatureCollection", h.Clock.Now(), len(found), len(page), links, page})
}

// link returns the link from a feature or page to its collection.
func (l *layer) link(base string) link {
	return link{base + root + "/collections/" + l.id, "collection", "application/json", l.title}
}

// getItem answers GET /ogc/collections/{collection}/items/{feature}.
func (h *Handler) getItem(w http.ResponseWriter, r *http.Request) error {
	l, err := layerOf(r)
	id, badID := rest.PathID(r, "feature")
	if err = cmp.Or(err, readQuery(r).Err, badID); err != nil {
		return err
	}
	base := h.BaseURL(r)
	for _, f := range l.features(h, asked{anyTime, rest.ScopeOf(r)}) {
		if f.id == id {
			self := link{base + r.URL.EscapedPath(), "self", geojson.ContentType, ""}
			return h.JSONAs(w, geojson.ContentType, rest.CacheBrief, f.encode(self, l.link(base)))
		}
	}
	return nhip.Errorf(nhip.CodeNotFound, "feature", "there is no feature %q in %s", id, l.id)
}
