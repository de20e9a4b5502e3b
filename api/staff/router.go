package staff

import "github.com/go-chi/chi/v5"

// Routes registers the staff endpoints. The caller must check the operator's token before.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/v1/ledger", h.Handle(h.getLedger))
	r.Get("/v1/devices", h.Handle(h.listDevices))
	r.Get("/v1/devices/{id}", h.Handle(h.getDevice))
	r.Get("/v1/dead", h.Handle(h.listDeadLetters))
	r.Get("/v1/dead/{collector}/{id}", h.Handle(h.getDeadLetter))
	r.Post("/v1/dead/replay", h.Handle(h.replayDeadLetters))
	r.Get("/v1/reviews", h.Handle(h.listReviews))
	r.Post("/v1/reviews", h.Handle(h.postReview))
	r.Get("/v1/stations/{id}/value", h.Handle(h.getValue))
	r.Get("/v1/retention", h.Handle(h.getRetention))
	r.Post("/v1/retention", h.Handle(h.postRetention))
	r.Get("/v1/alerts", h.Handle(h.listAlerts))
	r.Get("/v1/alerts/live", h.Handle(h.streamAlerts))
	r.Post("/v1/alerts/{id}/ack", h.Handle(h.ackAlert))
	r.Get("/v1/recompute", h.Handle(h.getRecompute))
	r.Post("/v1/recompute", h.Handle(h.postRecompute))
}
