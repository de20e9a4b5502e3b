package cap

import (
	"context"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/geo/zone"
	"nhip/internal/capdoc"
	"nhip/internal/captest"
	"nhip/internal/fleet"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

var hanoi = time.FixedZone("", 7*3600)

// noHistory has no stations.
type noHistory struct{ catalog.History }

func (noHistory) Stations(context.Context) ([]string, error) { return nil, nil }

// board is a list of alerts.
type board struct{ open, ended []nhip.Alert }

func (b *board) Alerts() (open, ended []nhip.Alert) {
	return slices.Clone(b.open), slices.Clone(b.ended)
}

func (b *board) Alert(id string) (nhip.Alert, bool) {
	for _, a := range slices.Concat(b.open, b.ended) {
		if a.ID == id {
			return a, true
		}
	}
	return nhip.Alert{}, false
}

// newServer returns a handler for a viewer, and what it serves: station s1 is in a zone, s2 in none, s3 has no place.
func newServer(t *testing.T) (http.Handler, *board, *Handler) {
	t.Helper()
	log, clock := slog.New(slog.DiscardHandler), livetest.NewClock(livetest.Noon)
	state := live.New(live.Options{Clock: clock, Logger: log})
	t.Cleanup(state.Close)
	for id, at := range map[string][]float64{"s1": {105.85, 21.03}, "s2": {106.5, 21}, "s3": nil} {
		livetest.Receive(t, state, topics.FleetStationTopic(id), fleet.Station{
			ID: id, Name: nhip.LocalizedText{Vi: "Trạm <" + id + ">", En: "Station & " + id}, At: at, Area: "Ba Đình",
		})
	}
	square := func(side float64) orb.MultiPolygon {
		return orb.MultiPolygon{{{
			{105.8, 21}, {105.8 + side, 21}, {105.8 + side, 21 + side}, {105.8, 21 + side}, {105.8, 21},
		}}}
	}
	b := new(board)
	h := &Handler{
		Alerts: b, Stations: catalog.New(state, noHistory{}, log), Clock: clock, Zone: hanoi, Source: "Chi cục BVMT",
		Zones: zone.New([]zone.Zone{
			{Kind: "district", ID: "d", Area: square(0.3)},
			{Kind: "ward", ID: "w", Name: nhip.LocalizedText{Vi: "Phường", En: "Ward"}, Area: square(0.1)},
		}),
		Responder: rest.Responder{Logger: log, PublicURL: "https://air.example/", Ready: func() bool { return true }},
	}
	r := chi.NewRouter()
	h.Routes(r)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(w, access.WithCaller(req, access.Caller{Role: nhip.RoleViewer}, access.Allowed))
	}), b, h
}

// alertAt returns an alert of a station whose grade changed in the last hours, one each.
func alertAt(id, station, measure string, grades ...int) nhip.Alert {
	a := nhip.Alert{ID: id, Rule: "dust", Measure: measure, Station: station}
	for i, g := range grades {
		a.Grade, a.Value, a.Threshold = g, 61.55+float64(10*g), nhip.Some(50.0)
		a.Time = livetest.Noon.Add(time.Duration(i+1-len(grades)) * time.Hour)
		if i == 0 {
			a.Since = a.Time
		}
		a.Record()
	}
	return a
}

// document returns the CAP document at a path, which must be valid.
func document(t *testing.T, s http.Handler, path string) capdoc.Alert {
	t.Helper()
	w := resttest.Get(s, path)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != capdoc.ContentType {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if err := captest.Check(w.Body.Bytes()); err != nil {
		t.Errorf("%s: %v\n%s", path, err, w.Body)
	}
	var a capdoc.Alert
	if err := xml.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDocumentTellsAnEpisode(t *testing.T) {
	s, b, _ := newServer(t)
	const id = "rule, <a> & b/bụi.s1.1"
	b.open = []nhip.Alert{alertAt(id, "s1", "pm25", 1)}
	path := capdoc.Path(id)
	first := document(t, s, path)
	if first.MsgType != "Alert" || first.References != "" || first.Sender != "nhip@air.example" ||
		first.Status != "Actual" || len(first.Info) != 2 || first.Info[0].Language != "vi-VN" {
		t.Errorf("%+v", first)
	}
	info := first.Info[1]
	if info.Urgency != "Future" || info.Severity != "Minor" || info.Certainty != "Possible" ||
		info.Expires != "2026-02-17T19:00:00+07:00" ||
		info.Headline != "Station & s1, Ba Đình: Fine particles PM2.5, tendency" {
		t.Errorf("%+v", info)
	}
	area := info.Area[0]
	if area.Desc != "Ward (Station & s1, Ba Đình)" || len(area.Polygon) != 1 || area.Circle != nil ||
		area.Polygon[0] != "21.00000,105.80000 21.00000,105.90000 21.10000,105.90000 21.10000,105.80000 21.00000,105.80000" {
		t.Errorf("%+v", area)
	}
	b.open = []nhip.Alert{alertAt(id, "s1", "pm25", 1, 3)}
	update := document(t, s, path)
	if update.MsgType != "Update" || len(strings.Fields(update.References)) != 1 || update.Info[0].Severity != "Severe" ||
		!strings.Contains(update.Info[0].Description, "91,6 µg/m³ (vượt ngưỡng). Ngưỡng: 50 µg/m³.") {
		t.Errorf("%+v", update)
	}
	b.open, b.ended = nil, []nhip.Alert{alertAt(id, "s1", "pm25", 1, 3, 0)}
	canceled := document(t, s, path)
	if canceled.MsgType != "Cancel" || canceled.Info[0].ResponseType != "AllClear" ||
		canceled.Incidents != first.Incidents {
		t.Errorf("%+v", canceled)
	}
	names := strings.Fields(canceled.References)
	if len(names) != 2 {
		t.Fatalf("references %q", canceled.References)
	}
	for i, name := range names {
		parts := strings.Split(name, ",")
		m := document(t, s, path+"?message="+capdoc.Name(parts[1]))
		if m.Identifier != parts[1] || m.Sent != parts[2] || m.Sender != parts[0] || m.MsgType != []string{
			"Alert",
			"Update",
		}[i] {
			t.Errorf("the message that %s names is %+v", name, m)
		}
	}
}

func TestAlertIsToldByWhatItIsAbout(t *testing.T) {
	s, b, h := newServer(t)
	b.open = []nhip.Alert{
		alertAt("a2", "s2", "VN_AQI", 2), alertAt("a3", "s3", "no2", 3), alertAt("silent", "s1", "silent", 3),
		alertAt("gone", "nowhere", "pm10", 2, 9),
	}
	if a := document(t, s, "/v1/alerts/a2.cap"); a.Info[0].Area[0].Circle[0] != "21.00000,106.50000 2" ||
		a.Info[0].Urgency != "Expected" {
		t.Errorf("a station in no zone: %+v", a.Info)
	}
	if a := document(t, s, "/v1/alerts/a3.cap"); a.Info[0].Area[0].Circle != nil || a.Info[0].Area[0].Polygon != nil {
		t.Errorf("a station without a place: %+v", a.Info)
	}
	if a := document(t, s, "/v1/alerts/silent.cap"); a.Status != "System" || a.Info[0].Category[0] != "Infra" ||
		a.Info[0].Severity != "Minor" {
		t.Errorf("a silent monitor: %+v", a)
	}
	document(t, s, "/v1/alerts/gone.cap")
	h.Simulated = true
	if a := document(t, s, "/v1/alerts/a2.cap"); a.Status != "Exercise" || a.Note == "" {
		t.Errorf("a simulated alert: %+v", a)
	}
}

func TestFeedHasTheNewestMessageOfEachAlert(t *testing.T) {
	s, b, _ := newServer(t)
	read := func(path string) (f feed) {
		t.Helper()
		w := resttest.Get(s, path)
		if err := xml.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK ||
			w.Header().Get("Content-Type") != FeedType {
			t.Fatalf("%s: %d %v %s", path, w.Code, err, w.Body)
		}
		return f
	}
	if f := read("/v1/alerts.atom"); f.Entries != nil || f.Updated == "" || f.Author == "" || f.ID == "" {
		t.Errorf("without alerts: %+v", f)
	}
	old := alertAt("old", "s1", "pm25", 1, 0)
	old.Time = old.Time.Add(-25 * time.Hour)
	b.open = []nhip.Alert{alertAt("a/1", "s1", "pm25", 2)}
	b.ended = []nhip.Alert{alertAt("a2.s2", "s2", "pm25", 1, 0), old}
	for _, path := range []string{"/v1/alerts.atom", "/v1/alerts.cap"} {
		f := read(path)
		if len(f.Entries) != 2 || f.Links[0].Href != "https://air.example"+path {
			t.Fatalf("%+v", f)
		}
		for _, e := range f.Entries {
			a := document(t, s, strings.TrimPrefix(e.Link.Href, "https://air.example"))
			if !strings.HasSuffix(e.ID, ":"+a.Identifier) || e.Updated != a.Sent {
				t.Errorf("%+v links %+v", e, a)
			}
		}
	}
}

func TestWrongRequestsAreRefused(t *testing.T) {
	s, b, h := newServer(t)
	b.open = []nhip.Alert{alertAt("a", "s1", "pm25", 1), {
		ID: "old", Station: "s1", Grade: 2,
		Since: livetest.Noon.Add(-1e9),
	}}
	for path, want := range map[string]struct {
		status int
		field  string
	}{
		"/v1/alerts/b.cap":                                      {http.StatusNotFound, "id"},
		"/v1/alerts/.cap":                                       {http.StatusBadRequest, "id"},
		"/v1/alerts/a":                                          {http.StatusNotFound, ""},
		"/v1/alerts/a.cap?message=":                             {http.StatusBadRequest, "message"},
		"/v1/alerts/a.cap?message=x":                            {http.StatusNotFound, "message"},
		"/v1/alerts/a.cap?lang=vi":                              {http.StatusBadRequest, "lang"},
		"/v1/alerts.atom?limit=1":                               {http.StatusBadRequest, "limit"},
		"/v1/alerts/%ff.cap":                                    {http.StatusBadRequest, "id"},
		"/v1/alerts/a.cap?message=%0":                           {http.StatusBadRequest, ""},
		"/v1/alerts/a.cap?message=" + strings.Repeat("x", 2000): {http.StatusBadRequest, "message"},
	} {
		w := resttest.Get(s, path)
		if w.Code != want.status || want.field != "" && !strings.Contains(w.Body.String(), `"field":"`+want.field+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r := chi.NewRouter()
	h.Routes(r)
	for role, want := range map[nhip.Role]int{nhip.RolePublic: 403, nhip.RoleApp: 403, nhip.RoleViewer: 200} {
		for _, path := range []string{"/v1/alerts.atom", "/v1/alerts.cap", "/v1/alerts/a.cap"} {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, access.WithCaller(httptest.NewRequest(http.MethodGet, path, nil), access.Caller{Role: role},
				access.Allowed))
			if w.Code != want {
				t.Errorf("%s as %s: %d", path, role, w.Code)
			}
		}
	}
}
