package oba_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nhip/api/citytest"
	"nhip/api/oba"
	"nhip/api/reports"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// problems keeps what is reported.
type problems []*reports.Problem

func (p *problems) TakeProblem(_ *http.Request, x *reports.Problem) error {
	*p = append(*p, x)
	return nil
}

func newReportingClient(t *testing.T) (*client, *problems) {
	t.Helper()
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	taken := new(problems)
	h := &oba.Handler{
		Transit: city.Transit, Live: city.Live, Clock: city.Clock, Problems: taken, Responder: city.Responder,
	}
	r := chi.NewRouter()
	r.Use(middleware.GetHead)
	h.ReportRoutes(r)
	return &client{r, readContract(t)}, taken
}

// TestProblemsAreTaken reports problems as the apps do: Android names the element in a parameter, iOS and the contract
// name it in the path.
func TestProblemsAreTaken(t *testing.T) {
	c, taken := newReportingClient(t)
	for _, x := range []struct {
		path  string
		query []string
		want  reports.Problem
	}{
		{
			"report-problem-with-stop",
			[]string{
				"stopId", "HN_S3", "code", "stop_name_wrong", "data", `{"code":"stop_name_wrong"}`, "userComment", "Sai tên",
				"userLat", "21.01", "userLon", "105.8", "userLocationAccuracy", "12", "app_uid", "u", "key", "TEST",
			},
			reports.Problem{Service: "wrong-information", Code: "stop_name_wrong", Stop: "S3", Text: "Sai tên", Device: "u"},
		},
		{
			"report-problem-with-stop/HN_S3",
			[]string{"data", `{"code":"route_or_trip_missing"}`},
			reports.Problem{Service: "wrong-information", Code: "route_or_trip_missing", Stop: "S3"},
		},
		{"report-problem-with-stop/HN_S3", nil, reports.Problem{Service: "bus-other", Code: "other", Stop: "S3"}},
		{
			"report-problem-with-trip",
			[]string{
				"tripId", "HN_T7-0", "serviceDate", "1772384400000", "code", "vehicle_never_came", "userOnVehicle", "false",
			},
			reports.Problem{
				Service: "no-bus", Code: "vehicle_never_came", Bus: "hanoibus/29B-1", Line: "01", Agency: "HN",
				Attributes: map[string]string{"trip": "T7-0", "service_date": "20260302", "on_bus": "no"},
			},
		},
		{
			"report-problem-with-trip/HN_T8-0",
			[]string{
				"stopID", "HN_S9", "vehicleID", "HN_29B-9", "code", "vehicle_does_not_stop_here",
			},
			reports.Problem{
				Service: "skipped-stop", Code: "vehicle_does_not_stop_here", Stop: "S9", Line: "01", Agency: "HN",
				Attributes: map[string]string{"trip": "T8-0", "service_date": "20260302", "vehicle_number": "HN_29B-9"},
			},
		},
	} {
		if a := c.get(t, x.path, x.query...); a.Code != http.StatusOK {
			t.Errorf("%s %v: %d %s", x.path, x.query, a.Code, a.Text)
			continue
		}
		got := (*taken)[len(*taken)-1]
		for code, want := range x.want.Attributes {
			if got.Attributes[code] != want {
				t.Errorf("%s: %s is %q", x.path, code, got.Attributes[code])
			}
		}
		got.Attributes, x.want.Attributes = nil, nil
		if got.Service != x.want.Service || got.Code != x.want.Code || got.Stop != x.want.Stop || got.Bus != x.want.Bus ||
			got.Line != x.want.Line || got.Agency != x.want.Agency || got.Text != x.want.Text || got.Device != x.want.Device {
			t.Errorf("%s %v: %+v", x.path, x.query, got)
		}
	}
}

func TestBadProblemsAreRefused(t *testing.T) {
	c, taken := newReportingClient(t)
	for query, want := range map[string]int{
		"report-problem-with-stop.json?code=other":                              http.StatusBadRequest,
		"report-problem-with-stop.json?stopId=HN_S99&code=other":                http.StatusNotFound,
		"report-problem-with-stop/HN_S3.json?code=vehicle_never_came":           http.StatusBadRequest,
		"report-problem-with-stop/HN_S3.json?data=x":                            http.StatusBadRequest,
		"report-problem-with-stop/HN_S3.json?userLat=91":                        http.StatusBadRequest,
		"report-problem-with-stop/HN_S3.json?userLon=east":                      http.StatusBadRequest,
		"report-problem-with-stop/HN_S3.json?userLocationAccuracy=-1":           http.StatusBadRequest,
		"report-problem-with-trip.json?code=other":                              http.StatusBadRequest,
		"report-problem-with-trip/HN_T99.json":                                  http.StatusNotFound,
		"report-problem-with-trip/HN_T7-0.json?stopId=HN_S99":                   http.StatusNotFound,
		"report-problem-with-trip/HN_T7-0.json?serviceDate=yesterday":           http.StatusBadRequest,
		"report-problem-with-trip/HN_T7-0.json?userOnVehicle=perhaps":           http.StatusBadRequest,
		"report-problem-with-trip/HN_T7-0.json?version=3":                       http.StatusBadRequest,
		"report-problem-with-trip/HN_T7-0.json?code=" + strings.Repeat("x", 99): http.StatusBadRequest,
	} {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/where/"+query, nil))
		if w.Code != want || !strings.Contains(w.Body.String(), `"code":`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/api/where/report-problem-with-stop/HN_S3.json", nil))
	if w.Code != http.StatusOK { // it asks whether the problem would be taken
		t.Errorf("HEAD: %d", w.Code)
	}
	if len(*taken) > 0 {
		t.Errorf("%d were taken", len(*taken))
	}
}

// TestFirstVersion asks for the form without references, in which elements hold those that they refer to.
func TestFirstVersion(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	c := newClient(t, city)
	for path, wants := range map[string][]string{
		"stop/HN_S3":                             {`"data":{"id":"HN_S3"`, `"routes":[{"id":"HN_R1"`, `"agency":{"id":"HN"`},
		"route/HN_R1":                            {`"data":{"id":"HN_R1"`, `"agency":{"id":"HN"`},
		"agency/HN":                              {`"data":{"id":"HN"`},
		"agencies-with-coverage":                 {`"data":[{"agency":{"id":"HN"`},
		"current-time":                           {`"data":{"readableTime":`},
		"arrivals-and-departures-for-stop/HN_S3": {`"data":{"stop":{"id":"HN_S3"`, `"nearbyStops":[`},
		"stops-for-location":                     {`"stops":[{"id":"HN_S`},
		"routes-for-location":                    {`"routes":[{"id":"HN_R1"`},
		"stop-ids-for-agency/HN":                 {`"list":["HN_S`},
	} {
		query := url.Values{"version": {"1"}, "lat": {"21"}, "lon": {"105.8"}, "latSpan": {"1"}, "lonSpan": {"1"}}
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/where/"+path+".json?"+query.Encode(), nil))
		for _, want := range append(wants, `"version":1`) {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) ||
				strings.Contains(w.Body.String(), "references") {
				t.Errorf("%s: %d without %s: %.300s", path, w.Code, want, w.Body)
			}
		}
	}
	for _, query := range []string{"version=1", "version=3", "version=two"} {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/where/trip-details/HN_T7-0.json?"+query, nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "unknown version") {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	a := c.get(t, "stop/HN_S3", "includeReferences", "false")
	if a.Code != http.StatusOK || a.Data.References == nil || len(a.Data.References.Routes) > 0 {
		t.Errorf("without references: %+v", a)
	}
}
