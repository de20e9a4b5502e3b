package open311

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/air"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/reports"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/zone"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
)

// emptyHistory is a history without rows.
type emptyHistory struct{}

func (emptyHistory) Fleet(context.Context, time.Time, time.Time, func(nhip.Position) error) error {
	return nil
}

func (emptyHistory) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nil
}

func (emptyHistory) HourlyRollups(context.Context, time.Time, time.Time, func(*nhip.Rollup) error) error {
	return nil
}

func (emptyHistory) StationReadings(
	context.Context, string, time.Time, time.Time, func(*nhip.AssessedReading) error,
) error {
	return nil
}

// fakeStore applies changes to the state at once. It fails with fault if that is set.
type fakeStore struct {
	state *reports.State

	mu    sync.Mutex
	fault error
	by    access.Caller // of the last change
}

func (s *fakeStore) SetReport(_ context.Context, r *nhip.CitizenReport, version int64, by access.Caller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by = by
	if s.fault != nil {
		return s.fault
	}
	if e, _ := s.state.Report(r.ID); e.Version != version {
		return nhip.Errorf(nhip.CodeConflict, "version", "has changed")
	}
	s.state.SetReport(r.ID, r, version+1)
	return nil
}

func (s *fakeStore) SetContact(_ context.Context, id string, c *nhip.ReportContact, _ access.Caller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	s.state.SetContact(id, c, 1)
	return nil
}

func (s *fakeStore) RemoveReport(_ context.Context, id string, _ access.Caller) error {
	s.state.SetReport(id, nil, 0)
	return nil
}

// fakePhotos keeps photos in memory.
type fakePhotos struct{ sync.Map }

func (p *fakePhotos) Put(_ context.Context, report string, jpeg []byte) error {
	p.Store(report, jpeg)
	return nil
}

func (p *fakePhotos) Get(_ context.Context, report string) ([]byte, error) {
	if jpeg, ok := p.Load(report); ok {
		return jpeg.([]byte), nil
	}
	return nil, nhip.Errorf(nhip.CodeNotFound, "report", "no photo")
}

func (p *fakePhotos) Remove(_ context.Context, report string) error {
	p.Delete(report)
	return nil
}

// fakeCallers knows callers by their keys.
type fakeCallers map[string]access.Caller

func (f fakeCallers) Authenticate(r *http.Request) (access.Caller, access.Outcome) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c, known := f[key]; known {
		return c, access.Allowed
	}
	return access.Public, access.Refused
}

// server is a Handler with models: a line of stops, a bus at the third, monitors in Hanoi and a zone.
type server struct {
	http.Handler
	h      *Handler
	store  *fakeStore
	photos *fakePhotos
	state  *reports.State
	live   *live.State
	clock  *livetest.Clock
}

const appKey = "app-key"

// zoneAround returns a square zone.
func zoneAround(id string, p orb.Point, half float64) zone.Zone {
	box := orb.Bound{Min: orb.Point{p[0] - half, p[1] - half}, Max: orb.Point{p[0] + half, p[1] + half}}
	return zone.Zone{
		Kind: "district", ID: id, Name: nhip.LocalizedText{Vi: "Quận " + id, En: "District " + id},
		Area: orb.MultiPolygon{box.ToPolygon()},
	}
}

// inZones finds zones for scopes.
type inZones []zone.Zone

func (z inZones) HasZone(string) bool { return true }

func (z inZones) InZone(name string, p orb.Point) bool {
	for _, one := range zone.New(z).All(livetest.Noon) {
		if one.Kind+"/"+one.ID == name {
			return one.Contains(p)
		}
	}
	return false
}

func newServer(t testing.TB, callers fakeCallers, change ...func(*Options)) *server {
	t.Helper()
	clock, log := livetest.NewClock(livetest.Noon), slog.New(slog.DiscardHandler)
	tm := transit.New(transit.Options{
		Clock: clock, History: emptyHistory{}, Network: network.New(geotest.Line(21, 15*time.Minute)), Logger: log,
	})
	state := live.New(live.Options{Clock: clock, History: emptyHistory{}, LineOf: tm.Line, Logger: log})
	zones := zone.New([]zone.Zone{zoneAround("ba-dinh", geotest.At(1000), 0.01)})
	am := air.New(air.Options{
		Clock: clock, State: state, History: emptyHistory{}, Zones: zones, Interval: time.Nanosecond, Logger: log,
	})
	for _, o := range []live.Observer{tm, am} {
		state.Observe(o)
	}
	livetest.ReceiveMonitors(t, state)
	at := geotest.At(1000)
	livetest.Receive(t, state, topics.LiveBusTopic("transerco", "29B-123.45"), nhip.Bus{
		ID: "29B-123.45", Agency: "transerco", Time: clock.Now(), Lat: at.Lat(), Lon: at.Lon(), Line: "32",
	})
	s := &server{state: reports.NewState(), photos: new(fakePhotos), live: state, clock: clock}
	s.store = &fakeStore{state: s.state}
	if callers == nil {
		callers = fakeCallers{}
	}
	callers[appKey] = access.Caller{Name: "an app", Key: "app1", Role: nhip.RoleApp}
	o := Options{
		Reports: s.state, Store: s.store, Photos: s.photos, Around: Surroundings{tm, am, state}, Callers: callers,
		Clock: clock, Zone: geotest.TimeZone, Limits: Limits{PerAddress: 100, PerHour: 1000},
		Metrics:   prometheus.NewRegistry(),
		Responder: rest.Responder{Logger: log, Ready: func() bool { return true }},
	}
	for _, c := range change {
		c(&o)
	}
	s.h = New(o)
	r := chi.NewRouter()
	r.Use(s.h.Authenticate(callers))
	s.h.Routes(r)
	s.h.PhotoRoutes(r)
	s.h.WorkRoutes(r)
	s.Handler = r
	return s
}

// do sends a request. header holds names and values in turn.
func (s *server) do(method, path, contentType string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *server) get(path string, header ...string) *httptest.ResponseRecorder {
	return s.do(http.MethodGet, path, "", nil, header...)
}

const formType = "application/x-www-form-urlencoded"

// post sends a form in JSON format; fields holds names and values in turn.
func (s *server) post(fields ...string) *httptest.ResponseRecorder {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return s.do(http.MethodPost, "/open311/v2/requests.json", formType, strings.NewReader(values.Encode()))
}

// report sends a form of an app and returns the report.
func (s *server) report(t testing.TB, fields ...string) *nhip.CitizenReport {
	t.Helper()
	w := s.post(append([]string{"api_key", appKey}, fields...)...)
	var out []struct {
		ID string `json:"service_request_id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusCreated || len(out) != 1 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	e, ok := s.state.Report(out[0].ID)
	if !ok {
		t.Fatalf("%s is not kept", out[0].ID)
	}
	return e.Report
}

// staff returns a caller.
func staff(role nhip.Role, limits nhip.Scope, zones scope.Zones) access.Caller {
	return access.Caller{Name: string(role), Key: string(role), Role: role, View: scope.New(limits, zones)}
}

var (
	reportsAll reports.Filter
	httpAddr   = netip.MustParseAddr("192.0.2.1")
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// newBody returns a POST request for a report.
func newBody(contentType string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/open311/v2/requests.json", bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// newPost returns a POST request of a form.
func newPost(values url.Values) *http.Request { return newBody(formType, []byte(values.Encode())) }
