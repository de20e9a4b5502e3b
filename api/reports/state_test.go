package reports

import (
	"fmt"
	"testing"
	"time"

	"nhip"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func report(id, service string, age time.Duration) *nhip.CitizenReport {
	return &nhip.CitizenReport{ID: id, Service: service, Status: nhip.ReportOpen, Received: noon.Add(-age)}
}

func TestListIsNewestFirstAndPaged(t *testing.T) {
	s := NewState()
	for i := range 5 {
		s.SetReport(fmt.Sprint(i), report(fmt.Sprint(i), "smoke", time.Duration(i)*time.Hour), 1)
	}
	s.SetReport("2", nil, 0)
	page, total := s.List(&Filter{}, 1, 2)
	if total != 4 || len(page) != 2 || page[0].Report.ID != "1" || page[1].Report.ID != "3" {
		t.Errorf("%v of %d", page, total)
	}
	if page, total = s.List(&Filter{}, 99, 2); total != 4 || len(page) != 0 {
		t.Errorf("beyond the end: %v of %d", page, total)
	}
	if page, _ = s.List(&Filter{From: noon.Add(-3 * time.Hour), To: noon.Add(-time.Hour)}, 0, 9); len(page) != 2 {
		t.Errorf("bounds are not included: %v", page)
	}
}

// TestSlowInboxKeepsTheLastOfEachReport changes a few reports more often than an inbox holds changes.
func TestSlowInboxKeepsTheLastOfEachReport(t *testing.T) {
	s := NewState()
	in, stop := s.Listen()
	for version := range int64(3 * maxPending) {
		id := fmt.Sprint(version % 3)
		s.SetReport(id, report(id, "smoke", 0), version)
	}
	<-in.Wake
	last := make(map[string]int64)
	changes := in.Take()
	for _, e := range changes {
		last[e.Report.ID] = e.Version
	}
	if len(changes) > maxPending+1 || last["0"] != 297 || last["1"] != 298 || last["2"] != 299 {
		t.Errorf("%d changes, last %v", len(changes), last)
	}
	stop()
	s.SetReport("0", report("0", "smoke", 0), 1000)
	if len(in.Take()) > 0 {
		t.Error("a closed inbox receives changes")
	}
}

func TestListenersAreBounded(t *testing.T) {
	s := NewState()
	for range maxListeners {
		if in, _ := s.Listen(); in == nil {
			t.Fatal("refused within the bound")
		}
	}
	if in, _ := s.Listen(); in != nil {
		t.Error("listeners have no bound")
	}
}

func TestServicesAreComplete(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range Services() {
		if seen[s.Code] || s.Name.Vi == "" || s.Name.En == "" || s.Description.Vi == "" || s.Description.En == "" {
			t.Errorf("%+v", s)
		}
		seen[s.Code] = true
		if permission := s.Group.Permission(); !nhip.RoleAdmin.May(permission) || nhip.RoleViewer.May(permission) {
			t.Errorf("%s: %s", s.Code, permission)
		}
		for _, a := range s.Attributes {
			if a.Text.Vi == "" || a.Text.En == "" || (a.Datatype == TypeList) != (len(a.Values) > 0) {
				t.Errorf("%s: %+v", s.Code, a)
			}
		}
	}
}
