// Package problem answers HTTP requests with errors in the format of RFC 9457. It holds the only table from error
// codes to HTTP status codes.
package problem

import (
	"encoding/json"
	"errors"
	"net/http"

	"nhip"
)

// ContentType is the media type of an RFC 9457 problem.
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

// retryAfter is the Retry-After of status 429 and 503, in seconds.
const retryAfter = "5"

// Status returns the HTTP status of an error code, for surfaces whose standard has errors of its own.
func Status(code nhip.Code) int {
	n, _ := status(code)
	return n
}

// status returns the HTTP status and the title of an error code.
func status(code nhip.Code) (int, string) {
	switch code {
	case nhip.CodeNotFound:
		return http.StatusNotFound, "Not found"
	case nhip.CodeUnauthorized:
		return http.StatusUnauthorized, "Authentication required"
	case nhip.CodeForbidden:
		return http.StatusForbidden, "Not allowed"
	case nhip.CodeConflict:
		return http.StatusConflict, "Changed meanwhile"
	case nhip.CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "Too large"
	case nhip.CodeTooMany:
		return http.StatusTooManyRequests, "Too many requests"
	case nhip.CodeUnavailable:
		return http.StatusServiceUnavailable, "Not available now"
	case nhip.CodeInternal:
		return http.StatusInternalServerError, "Internal error"
	default: // all codes of invalid input
		return http.StatusBadRequest, "Invalid request"
	}
}

// Answer writes the problem of an error and returns the status. Only an nhip.Error is shown to the client, and none
// with nhip.CodeInternal, which may hold anything; the caller should log those.
func Answer(w http.ResponseWriter, err error) int {
	code := nhip.ErrorCode(err)
	n, title := status(code)
	body := Body{Type: "about:blank", Title: title, Status: n, Code: code}
	var known *nhip.Error
	if code != nhip.CodeInternal && errors.As(err, &known) {
		body.Detail, body.Field = known.Error(), known.Field
	}
	switch n {
	case http.StatusBadRequest:
		body.Code = nhip.CodeInvalid
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="nhip"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", retryAfter)
	}
	WriteJSON(w, n, ContentType, body)
	return n
}

// Plain writes a problem with a status that belongs to no error code of ours, such as 405 and 406.
func Plain(w http.ResponseWriter, status int, code nhip.Code, detail string) {
	WriteJSON(w, status, ContentType, Body{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code,
	})
}

// WriteJSON writes JSON that must not be cached.
func WriteJSON(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails if the client has disconnected
}
