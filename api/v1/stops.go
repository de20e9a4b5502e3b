package v1

import (
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/index"
)

// Limits of queries for stops.
const (
	defaultStops    = 20
	maxStops        = 1000
	defaultArrivals = 50
	maxArrivals     = 200
)

// stopAnswer is a stop with the current air and the active service alerts.
type stopAnswer struct {
	transit.Stop
	Air    *airBrief              `json:"air,omitempty"`
	Alerts []transit.ServiceAlert `json:"alerts"`
}

// listStops answers GET /v1/stops.
func (h *Handler) listStops(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "near", "radius", "limit", "bbox")
	near, given := q.Point("near")
	radius := q.Number("radius", math.Inf(1), minRadius, maxRadius)
	limit := q.Integer("limit", defaultStops, 1, maxStops)
	box, _ := q.Box("bbox")
	if q.Values.Has("radius") && !q.Values.Has("near") {
		q.Fail("radius", "requires near")
	}
	t, err := h.timetable(q)
	if err != nil {
		return err
	}
	var hits []index.Hit[*gtfs.Stop]
	if given {
		hits = t.Stops().Nearest(nil, near, limit, radius, func(s **gtfs.Stop) bool { return box.Contains((*s).Point) })
	} else {
		hits = t.Stops().Within(nil, box, nil)
	}
	out := make([]transit.Stop, 0, min(limit, len(hits)))
	for _, hit := range hits[:min(limit, len(hits))] {
		s := t.Stop(hit.Item)
		if given {
			s.Distance = nhip.Some(encode.Round(hit.Metres, 10))
		}
		out = append(out, s)
	}
	return h.JSON(w, rest.CacheLive, struct {
		Time  time.Time      `json:"time"`
		Stops []transit.Stop `json:"stops"`
	}{h.Clock.Now(), out})
}

// stopOf returns the stop of the request's path.
func (h *Handler) stopOf(r *http.Request, q *rest.Query) (*transit.Timetable, *gtfs.Stop, error) {
	id, badID := rest.PathID(r, "id")
	if q.Err == nil && badID != nil {
		return nil, nil, badID
	}
	t, err := h.timetable(q)
	if err != nil {
		return nil, nil, err
	}
	s := t.FindStop(id)
	if s == nil {
		return nil, nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no stop %q", id)
	}
	return t, s, nil
}

// getStop answers GET /v1/stops/{id}.
func (h *Handler) getStop(w http.ResponseWriter, r *http.Request) error {
	t, s, err := h.stopOf(r, rest.ReadQuery(r))
	if err != nil {
		return err
	}
	alerts := h.Transit.ServiceAlerts(t.StopScope(nil, s), false)
	return h.JSON(w, rest.CacheLive, stopAnswer{t.Stop(s), h.airAt(s.Point), alerts})
}

// listArrivals answers GET /v1/stops/{id}/arrivals.
func (h *Handler) listArrivals(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "minutes", "limit", "route", "direction")
	board, routes := h.boardQuery(r, q)
	limit := q.Integer("limit", defaultArrivals, 1, maxArrivals)
	t, s, err := h.stopOf(r, q)
	if err != nil {
		return err
	}
	if board.Routes, err = t.FindRoutes(routes); err != nil {
		return err
	}
	return h.JSON(w, rest.CacheLive, h.Transit.StopBoard(t, s, board, limit))
}

// getStopTimetable answers GET /v1/stops/{id}/timetable with the departures of one service day.
func (h *Handler) getStopTimetable(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "date", "route", "direction")
	date, routes := q.Text("date"), q.Text("route")
	board := transit.BoardQuery{Direction: direction(q)}
	day, ok := transit.ParseDay(date)
	if date != "" && !ok {
		q.Fail("date", "must be a day, as in 2026-02-16, got %q", date)
	}
	t, s, err := h.stopOf(r, q)
	if err != nil {
		return err
	}
	if board.Routes, err = t.FindRoutes(routes); err != nil {
		return err
	}
	if date == "" {
		day = t.Today(h.Clock.Now())
	}
	return h.JSONTagged(w, r, rest.CachePlan, t.StopTimetable(s, day, &board))
}
