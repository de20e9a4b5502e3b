package webmap

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/api/transit"
	"nhip/geo/tile"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

// newCity returns a handler of a city with monitors, and its state.
func newCity(t *testing.T, c Config) (*Handler, *live.State) {
	t.Helper()
	clock, log := livetest.NewClock(livetest.Noon), slog.New(slog.DiscardHandler)
	model := transit.New(transit.Options{Clock: clock, Logger: log})
	state := live.New(live.Options{Clock: clock, LineOf: model.Line, Logger: log})
	t.Cleanup(state.Close)
	sky := air.New(air.Options{Clock: clock, State: state, Logger: log})
	t.Cleanup(sky.Close)
	state.Observe(sky)
	c.Zone = time.FixedZone("Hanoi", 7*3600)
	return &Handler{
		Config: c, Transit: model, Air: sky, Live: state, Clock: clock,
		Responder: rest.Responder{Logger: log, Ready: func() bool { return true }},
	}, state
}

// serve returns all routes of a handler.
func serve(h *Handler) http.Handler {
	r := chi.NewRouter()
	h.Routes(r)
	h.PageRoutes(r)
	return r
}

func TestEmbedIsAPageWithoutScripts(t *testing.T) {
	h, state := newCity(t, Config{Simulated: true, Attribution: "Nguồn <b>thử</b>"})
	livetest.ReceiveMonitors(t, state)
	w := resttest.Get(serve(h), "/embed/air")
	body := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Cache-Control") == rest.NoStore {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors *;", "sandbox", "form-action 'none'"} {
		if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
			t.Errorf("policy %q, want %q", policy, want)
		}
	}
	for _, want := range []string{
		`lang="vi"`, "19:00", "VN_AQI giờ", `<image href="/tiles/air/`, "@2x.png", "MÔ PHỎNG", "Tốt", "Nguy hại",
		fmt.Sprintf("%[1]d/%[1]d trạm", livetest.Monitors), "Nguồn &lt;b&gt;thử", `<text fill=`, `href="/air"`,
		`http-equiv="refresh"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, " style=") {
		t.Error("a script or a style in an attribute")
	}
}

func TestEmbedFollowsItsParameters(t *testing.T) {
	h, state := newCity(t, Config{})
	livetest.ReceiveMonitors(t, state)
	s := serve(h)
	for query, want := range map[string]string{
		"lang=en":                   "Open the map",
		"index=US_EPA":              "US AQI",
		"index=WHO&lang=en":         "Above the WHO guideline",
		"quantity=pm25":             "VN_AQI giờ, PM2.5",
		"quantity=no2":              "0/",
		"c=21.03,105.85,13.5":       `href="/tiles/air/13/`,
		"layer=zones&quantity=pm25": `href="/air?layer=zones&amp;quantity=pm25"`,
		"c=21,105":                  `"field":"c"`,
		"c=91,105,11":               `"field":"c"`,
		"c=21,105,99":               `"field":"c"`,
		"c=NaN,105,11":              `"field":"c"`,
		"c=21,105,11x":              `"field":"c"`,
		"c=21,105,11,12":            `"field":"c"`,
		"c=21":                      `"field":"c"`,
		"layer=x":                   `"field":"layer"`,
		"lang=fr":                   `"field":"lang"`,
		"time=2027-02-01T00:00:00Z": `"field":"time"`,
		"x=1":                       `"field":"x"`,
	} {
		w := resttest.Get(s, "/embed/air?"+query)
		if !strings.Contains(w.Body.String(), want) || w.Code >= 500 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
		if refused := strings.Contains(want, `"field"`); refused != (w.Code == http.StatusBadRequest) {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	if body := resttest.Get(s, "/embed/air?layer=zones").Body.String(); strings.Contains(body, "<image") {
		t.Error("the field is below the areas")
	}
}

func TestEmbedOfACityWithoutStations(t *testing.T) {
	h, _ := newCity(t, Config{Center: [2]float64{105.85, 21.03}, Zoom: 12})
	if w := resttest.Get(serve(h), "/embed/air"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(),
		"0/0 trạm") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEmbedShowsNamesAsText(t *testing.T) {
	h, state := newCity(t, Config{})
	hostile := livetest.Monitor(0, livetest.Noon, 60)
	hostile.ID = `"><script>alert(1)</script>`
	livetest.ReceiveStation(t, state, hostile)
	if body := resttest.Get(serve(h), "/embed/air").Body.String(); strings.Contains(body, "<script") ||
		!strings.Contains(body, "alert") {
		t.Errorf("%s", body)
	}
}

func TestMarksOfCleanStationsGiveWay(t *testing.T) {
	got := arrangeMarks([]embedMark{
		{Text: "40", value: 40, at: orb.Point{100, 100}},
		{Text: "160", value: 160, at: orb.Point{110, 100}, diamond: true},
		{Text: "90", value: 90, at: orb.Point{300, 100}},
		{Text: "99", value: 99, at: orb.Point{9000, 100}},
	})
	var texts []string
	for _, m := range got {
		texts = append(texts, m.Text)
	}
	if strings.Join(texts, ",") != ",90,160" || got[0].Shape == got[1].Shape || !strings.Contains(got[2].Shape, "L") {
		t.Errorf("%+v", got)
	}
}

func TestInkIsReadable(t *testing.T) {
	for color, want := range map[string]string{
		"#00E400": "#111111", "#FFFF00": "#111111", "#FF7E00": "#111111", "#FF0000": "#111111", "#8F3F97": "#ffffff",
		"#7E0023": "#ffffff", "": "#111111", "#zz": "#111111",
	} {
		if got := inkOn(color); got != want {
			t.Errorf("%s: %s, want %s", color, got, want)
		}
	}
}

func TestEmbedViewFitsItsBox(t *testing.T) {
	box := orb.MultiPoint{{105.7, 20.9}, {105.95, 21.15}}.Bound()
	view := fitEmbedView(box)
	frame := orb.Bound{Max: orb.Point{embedWidth, embedHeight}}
	for _, corner := range []orb.Point{box.LeftTop(), box.RightBottom()} {
		if p := view.at(corner); !frame.Contains(p) {
			t.Errorf("%v is at %v", corner, p)
		}
	}
	if n := len(view.tiles(nil)); n == 0 || n > 12 {
		t.Errorf("%d tiles", n)
	}
	if n := len(newEmbedView(orb.Point{179.9, 84}, 7).tiles(nil)); n == 0 {
		t.Error("no tiles at the edge of the world")
	}
	line := embedPath{view: view}
	if p := line.line(orb.LineString{{105.8, 21}, {105.8, 21.00001}, {105.9, 21}}, true); strings.Count(p, " ") != 3 {
		t.Errorf("a line of two points is %q", p)
	}
	if p := line.line(orb.LineString{{10, 50}, {11, 50}}, false); p != "" {
		t.Errorf("a line far away is %q", p)
	}
	line.points = maxEmbedPoints
	if p := line.line(orb.LineString{{105.8, 21}, {105.9, 21}}, false); p != "" {
		t.Errorf("a line beyond the budget is %q", p)
	}
}

func TestEmbedDrawsTheNetwork(t *testing.T) {
	path := embedPath{view: newEmbedView(orb.Point{105.85, 21.03}, 12)}
	routes := []tile.Route{{Shapes: []orb.LineString{{{105.84, 21.02}, {105.86, 21.04}}, {{10, 50}, {11, 50}}}}}
	if got := embedLines(routes, &path); strings.Count(got, "M") != 1 {
		t.Errorf("%q", got)
	}
}

// TestEmbedOfTheFleet names a station and its kind as the fleet file has them.
func TestEmbedOfTheFleet(t *testing.T) {
	s := livetest.Monitor(0, livetest.Noon, 60)
	s.Kind = "low-cost"
	s.Name = nhip.LocalizedText{Vi: "Hoàn Kiếm"}
	h, _ := newCity(t, Config{})
	q := &embedQuery{scale: nhip.ScaleVNAQI, lang: vietnamese}
	words := embedWords[vietnamese]
	snapshot := &air.Snapshot{End: livetest.Noon, At: livetest.Noon, Stations: []nhip.Station{s}}
	marks, summary := h.embedMarks(q, snapshot, &words)
	if len(marks) != 1 || !marks[0].diamond || !strings.Contains(summary, "1/1 trạm · cao nhất Hoàn Kiếm") {
		t.Errorf("%+v %s", marks, summary)
	}
}
