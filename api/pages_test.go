package api

import (
	"strings"
	"testing"
	"testing/fstest"
)

// builtPage is a page as the build of the web map writes it.
const builtPage = `<!doctype html><html lang="vi"><head></head><body><main id="view"></main></body></html>`

// TestPagesHaveSafeHeaders requests every kind of HTML answer.
func TestPagesHaveSafeHeaders(t *testing.T) {
	files := fstest.MapFS{
		"index.html": {Data: []byte(builtPage)}, "icon.svg": {
			Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		},
	}
	built := newAPI(t, withRecords(&recordHistory{}), func(o *Options) { o.Web = files })
	notBuilt := newAPI(t)
	for _, c := range []struct {
		a          *API
		path, kind string
	}{
		{built, "/", "text/html"},
		{built, "/icon.svg", "image/svg+xml"},
		{notBuilt, "/", "text/html"},
		{built, "/air", "text/html"},
		{built, "/v1/stations/s/report?month=2026-02", "text/html"},
	} {
		w := get(t, c.a, c.path)
		h := w.Header()
		if !strings.HasPrefix(h.Get("Content-Type"), c.kind) || h.Get("Content-Security-Policy") == "" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") == "" ||
			strings.Contains(h.Get("Content-Security-Policy"), "script-src 'unsafe") {
			t.Errorf("%s: %d %v", c.path, w.Code, h)
		}
	}
}

// TestOnlyTheEmbeddedPageMayBeFramed requests the page that other sites may show, and one that they may not.
func TestOnlyTheEmbeddedPageMayBeFramed(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Web = fstest.MapFS{"index.html": {Data: []byte(builtPage)}} })
	for path, framed := range map[string]bool{"/embed/air": true, "/": false, "/air": false, "/docs": false} {
		h := get(t, a, path).Header()
		anybody := strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors *;")
		if anybody != framed || (h.Get("X-Frame-Options") == "") != framed || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}
