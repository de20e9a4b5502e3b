package webmap

import (
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"nhip/api/rest"
)

// notBuilt is the page at / if the web map is not built.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Nhịp</title>
<p lang="vi">Trang bản đồ chưa được biên dịch: hãy chạy <code>make build</code>.
<p>The web map is not built: run <code>make build</code>.
<p>The API is described in <a href="/openapi.yaml">/openapi.yaml</a>.
`

// shellPath is the page without data, which service workers keep for the time without a network.
const shellPath = "shell.html"

// files serves the built web map, or notBuilt. Assets have a hash in their name and never change; pages are
// revalidated each time.
func (h *Handler) files() http.HandlerFunc {
	page, err := readPage(h.Config.Files)
	if err != nil {
		h.Logger.Error("unusable web map", "error", err)
	}
	if page == nil {
		return h.serveNotBuilt
	}
	server := http.FileServerFS(h.Config.Files)
	policy := contentPolicy(h.Config.Style, nil)
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case name == "" || isView(r.URL.Path):
			h.page(w, r, page)
			return
		case name == shellPath:
			h.shell(w, page)
			return
		}
		info, err := fs.Stat(h.Config.Files, name)
		if err != nil || info.IsDir() || strings.HasPrefix(name, ".") || name == "index.html" {
			h.NotFound(w, r)
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if h.serveCompressed(w, r, name) {
			return
		}
		var ok bool
		if r, ok = rest.BoundRange(w, r, info.Size()); ok {
			server.ServeHTTP(w, asGet(r))
		}
	}
}

// shell answers with the page without data.
func (h *Handler) shell(w http.ResponseWriter, p *builtPage) {
	body, policy := p.assemble(firstView{lang: vietnamese, html: p.holder}, h.Config.Style)
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // fails if the client disconnected
}

// serveCompressed answers with a file as the build has compressed it, if there is such a file and the client takes it.
// Ranges are of the file itself.
func (h *Handler) serveCompressed(w http.ResponseWriter, r *http.Request, name string) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for _, form := range [...]struct{ coding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !rest.AcceptsEncoding(r.Header.Get("Accept-Encoding"), form.coding) {
			continue
		}
		body, err := fs.ReadFile(h.Config.Files, name+form.suffix)
		if err != nil {
			continue
		}
		header := w.Header()
		header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		header.Set("Content-Encoding", form.coding)
		header.Set("Content-Length", strconv.Itoa(len(body)))
		header.Add("Vary", "Accept-Encoding")
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // fails if the client disconnected
		}
		return true
	}
	return false
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

// contentPolicy returns a Content-Security-Policy that allows this server, and styles in the page by their hashes. If a
// style of the map is configured, it also allows the server of that style and, because styles refer to other servers,
// any https one.
func contentPolicy(style string, hashes []string) string {
	external := ""
	if u, err := url.Parse(style); err == nil && u.Host != "" {
		external = " https: " + u.Scheme + "://" + u.Host
	}
	styles := ""
	for _, hash := range hashes {
		styles += " 'sha256-" + hash + "'"
	}
	return "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self'" + styles + "; " +
		"img-src 'self' data: blob:" + external + "; connect-src 'self'" + external +
		"; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
}
