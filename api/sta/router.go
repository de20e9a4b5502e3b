package sta

import (
	"net/http"
	"strings"

	"nhip"
	"nhip/api/odata"
	"nhip/api/rest"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
)

// RootRoutes registers the handler of /sta/v1.1, which reads nothing.
func (h *Handler) RootRoutes(r chi.Router) { r.Get(root, h.Handle(h.getRoot)) }

// Routes registers the handler of what is below /sta/v1.1.
func (h *Handler) Routes(r chi.Router) { r.Get(root+"/*", h.Handle(h.getResource)) }

// WriteRoutes registers the refusal of writes.
func (h *Handler) WriteRoutes(r chi.Router) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		r.Method(method, root+"/*", http.HandlerFunc(refuseWrite))
	}
}

// refuseWrite answers a request that would change something.
func refuseWrite(w http.ResponseWriter, _ *http.Request) {
	problem.Plain(w, http.StatusNotImplemented, nhip.CodeInvalid,
		"this SensorThings service is read-only: readings come from devices through the gateway, stations from the fleet")
}

// conformance are the requirement classes that are met.
var conformance = []string{
	"http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/request-data",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array",
}

// getRoot answers GET /sta/v1.1 with the entity sets.
func (h *Handler) getRoot(w http.ResponseWriter, r *http.Request) error {
	if q := rest.ReadQuery(r); q.Err != nil {
		return q.Err
	}
	type set struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	var sets []set
	for _, k := range kinds {
		sets = append(sets, set{k.set, h.BaseURL(r) + root + "/" + k.set})
	}
	return h.JSON(w, "", struct {
		Settings map[string]any `json:"serverSettings"`
		Value    []set          `json:"value"`
	}{map[string]any{"conformance": conformance}, sets})
}

// getResource answers the requests of everything but the root.
func (h *Handler) getResource(w http.ResponseWriter, r *http.Request) error {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, root+"/"), "/")
	if path == "" {
		return h.withSlot(r, func() error { return h.getRoot(w, r) })
	}
	segments, err := odata.ReadPath(path)
	if err != nil {
		return err
	}
	options, err := odata.ReadOptions(r.URL.RawQuery)
	if err != nil {
		return err
	}
	target, err := readTarget(segments)
	if err != nil {
		return err
	}
	if err := target.check(&options); err != nil {
		return err
	}
	return h.withSlot(r, func() error {
		body, media, err := h.answer(r, target, &options)
		if err == nil {
			h.Bytes(w, media, "", body)
		}
		return err
	})
}
