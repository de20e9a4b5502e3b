package webmap

import (
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"nhip/api/rest"
)

// notBuilt is the page at / if the web map is not built.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Nhịp</title>
<p lang="vi">Trang bản đồ chưa được biên dịch: hãy chạy <code>make build</code>.
<p>The web map is not built: run <code>make build</code>.
<p>The API is described in <a href="/openapi.yaml">/openapi.yaml</a>.
`

// files serves the built web map, or notBuilt. Assets have a hash in their name and never change; the page is
// revalidated each time.
func (h *Handler) files() http.HandlerFunc {
	if h.Config.Files == nil {
		return h.serveNotBuilt
	}
	if _, err := fs.Stat(h.Config.Files, "index.html"); err != nil {
		return h.serveNotBuilt
	}
	server := http.FileServerFS(h.Config.Files)
	policy := contentPolicy(h.Config.Style)
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if isView(r.URL.Path) {
			name, r = "", atRoot(r)
		}
		if name != "" {
			info, err := fs.Stat(h.Config.Files, name)
			if err != nil || info.IsDir() {
				h.NotFound(w, r)
				return
			}
			var ok bool
			if r, ok = rest.BoundRange(w, r, info.Size()); !ok {
				return
			}
		} else {
			r.Header.Del("Range") // a page is short
		}
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, asGet(r))
	}
}

// views are the addresses of the app, as in api/web/src/app/views.ts. Each is answered with the page, whose script
// shows the view. One that ends in a slash stands for the addresses below it.
var views = []string{
	"/stop/", "/line/", "/bus/", "/search", "/saved", "/reminders", "/report", "/report/", "/more", "/air", "/air/",
}

// isView reports whether a path is of a view of the app, without "/" itself.
func isView(p string) bool {
	for _, v := range views {
		if p == strings.TrimSuffix(v, "/") && !strings.HasSuffix(v, "/") ||
			strings.HasSuffix(v, "/") && strings.HasPrefix(p, v) && len(p) > len(v) {
			return true
		}
	}
	return false
}

// atRoot returns a request as one of the page.
func atRoot(r *http.Request) *http.Request {
	root, u := *r, *r.URL
	u.Path, u.RawPath = "/", ""
	root.URL = &u
	return &root
}

// asGet returns a HEAD request as a GET request. http.FileServer sends no body to HEAD, and the middleware that
// compresses would state the length of an empty one. The server sends the head of the answer only, in any case.
func asGet(r *http.Request) *http.Request {
	if r.Method != http.MethodHead {
		return r
	}
	get := *r
	get.Method = http.MethodGet
	return &get
}

func (h *Handler) serveNotBuilt(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" && !isView(r.URL.Path) {
		h.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(notBuilt)) // fails if the client disconnected
}

// contentPolicy returns a Content-Security-Policy that allows this server. If a style is configured, it also allows
// the server of the style and, because styles refer to other servers, any https one.
func contentPolicy(style string) string {
	external := ""
	if u, err := url.Parse(style); err == nil && u.Host != "" {
		external = " https: " + u.Scheme + "://" + u.Host
	}
	return "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data: blob:" + external + "; connect-src 'self'" + external +
		"; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
}
