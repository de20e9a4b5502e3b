package ogc

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
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

// cut returns the part of a contract about /ogc.
func cut(contract []byte) (object, error) {
	var doc object
	if err := yaml.Unmarshal(contract, &doc); err != nil {
		return nil, err
	}
	paths := object{}
	for path, item := range part(doc, "paths") {
		if path == root {
			paths["/"] = item
		} else if below, ours := strings.CutPrefix(path, root+"/"); ours {
			paths["/"+below] = item
		}
	}
	doc["paths"] = paths
	var ids []any
	for _, l := range layers() {
		ids = append(ids, l.id)
	}
	part(doc, "components", "parameters", "collection", "schema")["enum"] = ids
	// The handlers also accept a higher limit, but treat it as maxLimit.
	limit := part(doc, "components", "parameters", "limit", "schema")
	limit["default"], limit["maximum"] = defaultLimit, maxLimit
	doc["components"] = referencedComponents(doc)
	delete(doc, "tags")
	return doc, nil
}

// part returns a nested object of a document.
func part(doc object, names ...string) object {
	for _, name := range names {
		doc, _ = doc[name].(object)
	}
	return doc
}

// referencedComponents returns the components that the paths of a document refer to, directly or indirectly.
func referencedComponents(doc object) object {
	out := object{}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, child := range v {
				visit(child)
			}
		case object:
			for _, child := range v {
				visit(child)
			}
			to, _ := v["$ref"].(string)
			kind, name, _ := strings.Cut(strings.TrimPrefix(to, "#/components/"), "/")
			if to == "" || part(out, kind)[name] != nil {
				return
			}
			if out[kind] == nil {
				out[kind] = object{}
			}
			component := part(doc, "components", kind)[name]
			part(out, kind)[name] = component
			visit(component)
		}
	}
	visit(doc["paths"])
	return out
}
