package ogc

import "github.com/go-chi/chi/v5"

// Routes registers the handlers of /ogc.
func (h *Handler) Routes(r chi.Router) {
	r.Get(root, h.Handle(h.getLanding))
	r.Get(root+"/", h.Handle(h.getLanding))
	r.Get(root+"/conformance", h.Handle(h.getConformance))
	r.Get(root+"/api", h.Handle(h.getAPI))
	r.Group(func(r chi.Router) {
		r.Use(h.WhenReady) // extents depend on the live state, too
		r.Get(root+"/collections", h.Handle(h.listCollections))
		r.Get(root+"/collections/{collection}", h.Handle(h.getCollection))
		r.Get(root+"/collections/{collection}/items", h.Handle(h.listItems))
		r.Get(root+"/collections/{collection}/items/{feature}", h.Handle(h.getItem))
	})
}
