package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/network"
)

// written returns a published alert that is active at eight.
func written(n *network.Network, informed ...nhip.InformedEntity) *nhip.WrittenAlert {
	return &nhip.WrittenAlert{
		ID: "ABCDEFGH", Agency: AgencyID(n.Feed.Agencies[0]), Status: nhip.AlertPublished,
		Created: eight.Add(-time.Hour), Updated: eight.Add(-time.Hour), Cause: "ACCIDENT", Effect: "DETOUR", Severity: "INFO",
		Header:   nhip.LocalizedText{Vi: "Đi vòng", En: "Detour"},
		Periods:  []nhip.Period{{From: eight.Add(-time.Hour), To: eight.Add(time.Hour)}},
		Informed: informed,
	}
}

// write gives the model a written alert; nil removes it.
func write(t *testing.T, m *Model, a *nhip.WrittenAlert, version int64) {
	t.Helper()
	d := nhip.DocumentState{Kind: nhip.DocumentServiceAlert, ID: "ABCDEFGH", Version: version, By: "Lan"}
	if a != nil {
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		d.Body = raw
	}
	m.Written(d)
}

func TestWrittenAlertIsToldWhileItHolds(t *testing.T) {
	m, n := newModel(t)
	clock := m.o.Clock.(interface{ Set(time.Time) })
	stops := n.Patterns[0].Stops
	a := written(n, nhip.InformedEntity{Stop: stops[3].ID, SubstituteStop: stops[4].ID})
	write(t, m, a, 1)
	told := m.ServiceAlerts(Everything, false)
	if len(told) != 1 || !told[0].Active || told[0].Feed != nhip.WrittenFeed || told[0].Header[1].Text != "Detour" ||
		!strings.Contains(told[0].Description[1].Text, "Instead of the stop "+stops[3].Name) || !m.HasServiceAlerts() {
		t.Fatalf("%+v", told)
	}
	if got, ok := m.FindWritten("ABCDEFGH"); !ok || got.Version != 1 || got.By != "Lan" {
		t.Errorf("%+v %t", got, ok)
	}
	if feeds := m.ServiceFeeds(); len(feeds) > 0 {
		t.Errorf("feeds %v", feeds)
	}
	count := func(upcoming bool) int { return len(m.ServiceAlerts(Everything, upcoming)) }
	clock.Set(eight.Add(time.Hour - time.Second))
	if count(false) != 1 {
		t.Error("it ends too early")
	}
	clock.Set(eight.Add(time.Hour))
	if count(true) != 0 || m.HasServiceAlerts() {
		t.Error("it does not end by itself")
	}
	clock.Set(eight)
	a.Periods[0].From = eight.Add(time.Minute)
	write(t, m, a, 2)
	if count(false) != 0 || count(true) != 1 {
		t.Error("an upcoming alert is active, or is not told")
	}
	a.Ended = eight
	write(t, m, a, 3)
	if count(true) != 0 {
		t.Error("an ended alert is told")
	}
	a.Ended, a.Status = time.Time{}, nhip.AlertDraft
	write(t, m, a, 4)
	if count(true) != 0 || len(m.WrittenAlerts(func(a *nhip.WrittenAlert) bool { return true })) != 1 {
		t.Error("a draft is told")
	}
	write(t, m, nil, 5)
	if _, ok := m.FindWritten("ABCDEFGH"); ok {
		t.Error("a removed draft is there")
	}
	m.Written(nhip.DocumentState{ID: "ABCDEFGH", Body: json.RawMessage(`[]`)}) // is logged
}

func TestWrittenAlertIsAwaited(t *testing.T) {
	m, n := newModel(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.AwaitWritten(t.Context(), "ABCDEFGH", 2)
	}()
	write(t, m, written(n), 1)
	write(t, m, written(n), 2)
	<-done
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.AwaitWritten(ctx, "ABCDEFGH", 3)
}

func TestWrittenAlertsAreComparedWithTheTimetable(t *testing.T) {
	m, n := newModel(t)
	p := n.Patterns[0]
	route, stop, trip := p.Route.ID, p.Stops[3].ID, p.Trips[0].ID
	wrong := 1 - p.Direction.Or(0)
	unserved := func() bool { // in the other direction
		for _, q := range n.PatternsOf(p.Route) {
			if q.Direction == nhip.Some(wrong) {
				return false
			}
		}
		return true
	}()
	for _, c := range []struct {
		field string
		e     nhip.InformedEntity
	}{
		{"", nhip.InformedEntity{Agency: AgencyID(p.Route.Agency)}},
		{"", nhip.InformedEntity{Route: route, Direction: p.Direction}},
		{"", nhip.InformedEntity{Stop: stop, SubstituteStop: p.Stops[4].ID}},
		{"", nhip.InformedEntity{Stop: stop, Route: route}},
		{"", nhip.InformedEntity{Trip: trip, Route: route, Stop: stop}},
		{"", nhip.InformedEntity{RouteType: nhip.Some(p.Route.Type)}},
		{"informed[0].route", nhip.InformedEntity{Route: "nowhere"}},
		{"informed[0].stop", nhip.InformedEntity{Stop: "nowhere"}},
		{"informed[0].stop", nhip.InformedEntity{Stop: "nowhere", Trip: trip}},
		{"informed[0].trip", nhip.InformedEntity{Trip: "nowhere"}},
		{"informed[0].trip", nhip.InformedEntity{Trip: trip, Route: "nowhere"}},
		{"informed[0].route_type", nhip.InformedEntity{RouteType: nhip.Some(99)}},
		{"informed[0].substitute_stop", nhip.InformedEntity{Stop: stop, SubstituteStop: "nowhere"}},
	} {
		if c.field == "informed[0].trip" && c.e.Route == "nowhere" {
			c.field = "informed[0].route"
		}
		checkField(t, m.CheckWritten(written(n, c.e)), c.field)
	}
	if unserved {
		checkField(t, m.CheckWritten(written(n, nhip.InformedEntity{Route: route, Direction: nhip.Some(wrong)})),
			"informed[0].direction")
	}
	a := written(n)
	a.Agency = "nobody"
	checkField(t, m.CheckWritten(a), "agency")
}

func checkField(t *testing.T, err error, field string) {
	t.Helper()
	var known *nhip.Error
	switch {
	case field == "" && err != nil:
		t.Error(err)
	case field != "" && (!errors.As(err, &known) || known.Field != field || known.Code != nhip.CodeInvalid):
		t.Errorf("%v, want a fault of %s", err, field)
	}
}

// TestReachAgreesWithScopes: a stream of a stop or a line gets the alerts that its page shows.
func TestReachAgreesWithScopes(t *testing.T) {
	m, n := newModel(t)
	tt, _ := m.Timetable()
	p := n.Patterns[0]
	route, stop, trip := p.Route.ID, p.Stops[3].ID, p.Trips[0].ID
	for i, e := range []nhip.InformedEntity{
		{Agency: p.Route.Agency.ID},
		{Agency: "nobody"},
		{Route: route},
		{Route: "nowhere"},
		{Stop: stop},
		{Stop: "nowhere"},
		{Stop: stop, Route: route},
		{Stop: stop, Route: "nowhere"},
		{Trip: trip},
		{Trip: "nowhere"},
		{Trip: trip, Route: "x"},
		{RouteType: nhip.Some(p.Route.Type)},
		{RouteType: nhip.Some(99)},
		{Route: route, Direction: p.Direction},
		{Stop: stop, Direction: p.Direction},
		{Direction: p.Direction},
	} {
		a := written(n, e)
		write(t, m, a, int64(i+1))
		reach := m.Reach(m.ToldAlert(a))
		for _, s := range n.Feed.Stops {
			if want := len(m.ServiceAlerts(tt.StopScope(nil, s), false)) > 0; reach.ConcernsStop(s.ID) != want {
				t.Errorf("%+v: concerns the stop %s: %t", e, s.ID, !want)
			}
		}
		for _, r := range n.Feed.Routes {
			want := len(m.ServiceAlerts(tt.RouteScope(r), false)) > 0
			if reach.ConcernsLine(r.ID) != want || reach.ConcernsLine(r.ShortName) != want {
				t.Errorf("%+v: concerns the line %s: %t", e, r.ID, !want)
			}
		}
	}
	empty := New(Options{Clock: m.o.Clock})
	reach := empty.Reach(&nhip.ServiceAlert{Informed: []nhip.InformedEntity{{Route: "r"}, {Stop: "s"}}})
	if got := fmt.Sprint(reach.ConcernsLine("r"), reach.ConcernsStop("s"),
		reach.ConcernsLine("")); got != "true true false" {
		t.Errorf("without a timetable: %s", got)
	}
}
