package oba

import (
	"encoding/json"
	"net/http"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/problem"
)

// envelope wraps every answer.
type envelope struct {
	Code        int    `json:"code"`
	CurrentTime int64  `json:"currentTime"` // Unix ms
	Text        string `json:"text"`
	Version     int    `json:"version"`
	Data        any    `json:"data,omitempty"`
}

// answer writes an encoded answer or the envelope of an error, whose HTTP status is its code, too.
func (h *Handler) answer(w http.ResponseWriter, q *request, b *body, err error) {
	header, status := w.Header(), http.StatusOK
	header.Set("Content-Type", rest.FormatJSON)
	header.Set("Cache-Control", rest.CacheLive)
	if q.stored {
		header.Set("Cache-Control", rest.NoStore)
	}
	if err != nil {
		code := nhip.ErrorCode(err)
		status = problem.Status(code)
		if code == nhip.CodeInternal {
			h.Logger.Error("request failed", "route", rest.RoutePattern(q.http), "error", err)
		}
		b, _ = q.encode(status, errorText(status, err), nil) // texts can always be encoded
		header.Set("Cache-Control", rest.NoStore)
	}
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "5")
	}
	b.serve(w, q.http, status)
}

// encode returns an envelope as it is sent.
func (q *request) encode(code int, text string, data any) (*body, error) {
	raw, err := json.Marshal(&envelope{
		Code: code, CurrentTime: q.now.UnixMilli(), Text: text, Version: q.version, Data: data,
	})
	if err != nil {
		return nil, err
	}
	return &body{plain: append(raw, '\n')}, nil
}

// errorText returns the text of an error. Clients know the one of an unknown element.
func errorText(status int, err error) string {
	switch status {
	case http.StatusNotFound:
		return "resource not found"
	case http.StatusInternalServerError:
		return "internal error"
	}
	return err.Error()
}
