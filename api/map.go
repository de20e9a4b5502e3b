package api

import (
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"nhip/internal/problem"
)

// mapBody is the answer of /v1/map.
type mapBody struct {
	Style       *string     `json:"style"`
	PMTiles     string      `json:"pmtiles,omitempty"` // path of the base map
	Center      [2]float64  `json:"center"`
	Zoom        float64     `json:"zoom"`
	Bounds      *[4]float64 `json:"bounds"`
	Attribution string      `json:"attribution"`
	Simulated   bool        `json:"simulated"`
}

// getMap answers GET /v1/map.
func (a *API) getMap(w http.ResponseWriter, _ *http.Request) {
	m := a.o.Map
	body := mapBody{Center: m.Center, Zoom: m.Zoom, Attribution: m.Attribution, Simulated: a.o.Simulated}
	if m.Style != "" {
		body.Style = &m.Style
	}
	if m.PMTiles != "" && m.Style == "" {
		body.PMTiles = basemapPath
	}
	if b := a.bounds(); !b.IsEmpty() {
		body.Bounds = &[4]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
	problem.WriteJSON(w, http.StatusOK, "application/json", body)
}

// notBuilt is shown at / when the web map was not built.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Nhịp</title>
<p>Bản đồ chưa được dựng: chạy <code>make build</code>.
<p>The web map is not built: run <code>make build</code>. The API is described in <a href="/openapi.yaml">/openapi.yaml</a>.
`

// web serves the map's files. Those with a hash in their name never change; the page itself is
// asked for again each time.
func (a *API) web() http.HandlerFunc {
	if a.o.Web == nil {
		return a.noMap
	}
	if _, err := fs.Stat(a.o.Web, "index.html"); err != nil {
		return a.noMap
	}
	files := http.FileServerFS(a.o.Web)
	policy := contentPolicy(a.o.Map.Style)
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name != "" {
			if info, err := fs.Stat(a.o.Web, name); err != nil || info.IsDir() {
				a.notFound(w, r)
				return
			}
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		files.ServeHTTP(w, r)
	}
}

func (a *API) noMap(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		a.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(notBuilt)) // the client may be gone
}

// contentPolicy lets the page load from ourselves and, when a base map is configured, from its
// server over https or from where the style itself lies.
func contentPolicy(style string) string {
	outside := ""
	if u, err := url.Parse(style); err == nil && u.Host != "" {
		outside = " https: " + u.Scheme + "://" + u.Host
	}
	return "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data: blob:" + outside + "; connect-src 'self'" + outside +
		"; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
}
