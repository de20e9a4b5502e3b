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

// answer writes the envelope of data or of an error, whose HTTP status is its code, too.
func (h *Handler) answer(w http.ResponseWriter, q *request, data any, err error) {
	r := q.http
	e := envelope{Code: http.StatusOK, CurrentTime: q.now.UnixMilli(), Text: "OK", Version: q.version, Data: data}
	if err != nil {
		code := nhip.ErrorCode(err)
		e.Code, e.Data = problem.Status(code), nil
		e.Text = errorText(e.Code, err)
		if code == nhip.CodeInternal {
			h.Logger.Error("request failed", "route", rest.RoutePattern(r), "error", err)
		}
	}
	body, err := json.Marshal(&e)
	if err != nil {
		h.Problem(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", rest.FormatJSON)
	header.Set("Cache-Control", rest.CacheLive)
	if e.Code != http.StatusOK {
		header.Set("Cache-Control", rest.NoStore)
	}
	if e.Code == http.StatusServiceUnavailable {
		header.Set("Retry-After", "5")
	}
	w.WriteHeader(e.Code)
	_, _ = w.Write(append(body, '\n')) // fails if the client disconnected
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
