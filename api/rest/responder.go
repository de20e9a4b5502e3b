// Package rest holds what all surfaces need to serve HTTP: parsing of queries, paths and bodies, content negotiation,
// and answers as JSON, CSV or RFC 9457 problems with cache policies.
package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"nhip"
	"nhip/internal/problem"
)

// ClientTimeout is how long a client may take to read what was sent before its connection is closed.
const ClientTimeout = 10 * time.Second

// Responder writes the answers of a surface: JSON, CSV and problems (RFC 9457). Surfaces embed it.
type Responder struct {
	Logger    *slog.Logger
	PublicURL string      // address of the api as clients reach it; "" takes it from each request
	Ready     func() bool // reports whether the live state may be shown
}

// ErrNotReady is the answer while the live state is still loading.
var ErrNotReady = nhip.Errorf(nhip.CodeUnavailable, "", "the live state is still loading; try again in a moment")

// Handle returns an HTTP handler that answers an error of h with a problem.
func (p Responder) Handle(h func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.Problem(w, r, err)
		}
	}
}

// Problem answers with an error. An internal error is logged and its text is not sent.
func (p Responder) Problem(w http.ResponseWriter, r *http.Request, err error) {
	var full *refusal
	switch {
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return // the client disconnected
	case errors.As(err, &full):
		refuse(w, r, full)
		return
	case errors.Is(err, ErrNotAcceptable):
		w.Header().Add("Vary", "Accept")
		problem.Plain(w, http.StatusNotAcceptable, nhip.CodeInvalid, "available formats are JSON and text/csv")
		return
	case nhip.ErrorCode(err) == nhip.CodeInternal:
		p.Logger.Error("request failed", "route", RoutePattern(r), "error", err)
	}
	problem.Answer(w, err)
}

// NotFound answers a request for an address that does not exist.
func (p Responder) NotFound(w http.ResponseWriter, r *http.Request) {
	p.Problem(w, r, nhip.Errorf(nhip.CodeNotFound, "", "there is no such address"))
}

// WhenReady answers requests with 503 until the live state has loaded: an empty map would be wrong.
func (p Responder) WhenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.Ready() {
			p.Problem(w, r, ErrNotReady)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// BaseURL returns the address, without a final slash, by which the client of r reaches the api.
func (p Responder) BaseURL(r *http.Request) string {
	if p.PublicURL != "" {
		return strings.TrimSuffix(p.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// JSON answers with body as application/json under a cache policy; "" states none.
func (p Responder) JSON(w http.ResponseWriter, cache string, body any) error {
	return p.JSONAs(w, FormatJSON, cache, body)
}

// JSONAs is JSON with another media type.
func (Responder) JSONAs(w http.ResponseWriter, contentType, cache string, body any) error {
	return sendJSON(w, http.StatusOK, contentType, cache, body)
}

// Created answers 201 with body, which is not cached.
func (Responder) Created(w http.ResponseWriter, body any) error {
	return sendJSON(w, http.StatusCreated, FormatJSON, NoStore, body)
}

// Bytes answers with an encoded body under a cache policy.
func (Responder) Bytes(w http.ResponseWriter, contentType, cache string, body []byte) {
	send(w, http.StatusOK, contentType, cache, body)
}

// CSV answers with a CSV file that browsers save under name.
func (Responder) CSV(w http.ResponseWriter, name, cache string, body []byte) {
	StartCSV(w.Header(), name)
	send(w, http.StatusOK, w.Header().Get("Content-Type"), cache, body)
}

func sendJSON(w http.ResponseWriter, status int, contentType, cache string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	send(w, status, contentType, cache, append(raw, '\n'))
	return nil
}

func send(w http.ResponseWriter, status int, contentType, cache string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	if cache != "" {
		h.Set("Cache-Control", cache)
	}
	if cache != NoStore && cache != Revalidate { // a shared cache may hold several formats
		h.Add("Vary", "Accept")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client disconnected
}
