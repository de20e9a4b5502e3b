package api

import (
	"net/http"
	"slices"
	"strings"

	"nhip"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
)

// webFiles is the pattern of the files of the web map, which every address matches.
const webFiles = "/*"

// methodNotAllowed returns a handler that answers requests whose method the address does not have.
func methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { refuseMethod(w, r, methodsOf(routes, r)) }
}

func refuseMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	problem.Plain(w, http.StatusMethodNotAllowed, nhip.CodeInvalid, r.Method+" is not allowed at this address")
}

// othersFirst answers requests that only the files of the web map match, and whose address is one of an operation with
// other methods: GET of what can only be posted is no file that is missing.
func othersFirst(routes chi.Routes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if chi.RouteContext(r.Context()).RoutePattern() == webFiles {
				if others := methodsOf(routes, r); !slices.Contains(others, http.MethodGet) {
					refuseMethod(w, r, others)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// methodsOf returns the methods of an address. It has GET of the files of the web map only if no operation is there.
func methodsOf(routes chi.Routes, r *http.Request) []string {
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = r.URL.RawPath
	}
	var found []string
	for _, method := range []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		if pattern := routes.Find(chi.NewRouteContext(), method, path); pattern != "" && pattern != webFiles {
			found = append(found, method)
		}
	}
	if len(found) == 0 {
		found = []string{http.MethodGet}
	}
	if found[0] == http.MethodGet {
		found = slices.Insert(found, 1, http.MethodHead)
	}
	return append(found, http.MethodOptions)
}
