package v1

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/transit"
)

// listServiceAlerts answers GET /v1/service-alerts.
func (h *Handler) listServiceAlerts(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "stop", "route", "upcoming")
	stop, route, upcoming := q.Text("stop"), q.Text("route"), q.Boolean("upcoming")
	if stop != "" && route != "" {
		q.Fail("stop", "can't be given with route")
	}
	if q.Err != nil {
		return q.Err
	}
	scope, err := h.alertScope(stop, route)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.CacheLive, struct {
		Time   time.Time              `json:"time"`
		Alerts []transit.ServiceAlert `json:"alerts"`
		Feeds  []nhip.ServiceFeed     `json:"feeds"`
	}{h.Clock.Now(), h.Transit.ServiceAlerts(scope, upcoming), h.Transit.ServiceFeeds()})
}

// alertScope returns the scope of a stop or of a route by its id; of both empty, of everything.
func (h *Handler) alertScope(stop, route string) (transit.AlertScope, error) {
	if stop == "" && route == "" {
		return transit.Everything, nil
	}
	t, err := h.Transit.Timetable()
	if err != nil {
		return transit.AlertScope{}, err
	}
	if stop != "" {
		s := t.FindStop(stop)
		if s == nil {
			return transit.AlertScope{}, nhip.Errorf(nhip.CodeNotFound, "stop", "there is no stop %q", stop)
		}
		return t.StopScope(nil, s), nil
	}
	found := t.Network.Feed.Route(route)
	if found == nil {
		return transit.AlertScope{}, nhip.Errorf(nhip.CodeNotFound, "route", "there is no route %q", route)
	}
	return t.RouteScope(found), nil
}
