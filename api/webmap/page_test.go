package webmap

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nhip/api/air"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/geo/zone"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// testPage is a page as the build writes it.
const testPage = `<!doctype html>
<html lang="vi"><head><title>the page</title>
<link rel="stylesheet" crossorigin href="/assets/main.css">
</head><body><div id="app"><main id="view"><i>grey rows</i></main><nav></nav></div></body></html>
`

// testFiles is a built web map.
func testFiles() fstest.MapFS {
	files := fstest.MapFS{
		"index.html":        {Data: []byte(testPage)},
		"assets/main.css":   {Data: []byte("main{}")},
		"assets/air.css":    {Data: []byte("air{}")},
		"assets/main.js":    {Data: []byte("main()")},
		"assets/main.js.gz": {Data: []byte("gzip")},
		"assets/main.js.br": {Data: []byte("brotli")},
		"assets/air.js":     {Data: []byte("air()")},
		".vite/manifest.json": {Data: []byte(`{
			"index.html": {"file": "assets/main.js", "css": ["assets/main.css"]},
			"src/air/air.tsx": {"file": "assets/air.js", "imports": ["index.html", "_parts.js"]},
			"_parts.js": {"file": "assets/parts.js", "css": ["assets/air.css"], "imports": ["src/air/air.tsx"]}}`)},
	}
	return files
}

// answers is an API that answers by addresses; others are 404.
type answers map[string]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := a[r.URL.String()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = w.Write([]byte(body))
}

const someDepartures = `{"time":"2026-01-05T12:00:00Z","lines":[
{"route":"9","line":"9","headsign":"Passed","stop":{"id":"P","name":"P"},"walk_s":60,"departures":[
  {"state":"live","expected":"2026-01-05T11:58:00Z","late":"2026-01-05T11:59:00Z"}]},
{"route":"24","line":"24","headsign":"Long <Biên>","stop":{"id":"a/b","name":"Trần Quang Khải"},"walk_s":349,
 "departures":[
  {"state":"live","expected":"2026-01-05T12:01:30Z","early":"2026-01-05T12:01:00Z","late":"2026-01-05T12:02:00Z"},
  {"state":"live","expected":"2026-01-05T12:10:00Z","early":"2026-01-05T12:08:30Z","late":"2026-01-05T12:12:01Z"}]}]}`

func TestHomeHasDeparturesBeforeScriptsRun(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	near := "/v1/departures?near=" + lakeAt + "&limit=4"
	h.API = answers{near: someDepartures, "/v1/air?at=" + lakeAt: `{"aqi":null,"why":"</script>"}`}
	w := resttest.Get(serve(h), "/")
	body := w.Body.String()
	for _, want := range []string{
		`<html lang="vi">`, "Quanh Hồ Gươm", "lúc 19:00", `href="/stop/a%2Fb?line=24"`, "Long &lt;Biên&gt;", "<b>8–13</b>",
		"đi bộ 6 phút", "<style>main{}</style>",
		`data-url="` + strings.ReplaceAll(near, "&", "&amp;") + `"`, `\u003c/script\u003e`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, "data-private") {
		t.Error("the answers to the public are private")
	}
	mine := resttest.Get(serve(h), "/", "Authorization", "Bearer x").Body.String()
	if !strings.Contains(mine, "data-private") {
		t.Error("the answers to a key are not private")
	}
	for _, wrong := range []string{"Passed</span>", "grey rows", `href="/assets/main.css"`, "modulepreload"} {
		if strings.Contains(body, wrong) {
			t.Errorf("%q in %s", wrong, body)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "script-src 'self';") ||
		!strings.Contains(policy, hashOf("main{}")) || !strings.Contains(policy, "frame-ancestors 'self'") {
		t.Errorf("policy %q", policy)
	}
}

func TestHomeWithoutAnswersHasGreyRows(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	s := serve(h)
	for _, api := range []http.Handler{nil, answers{}, answers{"/v1/departures?near=" + lakeAt + "&limit=4": "no JSON"}} {
		h.API = api
		if w := resttest.Get(s, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<i>grey rows</i>") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	big := `{"lines":[],"more":"` + strings.Repeat("x", maxSeed) + `"}`
	h.API = answers{"/v1/departures?near=" + lakeAt + "&limit=4": big}
	if w := resttest.Get(s, "/"); w.Body.Len() > 10_000 {
		t.Errorf("a page of %d bytes", w.Body.Len())
	}
}

func TestPageFollowsPlaceAndLanguage(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	h.API = answers{"/v1/departures?near=21.1000,105.9000&limit=4": someDepartures}
	s := serve(h)
	w := resttest.Get(s, "/?at=21.1,105.9&lang=en")
	for _, want := range []string{`<html lang="en">`, "Around the chosen place", "6 min walk"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
	for header, want := range map[string]string{
		"": "vi", "en-GB,en;q=0.9": "en", "vi-VN,vi;q=0.9,en;q=0.8": "vi", "fr,en": "en", "fr": "vi",
	} {
		w := resttest.Get(s, "/", "Accept-Language", header)
		if !strings.Contains(w.Body.String(), `<html lang="`+want+`">`) ||
			!strings.Contains(strings.Join(w.Header()["Vary"], ","), "Accept-Language") {
			t.Errorf("%q: want %s: %s", header, want, w.Body)
		}
	}
	for _, at := range []string{"x", "91,0", "1,181", "NaN,1", "21"} {
		if w := resttest.Get(s, "/?at="+at); !strings.Contains(w.Body.String(), "Quanh Hồ Gươm") {
			t.Errorf("at=%s: %s", at, w.Body)
		}
	}
}

func TestDeparturesAreToldHonestly(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	in := func(minutes float64) time.Time { return now.Add(time.Duration(minutes * float64(time.Minute))) }
	sure, unsure := 0.9, 0.6
	h := &Handler{}
	words := pageWords[vietnamese]
	for name, c := range map[string]struct {
		d    departure
		want departureRow
	}{
		"arriving": {
			departure{State: "live", Expected: in(0.5), Early: in(0), Late: in(1)},
			departureRow{Text: "Đang tới"},
		},
		"soon": {
			departure{State: "live", Expected: in(1.5), Early: in(1), Late: in(2)},
			departureRow{Text: "Dưới 2 phút"},
		},
		"range": {
			departure{State: "live", Expected: in(5), Early: in(4.2), Late: in(5.3), Confidence: &sure},
			departureRow{Figure: "4–6", Unit: "phút"},
		},
		"wide": {
			departure{State: "live", Expected: in(22), Early: in(16), Late: in(29)},
			departureRow{Figure: "≈ 22", Unit: "phút"},
		},
		"likely": {
			departure{State: "live", Expected: in(1), Early: in(0), Late: in(1), Confidence: &unsure},
			departureRow{Figure: "≈ 1", Unit: "phút", Look: "likely"},
		},
		"far": {
			departure{State: "forecast", Expected: in(40), Early: in(39), Late: in(41)},
			departureRow{Figure: "≈ 12:40"},
		},
		"timetable": {
			departure{State: "scheduled", Scheduled: in(25)},
			departureRow{Text: "12:25", Below: "giờ chạy", Soft: true},
		},
		"lost": {
			departure{State: "stale", Expected: in(4), Time: in(-3.5)},
			departureRow{Text: "Mất tín hiệu", Below: "3 phút trước", Look: "stale", Soft: true},
		},
		"no report": {
			departure{State: "no_report", Scheduled: in(10)},
			departureRow{Text: "Chưa có xe báo", Below: "chuyến 12:10", Soft: true},
		},
		"not coming": {
			departure{State: "not_coming", Scheduled: in(-1)},
			departureRow{Text: "Chuyến 11:59 có thể không chạy", Soft: true},
		},
		"headway": {
			departure{State: "scheduled", Headway: 640},
			departureRow{Text: "11 phút một chuyến", Soft: true},
		},
		"canceled": {departure{State: "canceled", Scheduled: in(5)}, departureRow{Text: "Đã hủy", Soft: true}},
		"skipped": {
			departure{State: "skipped", Scheduled: in(5)},
			departureRow{Text: "Không dừng ở đây", Soft: true},
		},
		"unknown one": {departure{State: "other"}, departureRow{Text: "Chưa có xe báo", Soft: true}},
	} {
		var got departureRow
		h.sayDeparture(&got, &c.d, now, &words)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAirHasStationsBeforeScriptsRun(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	const now = `{"time":"2026-01-05T12:00:00Z","features":[
{"properties":{"id":"clean","aqi":{"value":40,
 "level":{"number":1,"name":{"vi":"Tốt","en":"Good"},"color":"#00E400"},"dominant":"pm25"}}},
{"properties":{"id":"a/b","name":{"vi":"Hoàn Kiếm"},"kind":"low-cost","aqi":{"value":166.4,
 "level":{"number":4,"name":{"vi":"Xấu","en":"Bad"},"color":"#FF0000"},"dominant":"pm10"}}},
{"properties":{"id":"doubt","aqi":{"value":400,"suspect":true,
 "level":{"number":6,"name":{"vi":"Nguy hại"},"color":"#7E0023"}}}},
{"properties":{"id":"none"}}]}`
	past := "/v1/stations?" + url.Values{"index": {"US_EPA"}, "time": {"2026-01-05T03:00:00Z"}}.Encode()
	h.API = answers{
		"/v1/stations": now, past: now, "/v1/legend": "{}", "/v1/legend?index=US_EPA": "{}", "/v1/air/hours": "{}",
	}
	s := serve(h)
	w := resttest.Get(s, "/air")
	body := w.Body.String()
	for _, want := range []string{
		"2/4 trạm · cao nhất Hoàn Kiếm 166 Xấu", `href="/air/station/a%2Fb"`, "PM10 · cảm biến", "đang kiểm tra",
		"<style>air{}</style>", `<link rel="modulepreload" crossorigin href="/assets/air.js">`,
		`<link rel="stylesheet" href="/assets/air.css">`, `data-url="/v1/air/hours"`, `data-url="/v1/legend"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, ">400<") || strings.Index(body, "Hoàn Kiếm</b>") > strings.Index(body, "clean</b>") {
		t.Errorf("a suspect value is told, or the worst is not the first: %s", body)
	}
	body = resttest.Get(s, "/air?time=2026-01-05T03:20:00Z&index=US_EPA").Body.String()
	if !strings.Contains(body, "Đang xem 10:00, 05/01/2026") || strings.Count(body, "data-url=") != 3 {
		t.Errorf("%s", body)
	}
}

func TestPageOfALargeNetworkIsBounded(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	one := `{"properties":{"id":"s","more":"` + strings.Repeat("x", 3000) +
		`","aqi":{"value":166,"level":{"number":4,"name":{"vi":"Xấu"},"color":"#FF0000"}}}}`
	h.API = answers{"/v1/stations": `{"features":[` + strings.Repeat(one+",", 299) + one + "]}"}
	body := resttest.Get(serve(h), "/air").Body.String()
	n := strings.Count(body, `class="air-row"`)
	if n != mostStations || !strings.Contains(body, "300/300 trạm") || len(body) > 100_000 {
		t.Errorf("%d rows in %d bytes", n, len(body))
	}
}

func TestPagesOfThingsThatDoNotExist(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	h.API = answers{"/v1/stops/S": "{}", "/v1/routes/32": "{}", "/v1/stations/hn": "{}", "/v1/buses/a/29B%2F1": "{}"}
	s := serve(h)
	for path, want := range map[string]int{
		"/stop/S": 200, "/stop/T": 404, "/line/32": 200, "/line/33": 404, "/air/station/hn": 200, "/air/station/x": 404,
		"/bus/a/29B%2F1": 200, "/bus/a/2": 404, "/air/zone/district/1": 404, "/air/at/21,105.8": 200, "/air/at/x": 404,
		"/report/ABC": 200, "/air/x/y": 404,
	} {
		w := resttest.Get(s, path)
		if w.Code != want || (want == 404) != strings.Contains(w.Body.String(), `<a class="find" href="/search">`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestFilesAreSentAsBuilt(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	s := serve(h)
	for accepts, want := range map[string]string{"br, gzip": "brotli", "gzip": "gzip", "": "main()", "br;q=0": "main()"} {
		w := resttest.Get(s, "/assets/main.js", "Accept-Encoding", accepts)
		if w.Body.String() != want || !strings.Contains(w.Header().Get("Content-Type"), "javascript") ||
			!strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%q: %s %v", accepts, w.Body, w.Header())
		}
	}
	if w := resttest.Get(s, "/assets/main.js", "Accept-Encoding", "br", "Range", "bytes=0-3"); w.Body.String() != "main" {
		t.Errorf("a range: %s", w.Body)
	}
	for path, want := range map[string]int{
		"/shell.html": 200, "/.vite/manifest.json": 404, "/index.html": 404, "/assets": 404, "/assets/none.js": 404,
	} {
		if w := resttest.Get(s, path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	body := resttest.Get(s, "/shell.html").Body.String()
	if !strings.Contains(body, "grey rows") || strings.Contains(body, "data-url") {
		t.Errorf("the shell: %s", body)
	}
}

func TestUnexpectedPageIsNotServed(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"without a view":         {"index.html": {Data: []byte("<title>x</title>")}},
		"with a broken manifest": {"index.html": {Data: []byte(testPage)}, ".vite/manifest.json": {Data: []byte("{")}},
		"without a sheet": {"index.html": {Data: []byte(testPage)}, ".vite/manifest.json": {
			Data: []byte(`{"index.html":{"css":["assets/x.css"]}}`),
		}},
	} {
		if p, err := readPage(files); err == nil || p != nil {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
	if p, err := readPage(fstest.MapFS{}); p != nil || err != nil {
		t.Errorf("not built: %v %v", p, err)
	}
}

func TestAreasOfPagesAreThoseOfTheTime(t *testing.T) {
	h, _ := newCity(t, Config{Files: testFiles()})
	square := orb.MultiPolygon{{{{105, 20}, {106, 20}, {106, 21}, {105, 20}}}}
	h.Air = air.New(air.Options{Clock: h.Clock, State: h.Live, Zones: zone.New([]zone.Zone{
		{Kind: "ward", ID: "old/1", Area: square, To: livetest.Noon.Add(-time.Hour)}, {Kind: "ward", ID: "new", Area: square},
	})})
	t.Cleanup(h.Air.Close)
	s := serve(h)
	for path, want := range map[string]int{
		"/air/zone/ward/new": 200, "/air/zone/ward/old%2F1": 404, "/air/zone/ward/old%2F1?time=2026-01-05T09:00:00Z": 200,
		"/air/zone/district/new": 404,
	} {
		if w := resttest.Get(s, path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
