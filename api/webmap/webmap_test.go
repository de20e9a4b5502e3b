package webmap

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/api/transit"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

// newServer returns a Handler with an empty state, at noon.
func newServer(t *testing.T, c Config, change ...func(*rest.Responder)) http.Handler {
	t.Helper()
	clock, log := livetest.NewClock(livetest.Noon), slog.New(slog.DiscardHandler)
	model := transit.New(transit.Options{Clock: clock, Logger: log})
	state := live.New(live.Options{Clock: clock, LineOf: model.Line, Logger: log})
	t.Cleanup(state.Close)
	h := &Handler{Config: c, Transit: model, Live: state, Clock: clock, Responder: rest.Responder{Logger: log}}
	for _, f := range change {
		f(&h.Responder)
	}
	r := chi.NewRouter()
	h.Routes(r)
	h.TileRoutes(r)
	return r
}

func TestMapBoundsCoverStations(t *testing.T) {
	clock, log := livetest.NewClock(livetest.Noon), slog.New(slog.DiscardHandler)
	state := live.New(live.Options{Clock: clock, Logger: log})
	defer state.Close()
	livetest.ReceiveStation(t, state, livetest.Monitor(0, livetest.Noon, 20))
	livetest.ReceiveStation(t, state, livetest.Monitor(1, livetest.Noon, 20))
	h := &Handler{Transit: transit.New(transit.Options{Clock: clock, Logger: log}), Live: state, Clock: clock}
	want := orb.MultiPoint{livetest.MonitorPoint(0), livetest.MonitorPoint(1)}.Bound()
	if got := h.bounds(); got != want {
		t.Errorf("bounds %v, want %v", got, want)
	}
}

func TestContentPolicyAllowsServerOfStyle(t *testing.T) {
	if p := contentPolicy("", nil); strings.Contains(p, "https:") {
		t.Errorf("without a style: %s", p)
	}
	if p := contentPolicy("http://maps.example:8080/style.json", nil); !strings.Contains(p,
		"connect-src 'self' https: http://maps.example:8080;") {
		t.Errorf("with a style: %s", p)
	}
}

func TestMissingWebMapShowsBuildInstructions(t *testing.T) {
	s := newServer(t, Config{})
	if w := resttest.Get(s, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := resttest.Get(s, "/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("/nothing: %d", w.Code)
	}
	if w := resttest.Get(s, "/v1/map"); !strings.Contains(w.Body.String(), `"bounds":null`) {
		t.Errorf("bounds of an empty map: %s", w.Body)
	}
}

func TestViewsOfAppAnswerWithPage(t *testing.T) {
	s := newServer(t, Config{Files: fstest.MapFS{
		"index.html":     {Data: []byte(testPage)},
		"assets/main.js": {Data: []byte("main()")},
	}})
	for path, want := range map[string]int{
		"/": 200, "/stop/HN0505": 200, "/stop/a%2Fb": 200, "/line/32?dir=1": 200, "/bus/hanoi/29B12345": 200,
		"/search?q=32": 200,
		"/saved":       200, "/report": 200, "/report/5FJ2KQ": 200, "/more": 200, "/air": 200, "/air/station/hn-ba-dinh": 200,
		"/air/nothing": 404, "/stop/a/b": 404, "/stop/": 404, "/stops": 404, "/nothing": 404, "/assets/other.js": 404,
	} {
		w := resttest.Get(s, path)
		if strings.HasPrefix(path, "/air/n") || path == "/stop/a/b" { // a page, with the way to search
			if w.Code != want || !strings.Contains(w.Body.String(), `href="/search"`) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			continue
		}
		if w.Code != want || want == 200 && !strings.Contains(w.Body.String(), "the page") {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
		if want == 200 && !strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self';") {
			t.Errorf("%s: policy %q", path, w.Header().Get("Content-Security-Policy"))
		}
	}
}

func TestLegendStyleAndTileJSON(t *testing.T) {
	s := newServer(t, Config{})
	for path, want := range map[string]string{
		"/v1/legend":                                    `"number":6`,
		"/v1/legend?index=WHO":                          `"from":1.01`,
		"/styles/nhip.json":                             `"circle-color"`,
		"/styles/nhip.json?theme=dark&index=WHO":        `air.json?index=WHO`,
		"/styles/nhip.json?time=2026-02-01T00:00:00Z":   `transit.json?time=2026-02-01T00%3A00%3A00Z`,
		"/tiles/air.json?quantity=pm25":                 `{y}.mvt?quantity=pm25`,
		"/tiles/air.png.json?time=2026-02-01T00:00:00Z": `{y}.png?time=2026-02-01T00%3A00%3A00Z`,
		"/tiles/transit.json?time=2026-02-01T00:00:00Z": `{y}.mvt?time=`,
		"/tiles/air.json?index=US_EPA&v=1":              `"field":"v"`,
		"/styles/nhip.json?theme=blue":                  `"field":"theme"`,
		"/v1/legend?index=x":                            `"field":"index"`,
		"/tiles/air.png.json?time=2027-02-01T00:00:00Z": `"field":"time"`,
		"/styles/nhip.json?quantity=humidity&index=WHO": `"field":"quantity"`,
	} {
		if w := resttest.Get(s, path); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestTileJSONUsesPublicURL(t *testing.T) {
	for public, want := range map[string]string{
		"":                      "http://example.com/tiles/air/{z}/{x}/{y}.mvt", // from the request
		"https://nhip.example/": "https://nhip.example/tiles/air/{z}/{x}/{y}.mvt",
	} {
		s := newServer(t, Config{}, func(p *rest.Responder) { p.PublicURL = public })
		if w := resttest.Get(s, "/tiles/air.json"); !strings.Contains(w.Body.String(), want) {
			t.Errorf("public URL %q: %s", public, w.Body)
		}
	}
}
