package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// TestEveryOperationMayBeLimited checks that the contract describes the answer to a client beyond its share.
func TestEveryOperationMayBeLimited(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		if slices.ContainsFunc([]string{"/livez", "/readyz", "/metrics", "/in/"}, func(free string) bool {
			return strings.HasPrefix(path, free)
		}) {
			continue
		}
		for method, op := range item.Operations() {
			if op.Responses.Value("429") == nil {
				t.Errorf("%s %s lacks 429", method, path)
			}
		}
	}
}

// undescribed are the served routes that openapi.yaml omits: the files of the web map, and second forms of landing
// pages and of CAP documents.
var undescribed = []string{"GET /*", "GET /", "GET /air", "GET /ogc/", "GET /ogc/edr/", "GET /v1/alerts/{id:.+[.]cap}"}

// describedElsewhere begins the routes of OneBusAway's own contract, which api/oba is held to, and of its feeds, and
// those whose paths are SensorThings', which OpenAPI cannot write.
var describedElsewhere = []string{
	"GET /api/where/", "GET /api/gtfs_realtime/", "GET /sta/v1.1/", "POST /sta/v1.1/", "PUT /sta/v1.1/",
	"PATCH /sta/v1.1/", "DELETE /sta/v1.1/",
}

func elsewhere(route string) bool {
	return slices.ContainsFunc(describedElsewhere, func(begin string) bool { return strings.HasPrefix(route, begin) })
}

// TestContractDescribesEveryRoute compares the router with openapi.yaml in both directions.
func TestContractDescribesEveryRoute(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	described := make(map[string]bool)
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	a := newAPI(t, func(o *Options) { o.In = http.NotFoundHandler() })
	served := make(map[string]bool)
	walk := func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		served[method+" "+route] = true
		return nil
	}
	if err := chi.Walk(a.server.Handler.(chi.Routes), walk); err != nil {
		t.Fatal(err)
	}
	for route := range served {
		if !described[route] && !slices.Contains(undescribed, route) && !elsewhere(route) {
			t.Errorf("%s is served and not described", route)
		}
	}
	for route := range described {
		if !served[route] {
			t.Errorf("%s is described and not served", route)
		}
	}
}
