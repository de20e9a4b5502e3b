package ogc

import (
	"maps"
	"net/http"
	"sync"

	"nhip/api/rest"
)

// object is a part of an OpenAPI document.
type object = map[string]any

// getAPI answers GET /ogc/api.
func (h *Handler) getAPI(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	part, err := h.Contract()
	if err != nil {
		return err
	}
	doc := maps.Clone(part)
	doc["servers"] = []object{{"url": h.BaseURL(r) + root}}
	return h.JSONAs(w, contractType, "", doc)
}

// CutContract returns a function that extracts the paths below /ogc from the contract, an OpenAPI document in YAML, on
// its first call. The paths of the result are relative to the landing page, as a GIS expects them, and its parameters
// state the values that the handlers accept. The caller must not change the result.
func CutContract(contract []byte) func() (map[string]any, error) {
	return sync.OnceValues(func() (object, error) { return cut(contract) })
}

// cut returns the part of a contract about /ogc, without that about EDR, which has a landing page of its own.
func cut(contract []byte) (object, error) {
	doc, err := rest.ContractPart(contract, root, root+"/edr")
	if err != nil {
		return nil, err
	}
	var ids []any
	for _, l := range layers() {
		ids = append(ids, l.id)
	}
	rest.ContractObject(doc, "components", "parameters", "collection", "schema")["enum"] = ids
	// The handlers also accept a higher limit, but treat it as maxLimit.
	limit := rest.ContractObject(doc, "components", "parameters", "limit", "schema")
	limit["default"], limit["maximum"] = defaultLimit, maxLimit
	return doc, nil
}
