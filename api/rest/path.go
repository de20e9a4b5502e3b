package rest

import (
	"net/http"
	"net/url"

	"nhip"

	"github.com/go-chi/chi/v5"
)

// PathID returns a parameter of the path, decoded and checked as an id; clients write a slash in it as %2F. The
// router matches the path as sent if Go would encode it otherwise, and the decoded path if not.
func PathID(r *http.Request, name string) (string, error) {
	id := chi.URLParam(r, name)
	if r.URL.RawPath != "" {
		var err error
		if id, err = url.PathUnescape(id); err != nil {
			return "", nhip.Errorf(nhip.CodeInvalid, name, "has invalid percent-encoding")
		}
	}
	return id, nhip.CheckID(name, id)
}

// RoutePattern returns the pattern of the request's route, which holds nothing that the client sent. It returns
// "none" if no route matches.
func RoutePattern(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	if r.Pattern != "" {
		return r.Pattern
	}
	return "none"
}
