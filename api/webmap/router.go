package webmap

import "github.com/go-chi/chi/v5"

// Routes registers the routes whose answers should be compressed.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/v1/map", h.Handle(h.getMap))
	r.Get("/*", h.files())
}

// TileRoutes registers the routes that map programs read.
func (h *Handler) TileRoutes(r chi.Router) {
	r.Get(basemapPath, h.Handle(h.getBasemap))
	r.Get("/v1/legend", h.Handle(h.getLegend))
	r.Get("/styles/nhip.json", h.Handle(h.getStyle))
	r.Get("/tiles/air.json", h.Handle(h.getAirTileJSON))
	r.Get("/tiles/air.png.json", h.Handle(h.getAirPictureTileJSON))
	r.Get("/tiles/transit.json", h.Handle(h.getTransitTileJSON))
}

// PageRoutes registers the pages that are drawn for each request.
func (h *Handler) PageRoutes(r chi.Router) {
	r.With(h.WhenReady).Get("/embed/air", h.Handle(h.getEmbed))
	pages := h.files()
	r.Get("/", pages)
	r.Get("/air", pages)
}
