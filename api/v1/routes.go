package v1

import (
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/gtfs"
)

// listRoutes answers GET /v1/routes.
func (h *Handler) listRoutes(w http.ResponseWriter, r *http.Request) error {
	t, err := h.timetable(rest.ReadQuery(r))
	if err != nil {
		return err
	}
	return h.JSON(w, rest.CacheLive, struct {
		Time   time.Time       `json:"time"`
		Routes []transit.Route `json:"routes"`
	}{h.Clock.Now(), t.Routes()})
}

// routeOf returns the route of the request's path.
func (h *Handler) routeOf(r *http.Request, q *rest.Query) (*transit.Timetable, *gtfs.Route, error) {
	id, badID := rest.PathID(r, "id")
	if q.Err == nil && badID != nil {
		return nil, nil, badID
	}
	t, err := h.timetable(q)
	if err != nil {
		return nil, nil, err
	}
	route := t.Network.Feed.Route(id)
	if route == nil {
		return nil, nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no route %q", id)
	}
	return t, route, nil
}

// getRoute answers GET /v1/routes/{id}.
func (h *Handler) getRoute(w http.ResponseWriter, r *http.Request) error {
	t, route, err := h.routeOf(r, rest.ReadQuery(r))
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	answer, patterns := t.RoutePatterns(route, now)
	view := rest.ScopeOf(r)
	for i := range patterns {
		buses := &patterns[i].Buses
		*buses = slices.DeleteFunc(*buses, func(b transit.BusOnPattern) bool { return !view.Agency(b.Agency) })
	}
	return h.JSON(w, rest.CacheLive, struct {
		transit.Route
		Time     time.Time              `json:"time"`
		Patterns []transit.Pattern      `json:"patterns"`
		Alerts   []transit.ServiceAlert `json:"alerts"`
	}{answer, now, patterns, h.Transit.ServiceAlerts(t.RouteScope(route), false)})
}
