// Package problem answers HTTP requests with what went wrong, as RFC 9457 says. It holds the one table from
// error codes to HTTP.
package problem

import (
	"encoding/json"
	"errors"
	"net/http"

	"nhip"
)

// ContentType is an RFC 9457 problem's.
const ContentType = "application/problem+json"

// Body is an RFC 9457 problem.
type Body struct {
	Type   string    `json:"type"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail,omitempty"`
	Code   nhip.Code `json:"code"`
	Field  string    `json:"field,omitempty"`
}

// retryAfter is when to ask again for what is away, and for who asks too often, in seconds.
const retryAfter = "5"

// status is the one table from codes to HTTP.
func status(code nhip.Code) (int, string) {
	switch code {
	case nhip.NotFound:
		return http.StatusNotFound, "Not found"
	case nhip.Unauthorized:
		return http.StatusUnauthorized, "Not allowed without a secret that opens"
	case nhip.Forbidden:
		return http.StatusForbidden, "Not allowed"
	case nhip.TooLarge:
		return http.StatusRequestEntityTooLarge, "Too large"
	case nhip.TooMany:
		return http.StatusTooManyRequests, "Too many requests"
	case nhip.Unavailable:
		return http.StatusServiceUnavailable, "Not available now"
	case nhip.Internal:
		return http.StatusInternalServerError, "Internal error"
	default: // every rule about input
		return http.StatusBadRequest, "Invalid request"
	}
}

// Answer answers with an error. What is our own fault is not shown: the caller logs it. It returns the
// status.
func Answer(w http.ResponseWriter, err error) int {
	code := nhip.ErrorCode(err)
	n, title := status(code)
	body := Body{Type: "about:blank", Title: title, Status: n, Code: code}
	var known *nhip.Error
	if errors.As(err, &known) {
		body.Detail, body.Field = known.Error(), known.Field
	}
	switch n {
	case http.StatusBadRequest:
		body.Code = nhip.Invalid
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="nhip"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", retryAfter)
	}
	WriteJSON(w, n, ContentType, body)
	return n
}

// Plain answers with a status that has no code of ours (405, 406).
func Plain(w http.ResponseWriter, status int, code nhip.Code, detail string) {
	WriteJSON(w, status, ContentType, Body{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code,
	})
}

// WriteJSON answers with JSON that nobody keeps.
func WriteJSON(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
