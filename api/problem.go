package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"nhip"
)

// errStarting is the answer while the city is being gathered.
var errStarting = nhip.Errorf(nhip.Unavailable, "", "the city is still being gathered; ask again in a moment")

// problemBody is an RFC 9457 problem.
type problemBody struct {
	Type   string    `json:"type"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail,omitempty"`
	Code   nhip.Code `json:"code"`
	Field  string    `json:"field,omitempty"`
}

// status is the one table from codes to HTTP.
func status(code nhip.Code) (int, string) {
	switch code {
	case nhip.NotFound:
		return http.StatusNotFound, "Not found"
	case nhip.Unauthorized:
		return http.StatusUnauthorized, "Not allowed without the operator's token"
	case nhip.Unavailable:
		return http.StatusServiceUnavailable, "Not available now"
	case nhip.Internal:
		return http.StatusInternalServerError, "Internal error"
	default: // every rule about input
		return http.StatusBadRequest, "Invalid request"
	}
}

// problem answers with an error. What is our own fault is logged and not shown.
func (a *API) problem(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	code := nhip.ErrorCode(err)
	n, title := status(code)
	body := problemBody{Type: "about:blank", Title: title, Status: n, Code: code}
	var known *nhip.Error
	if errors.As(err, &known) {
		body.Detail, body.Field = known.Error(), known.Field
	}
	if n == http.StatusBadRequest {
		body.Code = nhip.Invalid
	}
	if code == nhip.Internal {
		a.log.Error("a request failed", "route", routePattern(r), "error", err)
	}
	if code == nhip.Unavailable {
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, n, "application/problem+json", body)
}

// plainProblem answers with a status that has no code of ours (405, 406).
func plainProblem(w http.ResponseWriter, status int, code nhip.Code, detail string) {
	writeJSON(w, status, "application/problem+json", problemBody{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code,
	})
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
