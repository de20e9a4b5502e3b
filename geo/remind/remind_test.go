package remind_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/remind"
	"nhip/geo/track"
)

// The trip T0-0 leaves its first stop at 06:00 and needs 90 s to each next one.
var start = time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).UTC()

func after(d time.Duration) time.Time { return start.Add(d) }

// city is a city with the line of geotest, and one bus on its first trip that is between stops 2 and 3 at 06:04.
type city struct {
	remind.City

	bus *remind.Bus // nil: it is gone
}

func newCity(t *testing.T) *city {
	t.Helper()
	n := network.New(geotest.Line(10, 10*time.Minute))
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
	state := track.State{
		Time: after(4 * time.Minute), Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip, Next: 3,
		Along: (trip.Pattern.Along[2] + trip.Pattern.Along[3]) / 2, Confidence: 1,
	}
	fleet := board.NewFleet(n, predict.New(n), func(*network.TripInstance) bool { return true })
	x := &city{bus: &remind.Bus{Vehicle: fleet.Move("29B-1", &state), Agency: "hanoi", ID: "29B-1", Reports: true}}
	// expected at stop 5 at 06:08, between 06:07 and 06:10
	x.bus.Ahead = []predict.StopPrediction{{
		Index: 5, P10: after(7 * time.Minute), Expected: after(8 * time.Minute), P50: after(9 * time.Minute),
		P90: after(10 * time.Minute),
	}}
	x.City = remind.City{
		Network: n, Fleet: fleet, Zone: geotest.TimeZone,
		On: func(p *network.Pattern) []*remind.Bus {
			if x.bus != nil && x.bus.State.Pattern == p {
				return []*remind.Bus{x.bus}
			}
			return nil
		},
		Of:  func(*board.Vehicle) *remind.Bus { return x.bus },
		Bus: func(string, string) *remind.Bus { return x.bus },
	}
	return x
}

// at decides a reminder at a time.
func (x *city) at(d time.Duration, r *nhip.Reminder) remind.Decision {
	c := x.City
	c.Now = after(d)
	return remind.Decide(r, &c)
}

func busReminder(minutes int) *nhip.Reminder {
	return &nhip.Reminder{Kind: nhip.ReminderBus, Stop: "S5", Route: "01", Minutes: minutes, Lang: "en"}
}

// TestBusFiresOnItsEarlyEnd: the bus may be there at 06:07.
func TestBusFiresOnItsEarlyEnd(t *testing.T) {
	x := newCity(t)
	r := busReminder(2)
	r.Route = x.Network.Patterns[0].Route.ID
	for _, c := range []struct {
		at    time.Duration
		state nhip.ReminderState
	}{
		{4 * time.Minute, nhip.ReminderWaiting},
		{5*time.Minute - time.Second, nhip.ReminderWaiting},
		{5 * time.Minute, nhip.ReminderFired},
		{9 * time.Minute, nhip.ReminderFired}, // a restart took long: the bus may still come
		{10*time.Minute + time.Second, nhip.ReminderWaiting},
	} {
		d := x.at(c.at, r)
		if d.State != c.state {
			t.Errorf("at %v: %+v", c.at, d)
		}
	}
	d := x.at(4*time.Minute, r)
	if !d.Fires.Equal(after(5 * time.Minute)) {
		t.Errorf("fires %v", d.Fires)
	}
	if n := x.at(5*time.Minute, r).Notification; n.Vehicle != "29B-1" || n.Minutes.Or(-1) != 2 || n.Body == "" ||
		!n.Early.Equal(after(7*time.Minute)) {
		t.Errorf("%+v", n)
	}
}

func TestGetOffFires(t *testing.T) {
	x := newCity(t)
	r := &nhip.Reminder{Kind: nhip.ReminderGetOff, Stop: "S5", Agency: "hanoi", Vehicle: "29B-1", Stops: 3, Lang: "vi"}
	if d := x.at(4*time.Minute, r); d.State != nhip.ReminderFired || d.Notification.Left.Or(-1) != 3 {
		t.Errorf("three stops before: %+v", d)
	}
}

// TestLeaveSkipsABusThatCannotBeCaught: the walk takes four minutes, and the bus comes between 06:07 and 06:10.
func TestLeaveSkipsABusThatCannotBeCaught(t *testing.T) {
	x := newCity(t)
	r := busReminder(0)
	r.Kind, r.Walk, r.Route = nhip.ReminderLeave, 240, x.Network.Patterns[0].Route.ID
	for _, c := range []struct {
		at    time.Duration
		state nhip.ReminderState
	}{
		{2*time.Minute - time.Second, nhip.ReminderWaiting},
		{2 * time.Minute, nhip.ReminderFired}, // a minute of slack
		{6 * time.Minute, nhip.ReminderFired}, // it may be late
		{6*time.Minute + time.Second, nhip.ReminderWaiting},
	} {
		if d := x.at(c.at, r); d.State != c.state {
			t.Errorf("at %v: %+v", c.at, d)
		}
	}
	if n := x.at(2*time.Minute, r).Notification; !n.Leave.Equal(after(3 * time.Minute)) {
		t.Errorf("leave at %v", n.Leave)
	}
}

// TestBusesThatDoNotCount: silent, another one, another direction or destination, and one whose trip is called off.
func TestBusesThatDoNotCount(t *testing.T) {
	for name, change := range map[string]func(*city, *nhip.Reminder){
		"silent":                   func(x *city, _ *nhip.Reminder) { x.bus.Reports = false },
		"unsure":                   func(x *city, _ *nhip.Reminder) { x.bus.State.Confidence = 0.4 },
		"the operator says no":     func(x *city, _ *nhip.Reminder) { x.Off = calledOff },
		"another destination":      func(_ *city, r *nhip.Reminder) { r.Headsign = "elsewhere" },
		"another direction":        func(_ *city, r *nhip.Reminder) { r.Direction = nhip.Some(1) },
		"another trip":             func(_ *city, r *nhip.Reminder) { r.Trip = "T1-0" },
		"another line":             func(_ *city, r *nhip.Reminder) { r.Route = "other" },
		"the last stop":            func(_ *city, r *nhip.Reminder) { r.Stop = "S9" },
		"no timetable":             func(x *city, _ *nhip.Reminder) { x.Network = nil },
		"a stop that is not there": func(_ *city, r *nhip.Reminder) { r.Stop = "gone" },
	} {
		x := newCity(t)
		r := busReminder(30)
		r.Route = x.Network.Patterns[0].Route.ID
		change(x, r)
		if d := x.at(5*time.Minute, r); d.State != nhip.ReminderWaiting || !d.Fires.IsZero() {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func calledOff(*network.TripInstance, int) bool { return true }

// TestReminderOfOneBusEnds: it is gone, or past the stop.
func TestReminderOfOneBusEnds(t *testing.T) {
	x := newCity(t)
	r := busReminder(2)
	r.Route, r.Agency, r.Vehicle = x.Network.Patterns[0].Route.ID, "hanoi", "29B-1"
	if d := x.at(4*time.Minute, r); d.State != nhip.ReminderWaiting || d.Fires.IsZero() {
		t.Errorf("on the way: %+v", d)
	}
	x.bus.State.Next, x.bus.Ahead = 7, nil
	if d := x.at(9*time.Minute, r); d.State != nhip.ReminderEnded || d.Notification.Reason != nhip.ReminderReasonOver {
		t.Errorf("past the stop: %+v", d)
	}
	x.bus = nil
	if d := x.at(9*time.Minute, r); d.State != nhip.ReminderEnded || d.Notification.Reason != nhip.ReminderReasonGone {
		t.Errorf("gone: %+v", d)
	}
	off := &nhip.Reminder{Kind: nhip.ReminderGetOff, Stop: "S5", Agency: "hanoi", Vehicle: "29B-1", Stops: 1, Lang: "vi"}
	if d := x.at(9*time.Minute, off); d.State != nhip.ReminderEnded {
		t.Errorf("to get off, gone: %+v", d)
	}
}

func TestGetOffByTimeAndPastTheStop(t *testing.T) {
	x := newCity(t)
	x.bus.Reports = false // rides on in a tunnel
	r := &nhip.Reminder{Kind: nhip.ReminderGetOff, Stop: "S5", Agency: "hanoi", Vehicle: "29B-1", Minutes: 2, Lang: "vi"}
	if d := x.at(5*time.Minute-time.Second, r); d.State != nhip.ReminderWaiting || !d.Fires.Equal(after(5*time.Minute)) {
		t.Errorf("early: %+v", d)
	}
	if d := x.at(5*time.Minute, r); d.State != nhip.ReminderFired {
		t.Errorf("in time: %+v", d)
	}
	x.bus.State.Next, x.bus.Ahead = 7, nil
	if d := x.at(9*time.Minute, r); d.State != nhip.ReminderFired || d.Notification.Reason != nhip.ReminderReasonPassed {
		t.Errorf("past the stop: %+v", d)
	}
}

// TestLineFiresForAlertsThatTouchIt has alerts about other things, and one that is over.
func TestLineFiresForAlertsThatTouchIt(t *testing.T) {
	x := newCity(t)
	route := x.Network.Patterns[0].Route
	r := &nhip.Reminder{Kind: nhip.ReminderLine, Route: route.ID, Direction: nhip.Some(0), Lang: "vi"}
	about := func(e nhip.InformedEntity) *nhip.ServiceAlert {
		return &nhip.ServiceAlert{
			Feed: "f", ID: "1", Informed: []nhip.InformedEntity{e},
			Header: []nhip.Translation{{Language: "en", Text: "Detour"}, {Language: "vi", Text: "Đổi lộ trình"}},
		}
	}
	trip := x.Network.Patterns[0].Trips[0].ID
	over := about(nhip.InformedEntity{Route: route.ID})
	over.Periods = []nhip.Period{{To: after(0)}}
	for name, c := range map[string]struct {
		alert *nhip.ServiceAlert
		fires bool
	}{
		"the line":          {about(nhip.InformedEntity{Route: route.ID}), true},
		"its agency":        {about(nhip.InformedEntity{Agency: route.Agency.ID}), true},
		"a stop of it":      {about(nhip.InformedEntity{Stop: "S3"}), true},
		"a trip of it":      {about(nhip.InformedEntity{Trip: trip}), true},
		"all buses":         {about(nhip.InformedEntity{RouteType: nhip.Some(route.Type)}), true},
		"another line":      {about(nhip.InformedEntity{Route: "other"}), false},
		"another agency":    {about(nhip.InformedEntity{Agency: "other"}), false},
		"another stop":      {about(nhip.InformedEntity{Stop: "elsewhere"}), false},
		"another direction": {about(nhip.InformedEntity{Route: route.ID, Direction: nhip.Some(1)}), false},
		"trams":             {about(nhip.InformedEntity{RouteType: nhip.Some(0)}), false},
		"one that is over":  {over, false},
		"nothing":           {about(nhip.InformedEntity{}), false},
	} {
		x.Alerts = func() []*nhip.ServiceAlert { return []*nhip.ServiceAlert{c.alert} }
		d := x.at(time.Minute, r)
		if fired := d.State == nhip.ReminderFired; fired != c.fires {
			t.Errorf("%s: %+v", name, d)
		} else if fired && (d.Notification.Body != "Đổi lộ trình" || d.Notification.Alert != "f/1") {
			t.Errorf("%s: %+v", name, d.Notification)
		}
	}
}

// TestAirFiresAboveALevel has the hourly mean of a station, good, suspect and old.
func TestAirFiresAboveALevel(t *testing.T) {
	x := newCity(t)
	s := &nhip.Station{ID: "s", Hours: &nhip.HourlyMeans{
		End: after(0), Means: map[nhip.Quantity][]nhip.Opt[float64]{nhip.PM25: {nhip.Some(80.0)}},
	}}
	x.Station = func(string) *nhip.Station { return s }
	r := &nhip.Reminder{Kind: nhip.ReminderAir, Station: "s", Quantity: nhip.PM25, Above: 79.9, Lang: "en"}
	if d := x.at(0, r); d.State != nhip.ReminderFired || d.Notification.Value.Or(0) != 80 {
		t.Errorf("above: %+v", d)
	}
	r.Above = 80
	if d := x.at(0, r); d.State != nhip.ReminderWaiting || d.Notification.Value.Or(0) != 80 {
		t.Errorf("not above: %+v", d)
	}
	r.Above = 1
	if d := x.at(3*time.Hour, r); d.State != nhip.ReminderWaiting {
		t.Errorf("old: %+v", d)
	}
	s.Hours.SuspectQuantities, s.Hours.Suspect = []nhip.Quantity{nhip.PM25}, true
	if d := x.at(0, r); d.State != nhip.ReminderWaiting {
		t.Errorf("suspect: %+v", d)
	}
	for _, nothing := range []*nhip.Reminder{
		{Kind: nhip.ReminderAir, Stop: "S1", Scale: nhip.ScaleVNAQI, Lang: "vi"},
		{Kind: nhip.ReminderAir, Place: &nhip.ReminderPlace{Lat: 21, Lon: 105}, Scale: nhip.ScaleVNAQI, Lang: "vi"},
	} {
		if d := x.at(0, nothing); d.State != nhip.ReminderWaiting || d.Notification.Value.Known() {
			t.Errorf("without a field: %+v", d)
		}
	}
}
