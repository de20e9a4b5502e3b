package docs

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nhip/api/rest"
	"nhip/api/resttest"

	"github.com/go-chi/chi/v5"
)

func read(t *testing.T, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func newServer(t *testing.T) http.Handler {
	t.Helper()
	r := chi.NewRouter()
	p := rest.Responder{Logger: slog.New(slog.DiscardHandler)}
	New(read(t, "../openapi.yaml"), read(t, "../openapi.vi.yaml"), p).Routes(r)
	return r
}

func TestPageShowsEveryOperationInBothLanguages(t *testing.T) {
	s := newServer(t)
	doc, err := parse(read(t, "../openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for lang, word := range map[string]string{"": "Các tuyến", "?lang=vi": "Các tuyến", "?lang=en": "The routes"} {
		w := resttest.Get(s, "/docs"+lang)
		page := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(page, ">"+word+"<") {
			t.Errorf("%q: %d, without %q", lang, w.Code, word)
		}
		for _, path := range child(doc, "paths") {
			for _, item := range path.Value.(object) {
				if id := text(item.Value.(object), "operationId"); strings.Count(page, `<article id="`+id+`">`) != 1 {
					t.Errorf("%q: the page shows %s %d times", lang, id, strings.Count(page, `<article id="`+id+`">`))
				}
			}
		}
		for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !strings.Contains(page, ` id="`+link[1]+`"`) {
				t.Errorf("%q: the link #%s leads nowhere", lang, link[1])
			}
		}
	}
}

func TestPageLoadsOnlyItsStyle(t *testing.T) {
	s := newServer(t)
	w := resttest.Get(s, "/docs")
	if policy := w.Header().Get("Content-Security-Policy"); policy != contentPolicy {
		t.Errorf("policy %q", policy)
	}
	loads := regexp.MustCompile(`(?i)<script|<link [^>]*href="([^"]*)"|src=|style="|\son[a-z]+="|url\(|@import`)
	found := loads.FindAllString(w.Body.String(), -1)
	if len(found) != 1 || !strings.Contains(found[0], "/docs/style.css") {
		t.Errorf("the page loads %q", found)
	}
	css := resttest.Get(s, "/docs/style.css")
	format := css.Header().Get("Content-Type")
	if found := loads.FindString(css.Body.String()); found != "" || format != "text/css; charset=utf-8" {
		t.Errorf("the style loads %q and is %q", found, format)
	}
}

func TestOtherLanguagesAreRefused(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{
		"/docs?lang=fr", "/docs?lang=", "/docs?language=vi", "/openapi.yaml?lang=VI", "/docs/style.css?v=1",
	} {
		if w := resttest.Get(s, path); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestVietnameseContractDiffersOnlyInTexts also holds that a text with what HTML escapes comes through.
func TestVietnameseContractDiffersOnlyInTexts(t *testing.T) {
	s := newServer(t)
	raw := resttest.Get(s, "/openapi.yaml").Body.Bytes()
	if string(raw) != string(read(t, "../openapi.yaml")) {
		t.Error("/openapi.yaml is not the file")
	}
	plain := func(raw []byte) string {
		doc, err := parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		eachText(doc, func(string) string { return "" })
		return string(encode(doc))
	}
	if plain(raw) != plain(resttest.Get(s, "/openapi.yaml?lang=vi").Body.Bytes()) {
		t.Error("the Vietnamese contract is another one")
	}
	if got := prose("a `<b>` & c\n\nd"); got != "<p>a <code>&lt;b&gt;</code> &amp; c</p><p>d</p>" {
		t.Errorf("prose %s", got)
	}
}

// TestTextsAreTranslated compares the texts of both languages. Those of schemas may be missing.
func TestTextsAreTranslated(t *testing.T) {
	d, err := readDictionary(read(t, "../openapi.vi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parse(read(t, "../openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	present := make(map[string]bool)
	eachText(doc, func(en string) string { present[oneLine(en)] = true; return en })
	for en, vi := range d {
		if !present[en] {
			t.Errorf("openapi.vi.yaml has a text that openapi.yaml lacks: %s", en)
		}
		if strings.Count(en, "`") != strings.Count(vi, "`") && strings.Count(vi, "`")%2 != 0 {
			t.Errorf("a backtick is missing: %s", vi)
		}
	}
	for _, en := range textsToTranslate(doc) {
		if d[oneLine(en)] == "" {
			t.Errorf("openapi.vi.yaml lacks: %s", oneLine(en))
		}
	}
}

// textsToTranslate returns the texts of a contract outside its schemas.
func textsToTranslate(doc object) []string {
	var all []string
	add := func(o object) {
		for _, name := range []string{"summary", "description"} {
			if s := text(o, name); s != "" {
				all = append(all, s)
			}
		}
	}
	add(child(doc, "info"))
	for _, path := range child(doc, "paths") {
		for _, item := range path.Value.(object) {
			o := item.Value.(object)
			add(o)
			add(child(o, "requestBody"))
			for _, p := range list(o, "parameters") {
				target, _ := resolve(doc, p.(object))
				add(target)
			}
			for _, r := range child(o, "responses") {
				target, _ := resolve(doc, r.Value.(object))
				add(target)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
