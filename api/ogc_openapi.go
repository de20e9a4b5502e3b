package api

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// object is a part of an OpenAPI document.
type object = map[string]any

// ogcAPI answers with the part of our contract that is about these addresses.
func (a *API) ogcAPI(w http.ResponseWriter, r *http.Request) {
	if q := ogcQuery(r); q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	part, err := ogcContract()
	if err != nil {
		panic("the contract can't be read: " + err.Error()) // it is ours
	}
	doc := maps.Clone(part)
	doc["servers"] = []object{{"url": a.publicURL(r) + ogcBase}}
	sendAs(w, openAPI30, doc)
}

// ogcContract cuts the contract once. Its paths begin where the landing page is, as a GIS looks them up, and what they
// may be asked for is what the handlers have.
var ogcContract = sync.OnceValues(func() (object, error) {
	var doc object
	if err := yaml.Unmarshal(contract, &doc); err != nil {
		return nil, err
	}
	paths := object{}
	for path, item := range part(doc, "paths") {
		if path == ogcBase {
			paths["/"] = item
		} else if rest, ours := strings.CutPrefix(path, ogcBase+"/"); ours {
			paths["/"+rest] = item
		}
	}
	doc["paths"] = paths
	var ids []any
	for _, l := range ogcLayers() {
		ids = append(ids, l.id)
	}
	part(doc, "components", "parameters", "collection", "schema")["enum"] = ids
	// Above the most a page is as long as that: the handler takes it, but nobody need ask for it.
	limit := part(doc, "components", "parameters", "limit", "schema")
	limit["default"], limit["maximum"] = ogcPage, ogcMostPage
	doc["components"] = referred(doc)
	delete(doc, "tags")
	return doc, nil
})

// part walks down into a document.
func part(doc object, names ...string) object {
	for _, name := range names {
		doc, _ = doc[name].(object)
	}
	return doc
}

// referred are the components that the paths of a document need, straight or through others.
func referred(doc object) object {
	out := object{}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, of := range v {
				visit(of)
			}
		case object:
			for _, of := range v {
				visit(of)
			}
			to, _ := v["$ref"].(string)
			kind, name, _ := strings.Cut(strings.TrimPrefix(to, "#/components/"), "/")
			if to == "" || part(out, kind)[name] != nil {
				return
			}
			if out[kind] == nil {
				out[kind] = object{}
			}
			it := part(doc, "components", kind)[name]
			part(out, kind)[name] = it
			visit(it)
		}
	}
	visit(doc["paths"])
	return out
}
