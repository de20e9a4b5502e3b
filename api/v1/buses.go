package v1

import (
	"math"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/api/geojson"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/geo/index"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// Limits of a query for buses.
const (
	defaultNear = 10   // default limit with near
	maxBuses    = 5000 // also the default limit without near
)

// listBuses answers GET /v1/buses.
func (h *Handler) listBuses(w http.ResponseWriter, r *http.Request) error {
	q, format, err := h.busQuery(r)
	if err != nil {
		return err
	}
	hits, matched := q.find()
	switch format {
	case rest.FormatCSV:
		body := []byte(rest.ByteOrderMark + busColumns)
		for _, hit := range hits {
			body = appendBusCSV(body, hit.Item, q.now, q.metres(hit))
		}
		h.CSV(w, "buses", rest.CacheLive, body)
	case rest.FormatJSON:
		buffer := buffers.Get().(*[]byte)
		body := h.appendBuses((*buffer)[:0], q, hits, matched)
		h.Bytes(w, geojson.ContentType, rest.CacheLive, body)
		if *buffer = body; cap(body) <= maxBuffer {
			buffers.Put(buffer)
		}
	default:
		return rest.ErrNotAcceptable
	}
	return nil
}

func (h *Handler) appendBuses(b []byte, q *busQuery, hits []index.Hit[*nhip.Bus], matched int) []byte {
	plane := network.PlaneAt(q.near)
	boarding := q.hasNear && !q.fleet.Past // only current buses are tracked
	b = geojson.AppendCollectionHead(b, q.now, matched, len(hits))
	for i, hit := range hits {
		if i > 0 {
			b = append(b, ',')
		}
		b = geojson.AppendBusOpen(b, hit.Item, q.now, q.metres(hit))
		if boarding {
			b = appendBoarding(b, h.Transit.Tracked(hit.ID), &plane, q.now, h.Transit)
		}
		b = append(b, '}', '}')
	}
	return append(b, "]}\n"...)
}

// buffers are reused between answers.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer is the capacity of the largest buffer that is reused, bytes: enough for the usual answers with a few buses.
const maxBuffer = 64 << 10

// busQuery is a query for buses.
type busQuery struct {
	fleet     *live.Fleet
	now       time.Time // time of the fleet
	near      orb.Point
	hasNear   bool
	limit     int
	radius    float64 // m
	route     string
	agency    string
	direction nhip.Opt[int]
	maxAge    time.Duration // 0 is unlimited
	box       index.Box
	view      scope.View
}

func (h *Handler) busQuery(r *http.Request) (q *busQuery, format string, err error) {
	p := rest.ReadQuery(r, "near", "limit", "radius", "route", "direction", "agency", "max_age", "bbox", "format", "time")
	q = &busQuery{view: rest.ScopeOf(r)}
	q.near, q.hasNear = p.Point("near")
	q.limit = maxBuses
	if q.hasNear {
		q.limit = defaultNear
	}
	q.limit = p.Integer("limit", q.limit, 1, maxBuses)
	q.radius = p.Number("radius", math.Inf(1), minRadius, maxRadius)
	q.route, q.agency = p.Text("route"), p.Text("agency")
	q.direction = direction(p)
	q.maxAge = time.Duration(p.Integer("max_age", 0, 1, int(nhip.BusExpiresAfter.Seconds()))) * time.Second
	q.box, _ = p.Box("bbox")
	if p.Values.Has("radius") && !p.Values.Has("near") {
		p.Fail("radius", "requires near")
	}
	format = p.Format(r)
	at := p.PastTime("time", h.Clock.Now())
	if p.Err != nil {
		return nil, "", p.Err
	}
	if q.fleet, err = h.Live.FleetAt(r.Context(), at); err != nil {
		return nil, "", err
	}
	q.now = q.fleet.At
	return q, format, nil
}

// find returns the matching buses up to the limit, and how many match. That number is −1 for a query with near, because
// the search for the nearest buses does not visit the others.
func (q *busQuery) find() (hits []index.Hit[*nhip.Bus], matched int) {
	keep := func(b **nhip.Bus) bool { return q.matches(*b) }
	if q.hasNear {
		return q.fleet.Buses.Nearest(nil, q.near, q.limit, q.radius, keep), -1
	}
	hits = q.fleet.Buses.Within(nil, q.box, keep)
	return hits[:min(q.limit, len(hits))], len(hits)
}

func (q *busQuery) matches(b *nhip.Bus) bool {
	switch {
	case q.route != "" && b.Route != q.route, q.agency != "" && b.Agency != q.agency,
		!q.view.Agency(b.Agency), q.direction.Known() && b.Direction != q.direction, q.maxAge > 0 &&
			q.now.Sub(b.Time) > q.maxAge:
		return false
	}
	return !b.Expired(q.now) && q.box.Contains(b.Point())
}

// metres returns the distance of a hit, negative for a query without near.
func (q *busQuery) metres(hit index.Hit[*nhip.Bus]) float64 {
	if !q.hasNear {
		return -1
	}
	return hit.Metres
}
