package api

import (
	"math"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/geo/index"
	"nhip/geo/network"

	"github.com/paulmach/orb"
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
	ask, form, err := a.busQuery(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	hits, matched := ask.find(ask.fleet.index)
	switch form {
	case formCSV:
		body := []byte(byteOrderMark + busColumns)
		for _, h := range hits {
			body = appendBusCSV(body, h.Item, ask.now, ask.metres(h))
		}
		startCSV(w.Header(), "buses")
		writeLive(w, body)
	case formJSON:
		from, transit := network.From(ask.near), a.city.transit.Load()
		if ask.fleet.past {
			transit = nil // it knows of now
		}
		room := bodies.Get().(*[]byte)
		body := appendCollection((*room)[:0], ask.now, matched, len(hits))
		for i, h := range hits {
			if i > 0 {
				body = append(body, ',')
			}
			body = appendOpenBus(body, h.Item, ask.now, ask.metres(h))
			if r := transit.of(h.ID); r != nil && ask.asked {
				body = appendRide(body, r, &from, ask.now)
			}
			body = append(body, '}', '}')
		}
		w.Header().Set("Content-Type", geoJSON)
		body = append(body, "]}\n"...)
		writeLive(w, body)
		if *room = body; cap(body) <= bodyKept {
			bodies.Put(room)
		}
	default:
		noForm(w)
	}
}

// bodies are the rooms in which answers were made; those of a handful of buses are used again.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// bodyKept is the largest that is kept, in bytes.
const bodyKept = 64 << 10

// busQuery is a question for buses.
type busQuery struct {
	fleet     *fleetThen
	now       time.Time
	near      orb.Point
	asked     bool // near is given
	limit     int
	radius    float64 // metres
	route     string
	agency    string
	direction nhip.Opt[int]
	maxAge    time.Duration // 0: any
	box       index.Box
}

func (a *API) busQuery(r *http.Request) (ask busQuery, form string, err error) {
	q := readQuery(r, "near", "limit", "radius", "route", "direction", "agency", "max_age", "bbox", "format", "time")
	ask.near, ask.asked = q.point("near")
	ask.limit = maxBuses
	if ask.asked {
		ask.limit = defaultNear
	}
	ask.limit = q.integer("limit", ask.limit, 1, maxBuses)
	ask.radius = q.number("radius", math.Inf(1), minRadius, maxRadius)
	ask.route, ask.agency = q.text("route"), q.text("agency")
	if d := q.integer("direction", -1, 0, 1); d >= 0 {
		ask.direction = nhip.Some(d)
	}
	ask.maxAge = time.Duration(q.integer("max_age", 0, 1, int(nhip.BusLeavesAfter.Seconds()))) * time.Second
	ask.box, _ = q.box("bbox")
	if q.values.Has("radius") && !q.values.Has("near") {
		q.fail("radius", "needs near")
	}
	form = q.form(r)
	if ask.fleet, err = a.busesThen(r.Context(), q); err == nil {
		ask.now = ask.fleet.at
	}
	return ask, form, err
}

// find returns the buses, and how many there are; -1 with near, where finding the nearest does not
// look at the others.
func (q *busQuery) find(buses *index.Index[*nhip.Bus]) (hits []index.Hit[*nhip.Bus], matched int) {
	keep := func(b **nhip.Bus) bool {
		return q.wants(*b)
	}
	if q.asked {
		return buses.Nearest(nil, q.near, q.limit, q.radius, keep), -1
	}
	hits = buses.Within(nil, q.box, keep)
	return hits[:min(q.limit, len(hits))], len(hits)
}

// wants reports whether a bus is one that is asked for.
func (q *busQuery) wants(b *nhip.Bus) bool {
	switch {
	case q.route != "" && b.Route != q.route, q.agency != "" && b.Agency != q.agency,
		q.direction.Known() && b.Direction != q.direction, q.maxAge > 0 && q.now.Sub(b.Time) > q.maxAge:
		return false
	}
	return !b.Gone(q.now) && q.box.Contains(b.Point())
}

func (q *busQuery) metres(h index.Hit[*nhip.Bus]) float64 {
	if !q.asked {
		return -1
	}
	return h.Metres
}

// writeLive answers with what is true for a second or two.
func writeLive(w http.ResponseWriter, body []byte) {
	w.Header().Set("Cache-Control", "public, max-age=1")
	w.Header().Set("Vary", "Accept")
	_, _ = w.Write(body) // the client may be gone
}
