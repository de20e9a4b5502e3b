// Package servicealerts serves the endpoints with which dispatchers write service alerts: notices for riders, which all
// surfaces tell that tell the alerts of realtime feeds.
package servicealerts

import (
	"nhip"
	"nhip/api/actions"
	"nhip/api/rest"
	"nhip/api/transit"

	"github.com/go-chi/chi/v5"
)

// Handler serves the endpoints.
type Handler struct {
	Transit        *transit.Model
	Actions        *actions.Client
	Clock          nhip.Clock
	rest.Responder // Ready reports whether the written alerts have been received, too

	maxEnded int // 0: nhip.MaxEndedAlerts; fewer in tests
}

// Routes registers the endpoints. Callers need nhip.MayAlertRiders and see the alerts of the agencies in their scope.
func (h *Handler) Routes(r chi.Router) {
	r = r.With(h.Require(nhip.MayAlertRiders), h.WhenReady)
	r.Post("/v1/service-alerts", h.Handle(h.create))
	r.Get("/v1/service-alerts/written", h.Handle(h.list))
	r.Post("/v1/service-alerts/preview", h.Handle(h.preview))
	r.Get("/v1/service-alerts/{id}", h.Handle(h.get))
	r.Put("/v1/service-alerts/{id}", h.Handle(h.change))
	r.Delete("/v1/service-alerts/{id}", h.Handle(h.removeDraft))
	r.Post("/v1/service-alerts/{id}/end", h.Handle(h.end))
}
