package httpserver

import (
	"net/http"

	"nhip"
	"nhip/internal/problem"
)

// transportSecurity is the Strict-Transport-Security of answers over TLS: a year, the least that lists of browsers
// take.
var transportSecurity = []string{"max-age=31536000"}

// handler returns the handler of a server around its own.
func (b *bounds) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &Response{ResponseWriter: w, blocked: &b.blocked, slow: b.countSlowReader}
		if r.TLS != nil {
			w.Header()["Strict-Transport-Security"] = transportSecurity
		}
		defer b.recover(out, r)
		if r.Body == nil || r.Body == http.NoBody {
			b.work(next, out, r)
			return
		}
		bounded, end := b.boundBody(out, r)
		defer end()
		if bounded != nil {
			b.work(next, out, bounded)
		}
	})
}

func (b *bounds) countSlowReader() { b.refused.WithLabelValues(reasonSlowReader).Inc() }

// recover answers a panic of a handler with 500 and logs it. If the answer has begun, it aborts the connection, so
// that the client notices that the answer is incomplete. Neither holds what the client sent.
func (b *bounds) recover(w *Response, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault) // net/http handles it
	}
	b.refused.WithLabelValues(reasonHandler).Inc()
	b.o.Logger.Error("handler panicked", "server", b.o.Name, "route", r.Pattern, "panic", fault)
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	problem.Plain(w, http.StatusInternalServerError, nhip.CodeInternal, "")
}
