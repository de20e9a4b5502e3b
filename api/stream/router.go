package stream

import "github.com/go-chi/chi/v5"

// Routes registers the route.
func (h *Handler) Routes(r chi.Router) {
	r.With(h.WhenReady).Get("/v1/live", h.Handle(h.serve))
}
