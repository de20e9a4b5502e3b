package api

import (
	"math"
	"net/http"

	"nhip"
	"nhip/geo/index"
)

// Limits of a question for buses.
const (
	defaultNear = 10   // with near
	maxBuses    = 5000 // and the default without
	minRadius   = 1.0
	maxRadius   = 100_000.0
	geoJSON     = "application/geo+json"
)

// listBuses answers GET /v1/buses.
func (a *API) listBuses(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "near", "limit", "radius", "route", "bbox")
	near, asked := q.point("near")
	limit := maxBuses
	if asked {
		limit = defaultNear
	}
	limit = q.integer("limit", limit, 1, maxBuses)
	radius := q.number("radius", math.Inf(1), minRadius, maxRadius)
	route := q.text("route")
	box, _ := q.box("bbox")
	if q.values.Has("radius") && !q.values.Has("near") {
		q.fail("radius", "needs near")
	}
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	now := a.o.Clock.Now()
	keep := func(b **nhip.Bus) bool {
		return (route == "" || (*b).Route == route) && !(*b).Gone(now) && box.Contains((*b).Point())
	}
	var hits []index.Hit[*nhip.Bus]
	matched := -1 // not counted: finding the nearest does not look at the others
	if asked {
		hits = a.city.buses.Nearest(nil, near, limit, radius, keep)
	} else {
		hits = a.city.buses.Within(nil, box, keep)
		matched = len(hits)
		hits = hits[:min(limit, matched)]
	}
	body := appendCollection(nil, now, matched, len(hits))
	for i, h := range hits {
		if i > 0 {
			body = append(body, ',')
		}
		metres := h.Metres
		if !asked {
			metres = -1
		}
		body = appendBus(body, h.Item, now, metres)
	}
	writeLive(w, append(body, "]}\n"...))
}

// writeLive answers with what is true for a second or two.
func writeLive(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", geoJSON)
	w.Header().Set("Cache-Control", "public, max-age=1")
	_, _ = w.Write(body) // the client may be gone
}
