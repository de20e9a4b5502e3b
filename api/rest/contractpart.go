package rest

import (
	"strings"

	"github.com/goccy/go-yaml"
)

// object is a part of an OpenAPI document.
type object = map[string]any

// ContractPart returns the part of a contract, an OpenAPI document in YAML, about the paths at and below root, without
// those below a path of except. Its paths are relative to root, as standards with a landing page expect them.
func ContractPart(contract []byte, root string, except ...string) (map[string]any, error) {
	var doc object
	if err := yaml.Unmarshal(contract, &doc); err != nil {
		return nil, err
	}
	paths := object{}
	for path, item := range ContractObject(doc, "paths") {
		if path == root {
			paths["/"] = item
		} else if below, ours := strings.CutPrefix(path, root+"/"); ours && !belowAny(path, except) {
			paths["/"+below] = item
		}
	}
	doc["paths"] = paths
	doc["components"] = referencedComponents(doc)
	delete(doc, "tags")
	return doc, nil
}

func belowAny(path string, roots []string) bool {
	for _, root := range roots {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

// ContractObject returns a nested object of a document.
func ContractObject(doc map[string]any, names ...string) map[string]any {
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
			if to == "" || ContractObject(out, kind)[name] != nil {
				return
			}
			if out[kind] == nil {
				out[kind] = object{}
			}
			component := ContractObject(doc, "components", kind)[name]
			ContractObject(out, kind)[name] = component
			visit(component)
		}
	}
	visit(doc["paths"])
	return out
}
