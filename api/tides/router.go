package tides

import "github.com/go-chi/chi/v5"

// Routes registers the handlers.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/v1/tides", h.Handle(h.listDates))
	r.Get("/v1/tides/{date}/datapackage.json", h.Handle(h.getPackage))
	r.Get("/v1/tides/{date}/{table}.{format}", h.Handle(h.getTable))
}
