package open311

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
)

var dispatcher, analyst = staff(nhip.RoleDispatcher, nhip.Scope{}, nil), staff(nhip.RoleAnalyst, nhip.Scope{}, nil)

// queue returns the services of the reports that a key sees, and checks that the total is theirs.
func (s *server) queue(t *testing.T, key, query string) (services string) {
	t.Helper()
	w := s.get("/v1/queue"+query, "Authorization", "Bearer "+key)
	var out struct {
		Reports []struct{ Service, Group string }
		Total   int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || out.Total < len(out.Reports) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, r := range out.Reports {
		services += r.Service + " "
	}
	return strings.TrimSpace(services)
}

// TestQueueIsOfRoleAndScope reads the queue, and each report of it, as staff of each role and with each scope.
func TestQueueIsOfRoleAndScope(t *testing.T) {
	zones := inZones{zoneAround("ba-dinh", geotest.At(1000), 0.01), zoneAround("far", geotest.At(90_000), 0.01)}
	callers := fakeCallers{
		"admin": staff(nhip.RoleAdmin, nhip.Scope{}, nil), "dispatcher": dispatcher, "analyst": analyst,
		"viewer": staff(nhip.RoleViewer, nhip.Scope{}, nil), "operator": staff(nhip.RoleOperator, nhip.Scope{}, nil),
		"here":      staff(nhip.RoleAnalyst, nhip.Scope{Zones: []string{"district/ba-dinh"}}, zones),
		"far":       staff(nhip.RoleAnalyst, nhip.Scope{Zones: []string{"district/far"}}, zones),
		"station":   staff(nhip.RoleAnalyst, nhip.Scope{Stations: []string{"m03"}}, zones),
		"transerco": staff(nhip.RoleDispatcher, nhip.Scope{Agencies: []string{"transerco"}}, zones),
		"other":     staff(nhip.RoleDispatcher, nhip.Scope{Agencies: []string{"other"}}, zones),
		"adminHere": staff(nhip.RoleAdmin, nhip.Scope{Zones: []string{"district/ba-dinh"}}, zones),
	}
	s := newServer(t, callers)
	here := coordinates(geotest.At(1000))
	bus := s.report(t, append(here, "service_code", "crowding", "attribute[bus]", "29B-123.45")...)
	s.clock.Set(s.clock.Now().Add(time.Second))
	smoke := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "smoke", "phone", "0912")...)
	s.clock.Set(s.clock.Now().Add(time.Second))
	waste := s.report(t, "service_code", "waste", "address_string", "somewhere")
	for key, want := range map[string]string{
		"admin": "waste smoke crowding", "dispatcher": "crowding", "analyst": "waste smoke", "here": "smoke", "far": "",
		"station": map[bool]string{true: "smoke"}[smoke.Known.Station == "m03"], "transerco": "crowding", "other": "",
		"adminHere": "smoke crowding",
	} {
		if got := s.queue(t, key, ""); got != want {
			t.Errorf("%s sees %q, want %q", key, got, want)
		}
		for _, r := range []*nhip.CitizenReport{bus, smoke, waste} {
			may := strings.Contains(want, r.Service)
			for method, path := range map[string]string{"GET": "", "POST": "", "GET ": "/photo"} {
				w := s.do(strings.TrimSpace(method), "/v1/queue/"+r.ID+path, "application/json", strings.NewReader("{}"),
					"Authorization", "Bearer "+key)
				if may == (w.Code == http.StatusNotFound) && path == "" || !may && w.Code != http.StatusNotFound {
					t.Errorf("%s, %s %s%s: %d %s", key, method, r.Service, path, w.Code, w.Body)
				}
			}
		}
	}
	for key, status := range map[string]int{"viewer": 403, "operator": 403, appKey: 403, "": 401, "wrong": 401} {
		for _, path := range []string{"", "/" + smoke.ID, "/live", "/" + smoke.ID + "/photo"} {
			if w := s.get("/v1/queue"+path, "Authorization", "Bearer "+key); w.Code != status {
				t.Errorf("%q: %s %d %s", key, path, w.Code, w.Body)
			}
		}
	}
}

func TestQueueIsFiltered(t *testing.T) {
	s := newServer(t, fakeCallers{"admin": staff(nhip.RoleAdmin, nhip.Scope{}, nil)})
	for i, service := range []string{"crowding", "smoke", "noise"} {
		s.clock.Set(s.clock.Now().Add(time.Duration(i) * time.Minute))
		s.report(t, append(coordinates(geotest.At(1000)), "service_code", service)...)
	}
	for query, want := range map[string]string{
		"?group=environment": "noise smoke", "?service=smoke": "smoke", "?status=closed": "", "?limit=1": "noise",
		"?limit=1&offset=1": "smoke", "?zone=district/ba-dinh": "noise smoke crowding", "?zone=district/x": "",
		"?assignee=Lan": "", "?to=2026-02-16T12:00:30Z": "crowding", "?from=2026-02-16T12:02:00Z": "noise",
	} {
		if got := s.queue(t, "admin", query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"status=done", "group=x", "service=x", "limit=501", "offset=-1", "from=now", "x=1"} {
		if w := s.get("/v1/queue?"+query, "Authorization", "Bearer admin"); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

// change posts a change of a report and decodes the answer.
func (s *server) change(t *testing.T, key, id, body string) (int, queued) {
	t.Helper()
	w := s.do(http.MethodPost, "/v1/queue/"+id, "application/json", strings.NewReader(body),
		"Authorization", "Bearer "+key)
	var out queued
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
	}
	return w.Code, out
}

func TestStaffAnswerAndPublish(t *testing.T) {
	s := newServer(t, fakeCallers{"lan": analyst})
	r := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "smoke", "description", "khói",
		"phone", "0912")...)
	status, got := s.change(t, "lan", r.ID,
		`{"version":1,"assignee":" Đội 3 ","note":"đã gọi","answer":"Đã xử lý.","status":"closed"}`)
	if status != 200 || got.Version != 2 || got.Assignee != "Đội 3" || got.Contact.Phone != "0912" ||
		got.Notes[0].By != "analyst" || got.Status != nhip.ReportClosed || s.store.by.Name != "analyst" {
		t.Fatalf("%d %+v", status, got)
	}
	public := s.get("/open311/v2/requests/" + r.ID + ".json").Body.String()
	if !strings.Contains(public, `"status":"closed","status_notes":"Đã xử lý."`) || strings.Contains(public, "khói\"") ||
		strings.Contains(public, "đã gọi") {
		t.Errorf("%s", public)
	}
	if status, _ = s.change(t, "lan", r.ID, `{"version":1,"status":"open"}`); status != http.StatusConflict {
		t.Errorf("an outdated change: %d", status)
	}
	status, got = s.change(t, "lan", r.ID, `{"public_text":true,"status":"open","erase_contact":true}`)
	if status != 200 ||
		got.Status != nhip.ReportOpen || got.Contact != nil {
		t.Errorf("%d %+v", status, got)
	}
	if c, _ := s.state.Contact(r.ID); c != nil {
		t.Error("an erased contact stays")
	}
	if public = s.get("/open311/v2/requests/" + r.ID + ".json").Body.String(); !strings.Contains(public, `"khói"`) {
		t.Errorf("a published text is not public: %s", public)
	}
	for _, body := range []string{
		`{"status":"done"}`, `{"answer":"` + strings.Repeat("x", 2001) + `"}`, `{"note":"` + strings.Repeat("x", 1001) + `"}`,
		`{"assignee":"` + strings.Repeat("x", 300) + `"}`, `{"nonsense":1}`, `[]`, `{"version":"1"}`,
	} {
		if status, _ = s.change(t, "lan", r.ID, body); status != http.StatusBadRequest {
			t.Errorf("%.40s: %d", body, status)
		}
	}
}

func TestNotesFitTheDocument(t *testing.T) {
	s := newServer(t, fakeCallers{"lan": analyst})
	r := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "smoke", "description",
		strings.Repeat("ạ", 4000))...)
	note := strings.Repeat("ạ", 1000)
	for i := range 30 {
		if status, got := s.change(t, "lan", r.ID, fmt.Sprintf(`{"note":"%d%s"}`, i%10, note[:len(note)-3])); status != 200 ||
			len(got.Notes) == 0 || len(got.Notes) > nhip.MaxNotes {
			t.Fatalf("note %d: %d, %d notes", i, status, len(got.Notes))
		}
	}
	e, _ := s.state.Report(r.ID)
	if raw, _ := json.Marshal(e.Report); len(raw) > nhip.MaxDocumentBytes {
		t.Errorf("%d bytes", len(raw))
	}
}

func TestPhotoIsForStaffUntilPublished(t *testing.T) {
	s := newServer(t, fakeCallers{"lan": analyst})
	kind, body := multipartForm(t, picture(t), "api_key", appKey, "service_code", "smoke", "lat", "21", "long", "105.8")
	if w := s.do(http.MethodPost, "/open311/v2/requests.json", kind, strings.NewReader(string(body))); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	all, _ := s.state.List(&reportsAll, 0, 1)
	id := all[0].Report.ID
	photos := func() (public, ofStaff int) {
		w := s.get("/v1/queue/"+id+"/photo", "Authorization", "Bearer lan")
		if w.Code == 200 && (w.Header().Get("Content-Type") != "image/jpeg" ||
			w.Header().Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%v", w.Header())
		}
		return s.get("/open311/v2/photos/" + id).Code, w.Code
	}
	if public, ofStaff := photos(); public != 404 || ofStaff != 200 {
		t.Errorf("%d %d", public, ofStaff)
	}
	s.change(t, "lan", id, `{"public_photo":true}`)
	if public, ofStaff := photos(); public != 200 || ofStaff != 200 {
		t.Errorf("published: %d %d", public, ofStaff)
	}
	if w := s.get("/open311/v2/requests/" + id + ".json"); !strings.Contains(w.Body.String(), "/open311/v2/photos/"+id) {
		t.Errorf("%s", w.Body)
	}
	s.change(t, "lan", id, `{"erase_photo":true}`)
	if public, ofStaff := photos(); public != 404 || ofStaff != 404 {
		t.Errorf("erased: %d %d", public, ofStaff)
	}
}

func TestQueueStreamHasOwnReports(t *testing.T) {
	closed := make(chan struct{})
	s := newServer(t, fakeCallers{"lan": analyst}, func(o *Options) { o.Closed = closed })
	web := httptest.NewServer(s)
	defer web.Close()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/v1/queue/live", nil)
	r.Header.Set("Authorization", "Bearer lan")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() (event, data string) {
		for lines.Scan() {
			if after, is := strings.CutPrefix(lines.Text(), "event: "); is {
				event = after
			}
			if after, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return event, after
			}
		}
		return "", ""
	}
	if event, _ := next(); event != "ready" {
		t.Fatalf("%q first", event)
	}
	s.report(t, append(coordinates(geotest.At(1000)), "service_code", "crowding")...)
	smoke := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "smoke", "phone", "0912")...)
	if event, data := next(); event != "report" || !strings.Contains(data, smoke.ID) || strings.Contains(data, "0912") {
		t.Errorf("%s %s", event, data)
	}
	close(closed)
	if lines.Scan(); lines.Text() != "" || lines.Scan() {
		t.Errorf("the stream goes on: %s", lines.Text())
	}
}

func TestRetentionDeletesContactsAndOldReports(t *testing.T) {
	s := newServer(t, nil)
	old := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "smoke", "phone", "0912")...)
	done := *old
	done.Status = nhip.ReportClosed
	s.state.SetReport(old.ID, &done, 2)
	open := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "noise", "phone", "0913")...)
	keep := Retention{
		Reports: s.state, Store: s.store, Clock: s.clock, KeepContact: 24 * time.Hour,
		Failed: func(id string, err error) { t.Error(id, err) },
	}
	keep.sweep(t.Context())
	if n, contacts := s.state.Len(); n != 2 || contacts != 2 {
		t.Errorf("%d reports, %d contacts", n, contacts)
	}
	s.clock.Set(s.clock.Now().Add(25 * time.Hour))
	keep.sweep(t.Context())
	if n, contacts := s.state.Len(); n != 2 || contacts != 0 {
		t.Errorf("after a day: %d reports, %d contacts", n, contacts)
	}
	s.clock.Set(s.clock.Now().Add(keepClosed))
	keep.sweep(t.Context())
	if _, stays := s.state.Report(open.ID); !stays {
		t.Error("an open report is removed")
	}
	if _, stays := s.state.Report(old.ID); stays {
		t.Error("an old closed report stays")
	}
}
