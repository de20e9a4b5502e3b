package rest

import (
	"net/http"
	"net/url"
	"strings"

	"nhip"
)

// errOtherOrigin is the answer to a write by a page of another site.
var errOtherOrigin = nhip.Errorf(nhip.CodeForbidden, "Origin",
	"must be this site: a page of another one must not act for somebody who has signed in here")

// originRule says what of a request without an origin. Browsers send one with each write.
type originRule bool

const (
	mustNameOrigin originRule = true
	mayLackOrigin  originRule = false // programs send none
)

// writes reports whether a request may change something.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// CheckOrigin returns an error with nhip.CodeForbidden for a request that a page of another site has sent.
func (p Responder) CheckOrigin(r *http.Request) error { return p.checkOrigin(r, mayLackOrigin) }

func (p Responder) checkOrigin(r *http.Request, rule originRule) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site != "" && site != "same-origin":
		return errOtherOrigin
	case origin == "" && site == "" && rule == mustNameOrigin:
		return errOtherOrigin
	case origin != "" && !p.isOwn(r, origin):
		return errOtherOrigin
	}
	return nil
}

// isOwn reports whether an origin is that of the api as clients reach it.
func (p Responder) isOwn(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	own, err := url.Parse(p.BaseURL(r))
	return strings.EqualFold(u.Host, r.Host) || err == nil && u.Scheme == own.Scheme && strings.EqualFold(u.Host, own.Host)
}

// privateWriter keeps answers to a caller out of shared caches, whatever the handler says.
type privateWriter struct {
	http.ResponseWriter
	begun bool
}

// Private is the cache policy of answers that depend on their caller.
const Private = "private, no-cache"

// WriteHeader implements http.ResponseWriter.
func (w *privateWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		if h := w.Header(); h.Get("Cache-Control") != NoStore {
			h.Set("Cache-Control", Private)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *privateWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// FlushError serves http.ResponseController: a flush may begin the answer.
func (w *privateWriter) FlushError() error {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *privateWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
