package open311

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nhip"
	"nhip/api/access"
	"nhip/api/reports"
	"nhip/geo/geotest"
)

// take reports a problem as a client of another standard, and returns the reports that are kept.
func (s *server) take(t *testing.T, p reports.Problem, by ...access.Caller) ([]reports.Entry, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/api/where/report-problem-with-stop.json", nil)
	for _, c := range by {
		r = access.WithCaller(r, c, access.Allowed)
	}
	err := s.h.TakeProblem(r, &p)
	all, _ := s.state.List(&reports.Filter{Reader: &reports.Reader{Role: nhip.RoleDispatcher}}, 0, 10)
	return all, err
}

func TestProblemsBecomeReports(t *testing.T) {
	s := newServer(t, nil)
	late := reports.Problem{
		Service: reports.ServiceNoBus, Code: "vehicle_came_late", Stop: "S2", Bus: "transerco/29B-123.45", Line: "32",
		Text: " trễ\x07 ", Device: "one", Attributes: map[string]string{
			reports.AttributeTrip: "T7-0", reports.AttributeVehicleNumber: "",
		},
	}
	all, err := s.take(t, late)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	r := all[0].Report
	if r.Place != nhip.ReportAtStop || metresFrom(r, geotest.At(1000)) > 1 || r.Text != "trễ" || r.App != "" ||
		r.Known.Bus == nil || !r.Known.Bus.Named || r.Attributes["problem"][0] != "vehicle_came_late" ||
		r.Attributes["trip"][0] != "T7-0" || r.Attributes["vehicle_number"] != nil {
		t.Errorf("%+v", r)
	}
	if _, contacts := s.state.Len(); contacts > 0 {
		t.Error("the installation of the app is kept")
	}
	if all, err = s.take(t, late); err != nil || len(all) != 1 {
		t.Errorf("the same again: %d, %v", len(all), err)
	}
	for _, change := range []func(*reports.Problem){
		func(p *reports.Problem) { p.Code = "other" }, func(p *reports.Problem) { p.Device = "two" },
		func(p *reports.Problem) { p.Attributes = map[string]string{reports.AttributeTrip: "T8-0"} },
	} {
		other := late
		change(&other)
		if more, err := s.take(t, other); err != nil || len(more) != len(all)+1 {
			t.Errorf("%+v: %d, %v", other, len(more), err)
		} else {
			all = more
		}
	}
}

// TestProblemsHaveTheLimitsOfReports: a session's cookie makes nobody a sender, because any page can send a GET with
// it.
func TestProblemsHaveTheLimitsOfReports(t *testing.T) {
	s := newServer(t, nil, func(o *Options) { o.Limits.PerAddress = 1 })
	stop := reports.Problem{Service: reports.ServiceWrongInformation, Code: "stop_name_wrong", Stop: "S2"}
	hoa := access.Caller{Name: "Hoa", Key: "oidc:1", Role: nhip.RoleAdmin, Session: "s"}
	if _, err := s.take(t, stop, hoa); err != nil {
		t.Error(err)
	}
	if s.store.by.Name != "" {
		t.Errorf("reported by %+v", s.store.by)
	}
	stop.Code = "other"
	if _, err := s.take(t, stop); nhip.ErrorCode(err) != nhip.CodeTooMany {
		t.Errorf("beyond the limit: %v", err)
	}
	s = newServer(t, nil)
	stop.Text = strings.Repeat("x", nhip.MaxReportText+1)
	if _, err := s.take(t, stop); nhip.ErrorCode(err) != nhip.CodeInvalid ||
		!strings.HasPrefix(err.Error(), "userComment") {
		t.Errorf("a long text: %v", err)
	}
	stop.Text = ""
	if all, err := s.take(t, stop, access.Caller{Name: "an app", Key: "app1", Role: nhip.RoleApp}); err != nil ||
		all[0].Report.App != "app1" {
		t.Errorf("of an app: %+v, %v", all, err)
	}
}

// TestProblemWithoutAPlace is about a trip without a stop and a bus: those who handle its agency see it.
func TestProblemWithoutAPlace(t *testing.T) {
	s := newServer(t, nil)
	all, err := s.take(t, reports.Problem{
		Service: reports.ServiceNoBus, Code: "vehicle_never_came", Agency: "HN", Line: "01",
	})
	if err != nil || len(all) != 1 || all[0].Report.Place != nhip.ReportNowhere || all[0].Report.Known.Agency != "HN" {
		t.Errorf("%+v, %v", all, err)
	}
}
