// Package docs shows the contract of the API to people: as a page in Vietnamese or English, made on the server, that
// loads nothing but its style, and as an OpenAPI document in either language.
package docs

import (
	"bytes"
	_ "embed" // of the page
	"html/template"
	"net/http"
	"sync"

	"nhip"
	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
)

// Languages of the texts.
const (
	vietnamese = "vi"
	english    = "en"
)

// contentPolicy lets the page load its style and nothing else: it has no script.
const contentPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

var (
	//go:embed docs.html
	pageHTML string
	//go:embed docs.css
	style []byte

	pageTemplate = template.Must(template.New("docs").Parse(pageHTML))
)

// Handler serves the contract.
type Handler struct {
	rest.Responder

	contract   []byte
	vietnamese func() ([]byte, error)            // the contract with Vietnamese texts
	pages      map[string]func() ([]byte, error) // by language
}

// New returns a Handler of a contract, an OpenAPI document in YAML, and of the Vietnamese texts for its English ones, a
// list of en and vi in YAML. Both must be valid: they are parts of the program. They are read on the first request.
func New(contract, texts []byte, p rest.Responder) *Handler {
	translated := sync.OnceValues(func() (object, error) { return translatedContract(contract, texts) })
	original := sync.OnceValues(func() (object, error) { return parse(contract) })
	return &Handler{
		Responder: p, contract: contract,
		vietnamese: sync.OnceValues(func() ([]byte, error) {
			doc, err := translated()
			if err != nil {
				return nil, err
			}
			return encode(doc), nil
		}),
		pages: map[string]func() ([]byte, error){
			vietnamese: sync.OnceValues(func() ([]byte, error) { return render(translated, vietnamese) }),
			english:    sync.OnceValues(func() ([]byte, error) { return render(original, english) }),
		},
	}
}

// Routes registers the routes.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/openapi.yaml", h.Handle(h.getContract))
	r.Get("/docs", h.Handle(h.getPage))
	r.Get("/docs/style.css", h.Handle(h.getStyle))
}

// getContract answers GET /openapi.yaml with the contract, as it is or with Vietnamese texts.
func (h *Handler) getContract(w http.ResponseWriter, r *http.Request) error {
	lang, err := language(r, english)
	if err != nil {
		return err
	}
	body := h.contract
	if lang == vietnamese {
		if body, err = h.vietnamese(); err != nil {
			return err
		}
	}
	h.Bytes(w, "application/yaml", rest.Revalidate, body)
	return nil
}

// getPage answers GET /docs.
func (h *Handler) getPage(w http.ResponseWriter, r *http.Request) error {
	lang, err := language(r, vietnamese)
	if err != nil {
		return err
	}
	body, err := h.pages[lang]()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	h.Bytes(w, "text/html; charset=utf-8", rest.Revalidate, body)
	return nil
}

// getStyle answers GET /docs/style.css.
func (h *Handler) getStyle(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	h.Bytes(w, "text/css; charset=utf-8", rest.Revalidate, style)
	return nil
}

// language reads the parameter lang.
func language(r *http.Request, def string) (string, error) {
	q := rest.ReadQuery(r, "lang")
	lang := q.Text("lang")
	switch lang {
	case "":
		lang = def
	case vietnamese, english:
	default:
		q.Fail("lang", "must be vi or en, got %q", lang)
	}
	return lang, q.Err
}

// render returns the page of a contract.
func render(contract func() (object, error), lang string) ([]byte, error) {
	doc, err := contract()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, pageOf(doc, lang)); err != nil {
		return nil, nhip.Errorf(nhip.CodeInternal, "", "the page of the contract: %v", err)
	}
	return b.Bytes(), nil
}
