package open311

import (
	"net/http"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
)

// Routes registers the endpoints that everybody reads.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/open311/v2/discovery.{format}", h.handle(h.getDiscovery))
	r.Get("/open311/v2/services.{format}", h.handle(h.listServices))
	r.Get("/open311/v2/services/{code}.{format}", h.handle(h.getDefinition))
	r.Get("/open311/v2/form", h.Handle(h.getForm))
	r.Get("/open311/v2/requests.{format}", h.handle(h.whenReady(h.listRequests)))
	r.Get("/open311/v2/requests/{id}.{format}", h.handle(h.whenReady(h.getRequest)))
	r.Get("/open311/v2/tokens/{token}.{format}", h.handle(h.whenReady(h.getToken)))
}

// PhotoRoutes registers the endpoint of published photos, which waits for a collector, as a query of the history waits
// for the database.
func (h *Handler) PhotoRoutes(r chi.Router) {
	r.With(h.WhenReady).Get("/open311/v2/photos/{id}", h.Handle(h.getPublicPhoto))
}

// WorkRoutes registers the endpoint that takes reports, and those of the queue, for staff who handle at least one group
// of services. They wait for collectors, and have bounds of their own.
func (h *Handler) WorkRoutes(r chi.Router) {
	r.Post("/open311/v2/requests.{format}", h.handle(h.whenReady(h.postRequest)))
	r.Group(func(r chi.Router) {
		r.Use(h.staffOnly, h.WhenReady)
		r.Get("/v1/queue", h.Handle(h.listQueue))
		r.Get("/v1/queue/live", h.Handle(h.streamQueue))
		r.Get("/v1/queue/{id}", h.Handle(h.getQueued))
		r.Post("/v1/queue/{id}", h.Handle(h.changeQueued))
		r.Get("/v1/queue/{id}/photo", h.Handle(h.getQueuedPhoto))
	})
}

// whenReady answers 503 until the live state has loaded: a report would not be enriched, and an old one not be found.
func (h *Handler) whenReady(
	answer func(http.ResponseWriter, *http.Request) (reply, error),
) func(http.ResponseWriter, *http.Request) (reply, error) {
	return func(w http.ResponseWriter, r *http.Request) (reply, error) {
		if !h.Ready() {
			return reply{}, rest.ErrNotReady
		}
		return answer(w, r)
	}
}

// staffOnly lets those pass who handle the reports of a group.
func (h *Handler) staffOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := rest.PermissionError(r, nhip.MayHandleTransport)
		if err != nil && rest.PermissionError(r, nhip.MayHandleEnvironment) == nil {
			err = nil
		}
		if err != nil {
			h.Problem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readerOf returns who reads the queue.
func readerOf(r *http.Request) *reports.Reader {
	caller := rest.CallerOf(r)
	return &reports.Reader{Role: caller.Role, View: caller.View}
}
