package api

import (
	"context"
	"errors"
	"net/http"

	"nhip"
	"nhip/internal/problem"
)

// errStarting is the answer while the city is being gathered.
var errStarting = nhip.Errorf(nhip.Unavailable, "", "the city is still being gathered; ask again in a moment")

// problem answers with an error. What is our own fault is logged and not shown.
func (a *API) problem(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	if nhip.ErrorCode(err) == nhip.Internal {
		a.log.Error("a request failed", "route", routePattern(r), "error", err)
	}
	problem.Answer(w, err)
}
