package api

import (
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/index"
)

// Limits of a page of features. Above the most a page is as long as that, as the standard asks.
const (
	ogcPage     = 100
	ogcMostPage = 10_000
)

// ogcSpan is the time that is asked for, both ends included; a zero one is open.
type ogcSpan struct {
	from, to time.Time
	asked    bool // or else what is now
}

// anyTime is the span of all that there is.
var anyTime = ogcSpan{asked: true}

func (s ogcSpan) holds(t time.Time) bool {
	return t.IsZero() || (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || !t.After(s.to))
}

// ogcSpan reads datetime: an instant, or an interval with ".." or nothing for an open end.
func (q *query) ogcSpan(name string) (s ogcSpan) {
	text := q.text(name)
	if text == "" {
		return s
	}
	s.asked = true
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
	if _, ok := floats(s, 6); ok {
		flat := strings.Split(s, ",")
		q.values.Set(name, strings.Join([]string{flat[0], flat[1], flat[3], flat[4]}, ","))
	}
	return q.box(name)
}

// ogcLimit reads how long a page may be.
func (q *query) ogcLimit(name string) int {
	s := q.text(name)
	if s == "" {
		return ogcPage
	}
	n, _ := strconv.Atoi(s) // 0 of what is no number, and the highest of what is beyond it
	if n < 1 {
		q.fail(name, "must be a whole number from 1 on, got %q", s)
	}
	return min(n, ogcMostPage)
}

// ogcQuestion is what is asked of a collection.
type ogcQuestion struct {
	limit, offset int
	box           index.Box
	boxed         bool
	span          ogcSpan
}

func (q *query) ogcQuestion() (asked ogcQuestion) {
	asked.limit, asked.offset = q.ogcLimit("limit"), q.integer("offset", 0, 0, math.MaxInt32)
	asked.box, asked.boxed = q.ogcBox("bbox")
	asked.span = q.ogcSpan("datetime")
	return asked
}

// choose returns all features that are asked for.
func (asked *ogcQuestion) choose(all []ogcFeature) []ogcFeature {
	found := all[:0]
	for _, f := range all {
		if asked.span.holds(f.time) && (!asked.boxed || asked.box.Meets(f.geometry)) {
			found = append(found, f)
		}
	}
	return found
}

// next is the query of the next page.
func (asked *ogcQuestion) next(q *query) string {
	again := maps.Clone(q.values)
	again.Set("offset", strconv.Itoa(asked.offset+asked.limit))
	again.Set("limit", strconv.Itoa(asked.limit))
	return again.Encode()
}

// ogcItems answers GET /ogc/collections/{collection}/items.
func (a *API) ogcItems(w http.ResponseWriter, r *http.Request) {
	l, err := ogcAsked(r)
	q := ogcQuery(r, "limit", "offset", "bbox", "datetime")
	asked := q.ogcQuestion()
	if err == nil {
		err = q.err
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	found := asked.choose(l.features(a, asked.span))
	told := []ogcTold{}
	for _, f := range found[min(asked.offset, len(found)):min(asked.offset+asked.limit, len(found))] {
		told = append(told, f.told())
	}
	base := a.publicURL(r)
	links := []ogcLink{{base + r.URL.RequestURI(), "self", geoJSON, ""}, l.link(base)}
	if asked.offset+asked.limit < len(found) {
		links = append(links, ogcLink{base + r.URL.Path + "?" + asked.next(q), "next", geoJSON, ""})
	}
	w.Header().Set("Cache-Control", "public, max-age=5")
	sendAs(w, geoJSON, struct {
		Type     string    `json:"type"`
		Time     time.Time `json:"timeStamp"`
		Matched  int       `json:"numberMatched"`
		Returned int       `json:"numberReturned"`
		Links    []ogcLink `json:"links"`
		Features []ogcTold `json:"features"`
	}{"FeatureCollection", a.o.Clock.Now(), len(found), len(told), links, told})
}

// link leads from features to their collection.
func (l *ogcLayer) link(base string) ogcLink {
	return ogcLink{base + ogcBase + "/collections/" + l.id, "collection", "application/json", l.title}
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
	if err != nil {
		a.problem(w, r, err)
		return
	}
	base := a.publicURL(r)
	for _, f := range l.features(a, anyTime) {
		if f.id == id {
			w.Header().Set("Cache-Control", "public, max-age=5")
			sendAs(w, geoJSON, f.told(ogcLink{base + r.URL.EscapedPath(), "self", geoJSON, ""}, l.link(base)))
			return
		}
	}
	a.problem(w, r, nhip.Errorf(nhip.NotFound, "feature", "there is no feature %q in %s", id, l.id))
}
