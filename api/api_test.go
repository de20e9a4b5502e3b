package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/health"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/problem"

	"github.com/prometheus/client_golang/prometheus"
)

// noon is when the tests' city stands still.
var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// stopped is a clock that stands still.
type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

// absentHistory is a database that is away. What a real one answers is tested where one runs.
type absentHistory struct{}

func (absentHistory) Readings(context.Context, influx.ReadingQuery, func(nhip.Judged) error) error {
	return nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Fleet(context.Context, time.Time, time.Time, func(nhip.Position) error) error {
	return nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Rollups(context.Context, influx.RollupQuery, func(influx.Rolled) error) error {
	return nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Reviews(context.Context, string, time.Time) ([]nhip.Review, error) {
	return nil, nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Said(context.Context, string, nhip.Quantity, time.Time) ([]influx.Said, error) {
	return nil, nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Tallies(context.Context, string, time.Time, time.Time) (map[influx.TallyKey]influx.Tally, error) {
	return nil, nhip.Errorf(nhip.Unavailable, "", "the history is away")
}

func (absentHistory) Ping(context.Context) error { return context.DeadlineExceeded }

// newAPI returns an api whose city is empty and counted.
func newAPI(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	o := Options{
		Addr: "127.0.0.1:0", Clock: stopped(noon), History: absentHistory{},
		Map:    Map{Center: [2]float64{105.85, 21.03}, Zoom: 12, Attribution: "test"},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	}
	for _, c := range change {
		c(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.listener.Close() })
	a.sky.every = 0 // what a test says shows at once
	a.city.connected()
	hear(t, a, mqtt.CensusTopic("c"), mqtt.Census{})
	return a
}

func hear(t testing.TB, a *API, topic string, state any) {
	t.Helper()
	raw, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.city.hear(topic, raw); err != nil {
		t.Fatal(err)
	}
}

func addBus(t testing.TB, a *API, b nhip.Bus) {
	t.Helper()
	if b.Agency == "" {
		b.Agency = "hanoi"
	}
	if b.Time.IsZero() {
		b.Time = noon
	}
	hear(t, a, mqtt.LiveBusTopic(b.Agency, b.ID), b)
}

func get(t *testing.T, a *API, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	return w
}

// features returns the ids of a collection's features, and the decoded properties.
func features(t *testing.T, w *httptest.ResponseRecorder) (ids []string, props []map[string]any) {
	t.Helper()
	var body struct {
		Features []struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, f := range body.Features {
		ids = append(ids, f.Properties["id"].(string))
		props = append(props, f.Properties)
	}
	return ids, props
}

func TestNearestBuses(t *testing.T) {
	a := newAPI(t)
	addBus(t, a, nhip.Bus{ID: "far", Lat: 21.10, Lon: 105.85, Route: "02"})
	addBus(t, a, nhip.Bus{ID: "near", Lat: 21.031, Lon: 105.85, Route: "01", Speed: nhip.Some(5.5), Bearing: nhip.Some(90.0)})
	addBus(t, a, nhip.Bus{ID: "middle", Lat: 21.03, Lon: 105.87, Route: "02", Time: noon.Add(-10 * time.Minute)})
	addBus(t, a, nhip.Bus{ID: "gone", Lat: 21.03, Lon: 105.85, Time: noon.Add(-3 * time.Hour)})
	for _, c := range []struct{ query, want string }{
		{"near=21.03,105.85", "near middle far"},
		{"near=21.03,105.85&limit=2", "near middle"},
		{"near=21.03,105.85&radius=500", "near"},
		{"near=21.03,105.85&route=02", "middle far"},
		{"near=21.03,105.85&bbox=105.86,21,105.9,21.05", "middle"},
		{"", "far middle near"},
		{"route=none", ""},
	} {
		ids, _ := features(t, get(t, a, "/v1/buses?"+c.query))
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
	_, props := features(t, get(t, a, "/v1/buses?near=21.03,105.85&limit=2"))
	if d := props[0]["distance_m"].(float64); d < 111 || d > 112 {
		t.Errorf("0.001° of latitude is %v m", d)
	}
	if props[0]["state"] != "live" || props[1]["state"] != "stale" || props[1]["age_s"] != 600.0 {
		t.Errorf("freshness: %v, %v", props[0], props[1])
	}
	if props[0]["speed"] != 5.5 || props[0]["bearing"] != 90.0 || props[0]["route"] != "01" {
		t.Errorf("what the bus said: %v", props[0])
	}
	if _, said := props[1]["speed"]; said {
		t.Error("a speed that was never said is shown")
	}
}

func TestBadQuestionsNameTheirField(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct{ path, field string }{
		{"/v1/buses?near=21", "near"},
		{"/v1/buses?near=NaN,105", "near"},
		{"/v1/buses?near=Inf,105", "near"},
		{"/v1/buses?near=91,105", "near"},
		{"/v1/buses?near=21,181", "near"},
		{"/v1/buses?near=", "near"},
		{"/v1/buses?near=21,105&limit=0", "limit"},
		{"/v1/buses?near=21,105&limit=-1", "limit"},
		{"/v1/buses?near=21,105&limit=1000000", "limit"},
		{"/v1/buses?near=21,105&limit=ten", "limit"},
		{"/v1/buses?near=21,105&radius=0", "radius"},
		{"/v1/buses?near=21,105&radius=1e9", "radius"},
		{"/v1/buses?near=21,105&radius=NaN", "radius"},
		{"/v1/buses?radius=100", "radius"},
		{"/v1/buses?near=21,105&near=22,105", "near"},
		{"/v1/buses?raduis=5", "raduis"},
		{"/v1/buses?route=" + strings.Repeat("a", 300), "route"},
		{"/v1/buses?route=a%00b", "route"},
		{"/v1/buses?bbox=1,2,3", "bbox"},
		{"/v1/buses?bbox=1,3,2,2", "bbox"},
		{"/v1/stations?bbox=a,b,c,d", "bbox"},
		{"/v1/live?bbox=200,0,201,1", "bbox"},
		{"/v1/stations/x/readings?from=yesterday", "from"},
		{"/v1/stations/x/readings?from=2026-02-16T12:00:00Z&to=2026-02-16T11:00:00Z", "from"},
		{"/v1/stations/x/readings?from=1926-02-16T12:00:00Z", "from"},
		{"/v1/stations/x/readings?quantity=gold", "quantity"},
		{"/v1/stations/x/readings?from=2300-01-01T00:00:00Z", "from"},
		{"/v1/stations/x/readings?from=0001-01-01T00:00:00Z", "from"},
		{"/v1/stations/x/readings?to=0000-01-01T00:00:00Z", "to"},
		{"/v1/stations/x/readings?from=2026-02-17T00:00:00Z&to=2026-02-18T00:00:00Z", "from"},
		{"/v1/stations/x/readings?format=xml", "format"},
	} {
		w := get(t, a, c.path)
		var p problem.Body
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v in %s", c.path, err, w.Body)
		}
		if w.Code != http.StatusBadRequest || p.Field != c.field || p.Code != nhip.Invalid ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.80s: %d %s, want 400 for %s", c.path, w.Code, w.Body, c.field)
		}
	}
}

func TestCoordinatesOfPeopleStayOutOfLogsAndMetrics(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	a := newAPI(t, func(o *Options) {
		o.Registry = registry
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, q := range []string{"near=21.0123,105.8123", "near=21.0123,bad", "near=21.0123,105.8123&limit=0"} {
		get(t, a, "/v1/buses?"+q)
	}
	told := log.String() + get(t, a, "/metrics").Body.String()
	if strings.Contains(told, "21.0123") || strings.Contains(told, "105.8123") {
		t.Errorf("a place is told: %s", told)
	}
	if !strings.Contains(told, `route="/v1/buses"`) {
		t.Error("the requests are not measured at all")
	}
}

func TestAnEmptyMapIsNoAnswerBeforeTheCityIsComplete(t *testing.T) {
	a := newAPI(t)
	hear(t, a, mqtt.CensusTopic("c"), mqtt.Census{Buses: 1, Stations: 1})
	for _, path := range []string{"/v1/buses", "/v1/stations", "/v1/stations/x", "/v1/live"} {
		if w := get(t, a, path); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	hear(t, a, mqtt.LiveAirTopic("x"), nhip.Station{ID: "x", Time: noon})
	if ids, _ := features(t, get(t, a, "/v1/buses")); !slices.Equal(ids, []string{"1"}) {
		t.Errorf("complete: %v", ids)
	}
	// Once it was complete, counting more is no outage.
	a.ready = health.NewReadiness() // of one that needs nothing
	if left := a.Waiting(); len(left) > 0 {
		t.Fatalf("still waiting for %v", left)
	}
	hear(t, a, mqtt.CensusTopic("c"), mqtt.Census{Buses: 5})
	if w := get(t, a, "/v1/buses"); w.Code != http.StatusOK {
		t.Errorf("after readiness: %d", w.Code)
	}
}

func TestStations(t *testing.T) {
	a := newAPI(t)
	value := func(v float64) map[nhip.Quantity]nhip.LiveValue {
		return map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: v, Time: noon, Period: 3600, Flag: nhip.NotEvaluated}}
	}
	hear(t, a, mqtt.LiveAirTopic("b/1"), nhip.Station{ID: "b/1", Time: noon, Lat: nhip.Some(21.0), Lon: nhip.Some(105.8), Values: value(69.2)})
	hear(t, a, mqtt.LiveAirTopic("a"), nhip.Station{ID: "a", Time: noon, Values: value(1)})
	hear(t, a, mqtt.LiveAirTopic("old"), nhip.Station{ID: "old", Time: noon.AddDate(0, 0, -31)})
	ids, props := features(t, get(t, a, "/v1/stations"))
	if !slices.Equal(ids, []string{"a", "b/1"}) {
		t.Errorf("stations %v", ids)
	}
	pm := props[1]["values"].(map[string]any)["pm25"].(map[string]any)
	if pm["value"] != 69.2 || pm["unit"] != "µg/m³" || pm["period"] != "1h" || pm["flag"] != 2.0 {
		t.Errorf("pm25 %v", pm)
	}
	if ids, _ := features(t, get(t, a, "/v1/stations?bbox=105,20,106,22")); !slices.Equal(ids, []string{"b/1"}) {
		t.Errorf("in the box: %v", ids)
	}
	if w := get(t, a, "/v1/stations/b%2F1"); w.Code != http.StatusOK {
		t.Errorf("an id with a slash: %d %s", w.Code, w.Body)
	}
	for _, id := range []string{"none", "old", "M%E1%BB%B9%20%C4%90%C3%ACnh"} {
		if w := get(t, a, "/v1/stations/"+id); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", id, w.Code)
		}
	}
}

func TestHistoryAway(t *testing.T) {
	w := get(t, newAPI(t), "/v1/stations/x/readings")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "the history does not answer") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestReadingsInTwoForms(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		accept string
		status int
	}{
		{"", 503},
		{"*/*", 503},
		{"text/csv", 503},
		{"text/html,application/json;q=0.9", 503},
		{"image/png", 406},
		{"application/json;q=0, text/csv;q=0", 406},
	} {
		if w := get(t, a, "/v1/stations/x/readings", "Accept", c.accept); w.Code != c.status {
			t.Errorf("Accept %q: %d, want %d", c.accept, w.Code, c.status)
		}
	}
}

func TestTheFormThatIsLikedBest(t *testing.T) {
	for accept, want := range map[string]string{
		"": formJSON, "*/*": formJSON, "text/*": formCSV, "TEXT/CSV": formCSV, "text/csv;q=0, application/json": formJSON,
		"application/json;q=0.1, text/csv": formCSV, "text/csv;q=0.5, */*": formJSON, "image/png": "", "nonsense": "",
		"text/html,application/xhtml+xml,*/*;q=0.8": formJSON,
	} {
		if got := acceptedForm(accept); got != want {
			t.Errorf("Accept %q gives %q, want %q", accept, got, want)
		}
	}
}

func TestListsAsCSV(t *testing.T) {
	a := newAPI(t)
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21.031, Lon: 105.85, Route: "32", Line: "32", Headsign: "Giáp Bát, bến xe", Direction: nhip.Some(1), Speed: nhip.Some(5.5)})
	hear(t, a, mqtt.LiveAirTopic("s"), nhip.Station{
		ID: "s", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.81), Origin: nhip.Simulated,
		Values: map[nhip.Quantity]nhip.LiveValue{
			nhip.PM25: {Value: 69.2, Time: noon, Period: 3600, Flag: nhip.NotEvaluated}, nhip.CO: {Value: 300, Time: noon, Period: 300, Flag: nhip.Good},
		},
	})
	for path, want := range map[string]string{
		"/v1/buses?near=21.03,105.85&format=csv": busColumns + `1,hanoi,32,32,"Giáp Bát, bến xe",1,21.031,105.85,5.5,,111.3,2026-02-16T12:00:00Z,0,live,,` + "\n",
		"/v1/buses?format=csv":                   busColumns + `1,hanoi,32,32,"Giáp Bát, bến xe",1,21.031,105.85,5.5,,,2026-02-16T12:00:00Z,0,live,,` + "\n",
		"/v1/stations?format=csv": stationColumns + "s,21.02,105.81,co,300,µg/m³,5m,2026-02-16T12:00:00Z,0,live,1,simulated,VN_AQI,,\n" +
			"s,21.02,105.81,pm25,69.2,µg/m³,1h,2026-02-16T12:00:00Z,0,live,2,simulated,VN_AQI,,\n",
	} {
		w := get(t, a, path)
		if w.Body.String() != byteOrderMark+want || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s:\n%s\nwant\n%s", path, w.Body, want)
		}
	}
	for _, path := range []string{"/v1/buses", "/v1/stations"} {
		if w := get(t, a, path, "Accept", "image/png"); w.Code != http.StatusNotAcceptable {
			t.Errorf("%s as a picture: %d", path, w.Code)
		}
		if w := get(t, a, path, "Accept", "application/geo+json"); w.Code != http.StatusOK {
			t.Errorf("%s as GeoJSON: %d", path, w.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodHead, "/livez", 200},
		{http.MethodHead, "/v1/buses", 200},
		{http.MethodHead, "/v1/live", 200},
		{http.MethodHead, "/", 200},
		{http.MethodOptions, "/v1/buses", 204},
		{http.MethodPost, "/v1/buses", 405},
		{http.MethodDelete, "/tiles/air.json", 405},
	} {
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || c.status >= 204 && w.Header().Get("Allow") != allowed {
			t.Errorf("%s %s: %d %v", c.method, c.path, w.Code, w.Header())
		}
	}
}

func TestListsSayHowManyThereAre(t *testing.T) {
	a := newAPI(t)
	for i := range 30 {
		addBus(t, a, nhip.Bus{ID: fmt.Sprint(i), Lat: 21, Lon: 105})
	}
	for query, want := range map[string]string{
		"":                `"numberMatched":30,"numberReturned":30`,
		"?limit=7":        `"numberMatched":30,"numberReturned":7`,
		"?near=21,105":    `Z","numberReturned":10`,
		"?bbox=0,0,50,50": `"numberMatched":0,"numberReturned":0`,
	} {
		if w := get(t, a, "/v1/buses"+query); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %.120s, want %s", query, w.Body, want)
		}
	}
}

func TestASilentInstrumentInABoxThatSpeaks(t *testing.T) {
	s := nhip.Station{ID: "s", Time: noon, Values: map[nhip.Quantity]nhip.LiveValue{
		nhip.PM25:        {Value: 300, Time: noon.AddDate(0, 0, -20), Period: 3600},
		nhip.Temperature: {Value: 20, Time: noon, Period: 3600},
	}}
	var f struct {
		Properties struct {
			State  string
			Values map[string]struct{ State string }
		}
	}
	if err := json.Unmarshal(appendStation(nil, &s, nhip.VNAQI, noon), &f); err != nil {
		t.Fatal(err)
	}
	if f.Properties.State != "live" || f.Properties.Values["pm25"].State != "stale" || f.Properties.Values["temperature"].State != "live" {
		t.Errorf("%+v", f)
	}
}

func TestIdsWithPercentSigns(t *testing.T) {
	a := newAPI(t)
	for _, id := range []string{"50%", "a%41", "aA", "b/1", "đ"} {
		hear(t, a, mqtt.LiveAirTopic(id), nhip.Station{ID: id, Time: noon})
	}
	for path, want := range map[string]string{"50%25": "50%", "a%2541": "a%41", "a%41": "aA", "b%2F1": "b/1", "%C4%91": "đ"} {
		if w := get(t, a, "/v1/stations/"+path); !strings.Contains(w.Body.String(), `"id":"`+want+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestTextIsJSON(t *testing.T) {
	for _, s := range []string{"", "Mỹ Đình", `a"b\c`, "a\nb\x00", "\xff", "\u2028"} {
		var got string
		if err := json.Unmarshal(appendText(nil, s), &got); err != nil || got != strings.ToValidUTF8(s, "\uFFFD") {
			t.Errorf("%q came back as %q, %v", s, got, err)
		}
	}
}

func TestTheMapSaysHowToBuildIt(t *testing.T) {
	a := newAPI(t)
	if w := get(t, a, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(t, a, "/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("/nothing: %d", w.Code)
	}
	if w := get(t, a, "/v1/map"); !strings.Contains(w.Body.String(), `"bounds":null`) {
		t.Errorf("the map of nothing: %s", w.Body)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	a := newAPI(t)
	h := a.recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "oh") || !strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func BenchmarkNearestBuses(b *testing.B) {
	a := newAPI(b)
	for i := range 2500 {
		addBus(b, a, nhip.Bus{
			ID: fmt.Sprint(i), Lat: 20.9 + float64(i%50)*0.005, Lon: 105.7 + float64(i/50)*0.005,
			Route: "01", Speed: nhip.Some(5.5), Bearing: nhip.Some(90.0),
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/buses?near=21.03,105.85", nil)
	b.ReportAllocs()
	for b.Loop() {
		a.listBuses(httptest.NewRecorder(), r)
	}
}
