package webmap

import (
	"bytes"
	"context"
	_ "embed" // of the templates
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"nhip/api/access"

	"github.com/go-chi/chi/v5"
)

//go:embed page.html
var pageHTML string

var pageTemplates = template.Must(template.New("page").Parse(pageHTML))

// rawHTML is HTML of the built page.
type rawHTML = template.HTML

// builtPage is the page as it was built, cut where the server writes. Its styles stand in it, so that its first view
// needs one request.
type builtPage struct {
	head, holder, tail string // before, in and after the view
	styles             string // of all pages
	chunks             map[string]chunk
}

// chunk is a part of the app as its build describes it.
type chunk struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
	CSS     []string `json:"css"`
	css     string   // the styles themselves
}

// Marks in the built page.
const (
	viewStart = `<main id="view">`
	viewEnd   = `</main>`
	headEnd   = `</head>`
	bodyEnd   = `</body>`
)

// readPage reads the built page. It returns nil if there is none, and an error if it is not as expected.
func readPage(files fs.FS) (*builtPage, error) {
	if files == nil {
		return nil, nil
	}
	text, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, nil // not built
	}
	p := &builtPage{chunks: make(map[string]chunk)}
	document := string(text)
	if manifest, err := fs.ReadFile(files, ".vite/manifest.json"); err == nil {
		if err := json.Unmarshal(manifest, &p.chunks); err != nil {
			return nil, fmt.Errorf("the manifest of the web map: %w", err)
		}
	}
	for name, c := range p.chunks {
		for _, sheet := range c.CSS {
			css, err := fs.ReadFile(files, sheet)
			if err != nil {
				return nil, err
			}
			c.css += string(css)
		}
		p.chunks[name] = c
	}
	if c, ok := p.chunks[pageChunk]; ok {
		p.styles = c.css
		for _, sheet := range c.CSS {
			document = withoutLink(document, sheet)
		}
	}
	var found bool
	if p.head, document, found = strings.Cut(document, viewStart); found {
		if p.holder, p.tail, found = strings.Cut(document, viewEnd); found && strings.Contains(p.head, headEnd) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the page of the web map has no %s", viewStart)
}

// withoutLink removes the link of a style sheet.
func withoutLink(document, sheet string) string {
	end := strings.Index(document, `href="/`+sheet+`"`)
	if end < 0 {
		return document
	}
	start := strings.LastIndex(document[:end], "<link")
	length := strings.Index(document[start:], ">")
	return document[:start] + document[start+length+1:]
}

// seed is an answer of the API that the page holds, so that the script does not ask for it.
type seed struct {
	URL  string
	Body []byte
}

// seedTimeout bounds the answers that a page waits for: without them the script asks.
const seedTimeout = 2 * time.Second

// maxSeed is the size of the largest answer that a page holds, in bytes.
const maxSeed = 256 << 10

// seeds returns answers to the caller of a request, without those that fail.
func (h *Handler) seeds(r *http.Request, addresses ...string) []seed {
	ctx, cancel := context.WithTimeout(r.Context(), seedTimeout)
	defer cancel()
	var out []seed
	for _, address := range addresses {
		if status, body := h.answer(ctx, address); status == http.StatusOK {
			out = append(out, seed{address, body})
		}
	}
	return out
}

// answer requests an address of the API within the process; the status is 0 if there is no API.
func (h *Handler) answer(ctx context.Context, address string) (status int, body []byte) {
	if h.API == nil {
		return 0, nil
	}
	target, err := url.Parse(address)
	if err != nil {
		return 0, nil
	}
	ctx = context.WithValue(ctx, chi.RouteCtxKey, chi.NewRouteContext()) // the page's own is of its address
	w := &recorder{header: make(http.Header), status: http.StatusOK}
	r := (&http.Request{
		Method: http.MethodGet, URL: target, Header: make(http.Header),
		Proto: "HTTP/1.1",
	}).WithContext(ctx)
	h.API.ServeHTTP(w, r)
	return w.status, w.body.Bytes()
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// page answers an address of the app: with its first view in HTML, and with 404 if what it names does not exist.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, p *builtPage) {
	lang := pageLanguage(r)
	words := pageWords[lang]
	view, status := firstView{lang: lang, html: p.holder, private: access.HasCredentials(r)}, http.StatusOK
	name := ""
	var data any
	switch {
	case r.URL.Path == "/":
		name = "home"
		data, view.seeds = h.home(r, &words, rawHTML(p.holder))
	case r.URL.Path == "/air":
		name, view.chunk = "air", "src/air/air.tsx"
		data, view.seeds = h.airPage(r, lang, &words, rawHTML(p.holder))
	case !h.exists(r):
		name, status = "missing", http.StatusNotFound
		data = &homeData{Words: &words}
	}
	if name != "" {
		var body strings.Builder
		if err := pageTemplates.ExecuteTemplate(&body, name, data); err != nil {
			h.Problem(w, r, err)
			return
		}
		view.html = body.String()
	}
	body, policy := p.assemble(view, h.Config.Style)
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client disconnected
}

// firstView is what the server writes into the page.
type firstView struct {
	lang, html string
	chunk      string // of the view in the build; "" if the page itself has it
	seeds      []seed
	private    bool // somebody is signed in: nobody else may see the answers
}

// assemble returns the page with a view, and its Content-Security-Policy; style is that of the map.
func (p *builtPage) assemble(view firstView, style string) (page []byte, policy string) {
	var b bytes.Buffer
	head, rest, _ := strings.Cut(p.head, headEnd)
	b.WriteString(strings.Replace(head, `<html lang="vi"`, `<html lang="`+view.lang+`"`, 1))
	chunks := p.chunksOf(view.chunk)
	sheets, hashes := p.stylesOf(chunks)
	for _, css := range sheets {
		b.WriteString("<style>" + css + "</style>")
	}
	for _, name := range chunks {
		fmt.Fprintf(&b, `<link rel="modulepreload" crossorigin href="/%s">`, html.EscapeString(p.chunks[name].File))
	}
	b.WriteString(headEnd + rest + viewStart + view.html + viewEnd)
	tail, end, _ := strings.Cut(p.tail, bodyEnd)
	b.WriteString(tail)
	private := ""
	if view.private {
		private = " data-private"
	}
	for _, s := range view.seeds {
		if len(s.Body) > maxSeed {
			continue
		}
		fmt.Fprintf(&b, `<script type="application/json" data-url="%s"%s>%s</script>`, html.EscapeString(s.URL), private,
			inScript(s.Body))
	}
	for _, name := range chunks { // the script does not wait for sheets that are linked
		for _, sheet := range p.chunks[name].CSS {
			fmt.Fprintf(&b, `<link rel="stylesheet" href="/%s">`, html.EscapeString(sheet))
		}
	}
	b.WriteString(bodyEnd + end)
	return b.Bytes(), contentPolicy(style, hashes)
}

// stylesOf returns the styles of a page and their hashes.
func (p *builtPage) stylesOf(chunks []string) (sheets, hashes []string) {
	add := func(css string) {
		if css != "" {
			sheets, hashes = append(sheets, css), append(hashes, hashOf(css))
		}
	}
	add(p.styles)
	for _, name := range chunks {
		add(p.chunks[name].css)
	}
	return sheets, hashes
}

// withImports appends chunks and what they import, without those of seen and of the page itself.
func (p *builtPage) withImports(seen []string, names ...string) []string {
	for _, name := range names {
		c, ok := p.chunks[name]
		if !ok || slices.Contains(seen, name) {
			continue
		}
		seen = p.withImports(append(seen, name), c.Imports...)
	}
	return seen
}

// pageChunk is the chunk of the page itself.
const pageChunk = "index.html"

// chunksOf returns the chunks of a view that the page itself does not have.
func (p *builtPage) chunksOf(view string) []string {
	own := p.withImports(nil, pageChunk)
	return p.withImports(own, view)[len(own):]
}

// inScript returns JSON that can't end a script element.
func inScript(body []byte) []byte {
	var b bytes.Buffer
	json.HTMLEscape(&b, bytes.TrimSpace(body))
	return b.Bytes()
}

// exists reports whether what an address of the app names exists. It is true where that is not known.
func (h *Handler) exists(r *http.Request) bool {
	parts := strings.Split(strings.Trim(path.Clean(r.URL.EscapedPath()), "/"), "/")
	address := ""
	switch {
	case len(parts) == 2 && parts[0] == "stop":
		address = "/v1/stops/" + parts[1]
	case len(parts) == 2 && parts[0] == "line":
		address = "/v1/routes/" + parts[1]
	case len(parts) == 3 && parts[0] == "bus":
		address = "/v1/buses/" + parts[1] + "/" + parts[2]
	case len(parts) == 3 && parts[0] == "air" && parts[1] == "station":
		address = "/v1/stations/" + parts[2]
	case len(parts) == 4 && parts[0] == "air" && parts[1] == "zone":
		return h.zoneExists(r, parts[2], parts[3])
	case len(parts) == 3 && parts[0] == "air" && parts[1] == "at":
		text, err := url.PathUnescape(parts[2])
		_, ok := pickedPlace(text)
		return err == nil && ok
	case len(parts) > 1 && parts[0] != "report":
		return false
	default:
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), seedTimeout)
	defer cancel()
	status, _ := h.answer(ctx, address)
	return status != http.StatusNotFound
}

// zoneExists reports whether an area is valid at the time of a request; the parts are escaped.
func (h *Handler) zoneExists(r *http.Request, kind, id string) bool {
	at := h.Clock.Now()
	if past, err := time.Parse(time.RFC3339, r.URL.Query().Get("time")); err == nil {
		at = past
	}
	k, err1 := url.PathUnescape(kind)
	i, err2 := url.PathUnescape(id)
	if err1 != nil || err2 != nil {
		return false
	}
	return h.Air.ZoneSet().Find(k, i, at) != nil
}
