package transit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/topics"
)

// say passes a trip update of a feed that is as old as age to a model.
func say(m *Model, age time.Duration, u nhip.TripUpdate) {
	u.Feed, u.Agency = "city", "hanoi"
	m.Service(topics.ServiceFeedTopic("city"), &nhip.ServiceFeed{Feed: "city", Agency: "hanoi", Time: eight.Add(-age)})
	m.Service(topics.ServiceTopic(topics.ServiceTrip, "city", u.Key()), &u)
}

// tripAt returns the trip that departs from the first stop a time after eight.
func tripAt(t *testing.T, n *network.Network, after time.Duration) *network.TripInstance {
	t.Helper()
	all := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	i := slices.IndexFunc(all, func(r *network.TripInstance) bool { return r.Departs(0) == eight.Add(after).Unix() })
	if i < 0 {
		t.Fatalf("no trip departs %s after eight", after)
	}
	return all[i]
}

// at returns the departures of a trip at a stop, by its index, in the next two hours.
func at(m *Model, n *network.Network, stop int, trip string) (out []Departure) {
	tt, _ := m.Timetable()
	for _, d := range tt.StopArrivals(n.Patterns[0].Stops[stop],
		BoardQuery{Now: eight.UTC(), Until: eight.Add(2 * time.Hour)}) {
		if d.Trip == trip {
			out = append(out, d)
		}
	}
	return out
}

// states returns the states of departures.
func states(all []Departure) (out []string) {
	for _, d := range all {
		out = append(out, d.State)
	}
	return out
}

func TestCanceledTripIsNotExpected(t *testing.T) {
	for _, c := range []struct {
		name  string
		age   time.Duration // of the feed
		after time.Duration // departure of the trip
		say   func(*nhip.TripUpdate)
		want  []string
	}{
		{"today", 0, 15 * time.Minute, func(*nhip.TripUpdate) {}, []string{stateCanceled}},
		{"without a day", 0, 15 * time.Minute, func(u *nhip.TripUpdate) { u.StartDate = "" }, []string{stateCanceled}},
		{"tomorrow", 0, 15 * time.Minute, func(u *nhip.TripUpdate) { u.StartDate = "20260303" }, []string{stateScheduled}},
		{"of a feed that is silent", 31 * time.Minute, 15 * time.Minute, func(*nhip.TripUpdate) {}, []string{stateScheduled}},
		{"that should be under way", 0, -15 * time.Minute, func(*nhip.TripUpdate) {}, []string{stateCanceled}},
		{"deleted", 0, 15 * time.Minute, func(u *nhip.TripUpdate) { u.Relationship = nhip.TripDeleted }, nil},
	} {
		m, n := newModel(t)
		trip := tripAt(t, n, c.after)
		u := nhip.TripUpdate{Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled}
		c.say(&u)
		say(m, c.age, u)
		got := at(m, n, 19, trip.Trip.ID)
		if !slices.Equal(states(got), c.want) || len(got) > 0 && got[0].Expected != nil {
			t.Errorf("a canceled trip %s: %v, want %v", c.name, states(got), c.want)
		}
	}
}

// TestCanceledTripTakesNoPlace: beside the next departure, a group has the canceled one before it.
func TestCanceledTripTakesNoPlace(t *testing.T) {
	m, n := newModel(t)
	trip, stop := tripAt(t, n, 15*time.Minute), n.Patterns[0].Stops[0]
	next := func() (all []string) {
		tt, _ := m.Timetable()
		q := BoardQuery{Now: eight.Add(time.Minute).UTC(), Until: eight.Add(time.Hour)}
		for _, g := range tt.Nearby(stop.Point, 10, 1, q) {
			if g.Direction == n.Patterns[0].Direction {
				all = append(all, states(g.Departures)...)
			}
		}
		return all
	}
	before := next()
	say(m, 0, nhip.TripUpdate{
		Trip: tripAt(t, n, 0).Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
	})
	if after := next(); len(before) != 1 || !slices.Equal(after, []string{stateCanceled, stateScheduled}) {
		t.Errorf("before %v, after %v", before, after)
	}
	say(m, 0, nhip.TripUpdate{Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled})
	if after := next(); !slices.Equal(after, []string{stateCanceled, stateCanceled}) {
		t.Errorf("of two that are canceled: %v", after)
	}
}

// TestCanceledTripOfBus: a bus that has signed on to a canceled trip is not promised, one that is only inferred to be
// on it is, without the trip.
func TestCanceledTripOfBus(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, -15*time.Minute)
	bus := addBus(m, trip, 3000)
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
	})
	got := at(m, n, 19, trip.Trip.ID)
	if len(got) != 1 || got[0].State != stateCanceled || got[0].Expected != nil || got[0].Vehicle == "" {
		t.Errorf("the bus of a canceled trip: %+v", got)
	}
	if m.Serves(bus)(19) {
		t.Error("the bus of a canceled trip can be caught")
	}
	m.Service(topics.ServiceTopic(topics.ServiceTrip, "city", trip.Trip.ID+"|"+geotest.Day.String()+"|"), nil)
	if got := at(m, n, 19, trip.Trip.ID); len(got) != 1 || got[0].State != stateLive || !m.Serves(bus)(19) {
		t.Errorf("the bus of a trip that runs again: %+v", got)
	}
}

func TestSkippedStop(t *testing.T) {
	m, n := newModel(t)
	waiting, driving := tripAt(t, n, 15*time.Minute), tripAt(t, n, -15*time.Minute)
	addBus(m, driving, 3000)
	stop := n.Patterns[0].Stops[19].ID
	for _, r := range []*network.TripInstance{waiting, driving} {
		say(m, 0, nhip.TripUpdate{
			Trip: r.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled,
			Stops: []nhip.StopUpdate{{Stop: stop, Relationship: nhip.StopSkipped}},
		})
		for i, want := range map[int]string{18: "", 19: stateSkipped, 20: ""} {
			got := at(m, n, i, r.Trip.ID)
			if len(got) != 1 || (got[0].State == stateSkipped) != (want == stateSkipped) ||
				want != "" && got[0].Expected != nil {
				t.Errorf("stop %d of %s: %+v", i, r.Trip.ID, got)
			}
		}
	}
}

func TestForecastOfTheOperator(t *testing.T) {
	for _, c := range []struct {
		name   string
		age    time.Duration
		update func(r *network.TripInstance) nhip.TripUpdate
		want   map[int]time.Duration // delay by stop; none: no forecast
	}{
		{"a delay is that of the stops after it", 0, func(r *network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Stops: []nhip.StopUpdate{
				{Stop: r.Pattern.Stops[5].ID, DepartureDelay: nhip.Some(120)},
				{Stop: r.Pattern.Stops[10].ID, Departure: nhip.Some(r.Departs(10) + 300)},
			}}
		}, map[int]time.Duration{4: 0, 5: 2 * time.Minute, 9: 2 * time.Minute, 10: 5 * time.Minute, 20: 5 * time.Minute}},
		{"by sequence, of the whole trip", 0, func(r *network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Delay: nhip.Some(60), Stops: []nhip.StopUpdate{
				{Sequence: nhip.Some(int(r.Trip.StopTimes[10].Sequence)), ArrivalDelay: nhip.Some(90)},
				{Stop: r.Pattern.Stops[15].ID, Relationship: nhip.StopNoData},
			}}
		}, map[int]time.Duration{1: time.Minute, 10: 90 * time.Second, 15: 0, 16: 0}},
		{"the last stop is reached", 0, func(r *network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Stops: []nhip.StopUpdate{{
				Stop: r.Pattern.Stops[20].ID, Arrival: nhip.Some(r.Arrives(20) + 60), Departure: nhip.Some(r.Arrives(20) + 600),
			}}}
		}, map[int]time.Duration{20: time.Minute}},
		{"of a silent feed", 11 * time.Minute, func(*network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Delay: nhip.Some(60)}
		}, map[int]time.Duration{1: 0, 20: 0}},
		{"measured long ago", 0, func(*network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Delay: nhip.Some(60), Time: eight.Add(-11 * time.Minute)}
		}, map[int]time.Duration{1: 0, 20: 0}},
		{"a time of another day", 0, func(r *network.TripInstance) nhip.TripUpdate {
			return nhip.TripUpdate{Stops: []nhip.StopUpdate{{Stop: r.Pattern.Stops[1].ID, Departure: nhip.Some(int64(1))}}}
		}, map[int]time.Duration{1: 0, 20: 0}},
	} {
		m, n := newModel(t)
		trip := tripAt(t, n, 15*time.Minute)
		u := c.update(trip)
		u.Trip, u.StartDate, u.Relationship = trip.Trip.ID, geotest.Day.String(), nhip.TripScheduled
		say(m, c.age, u)
		for stop, late := range c.want {
			got := at(m, n, stop, trip.Trip.ID)
			if len(got) != 1 {
				t.Fatalf("%s: %+v", c.name, got)
			}
			d := got[0]
			switch {
			case late == 0 && (d.State != stateScheduled || d.Expected != nil):
				t.Errorf("%s: stop %d: %s %v, want no forecast", c.name, stop, d.State, d.Expected)
			case late > 0 && (d.State != stateForecast || d.Expected.Sub(*d.Scheduled) != late):
				t.Errorf("%s: stop %d: %s %v, want a delay of %s", c.name, stop, d.State, d.Expected, late)
			}
		}
	}
}

// TestForecastOfLateTripIsListed: the trip should have left its stop long ago, and no bus reports.
func TestForecastOfLateTripIsListed(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, -30*time.Minute)
	if got := at(m, n, 1, trip.Trip.ID); len(got) != 0 {
		t.Fatalf("without a forecast: %+v", got)
	}
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled, Delay: nhip.Some(40 * 60),
	})
	if got := at(m, n, 1, trip.Trip.ID); len(got) != 1 || got[0].State != stateForecast {
		t.Errorf("with a forecast: %+v", got)
	}
}

func TestTripsBesideTheTimetable(t *testing.T) {
	m, n := newModel(t)
	trip, stops := tripAt(t, n, 15*time.Minute), n.Patterns[0].Stops
	in := func(minutes int) nhip.Opt[int64] {
		return nhip.Some(eight.Add(time.Duration(minutes) * time.Minute).Unix())
	}
	for _, u := range []nhip.TripUpdate{
		{Trip: "extra", Route: trip.Trip.Route.ID, Relationship: nhip.TripAdded, Stops: []nhip.StopUpdate{
			{Stop: stops[3].ID, Departure: in(7)},
			{Stop: stops[5].ID, Departure: in(9), Relationship: nhip.StopSkipped},
			{Stop: stops[9].ID, Arrival: in(12)},
		}},
		{
			Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripDuplicated,
			NewTrip: "again", NewDate: geotest.Day.String(), NewStart: "08:03", Delay: nhip.Some(60),
		},
	} {
		say(m, 0, u)
	}
	for _, c := range []struct {
		trip  string
		stop  int
		state string
		after time.Duration // eight
	}{
		{"extra", 3, stateForecast, 7 * time.Minute},
		{"extra", 5, stateSkipped, 0},
		{"extra", 9, stateForecast, 12 * time.Minute},
		{"again", 0, stateForecast, 4 * time.Minute},
		{"again", 20, stateForecast, 4*time.Minute + time.Duration(trip.Arrives(20)-trip.Departs(0))*time.Second},
	} {
		got := at(m, n, c.stop, c.trip)
		if len(got) != 1 || got[0].State != c.state || got[0].Line != LineOf(trip.Trip.Route) ||
			c.after > 0 && !got[0].Expected.Equal(eight.Add(c.after)) || got[0].Relationship == "" {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	tt, _ := m.Timetable()
	for _, g := range tt.Nearby(stops[9].Point, 100, 20, BoardQuery{Now: eight.UTC(), Until: eight.Add(time.Hour)}) {
		if slices.ContainsFunc(g.Departures, func(d Departure) bool { return d.Trip == "extra" }) {
			t.Errorf("a trip that ends at the stop departs: %+v", g.Departures)
		}
	}
	if got := at(m, n, 0, trip.Trip.ID); len(got) != 1 || got[0].State != stateScheduled {
		t.Errorf("the original of a duplicate: %+v", got)
	}
}

// TestReplacementHidesTheTimetable: the stops and times of the update stand for those of the timetable.
func TestReplacementHidesTheTimetable(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, 15*time.Minute)
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripReplacement,
		Stops: []nhip.StopUpdate{
			{Stop: n.Patterns[0].Stops[2].ID, Departure: nhip.Some(trip.Departs(2) + 600)},
			{Stop: n.Patterns[0].Stops[20].ID, Arrival: nhip.Some(trip.Arrives(20))},
		},
	})
	for stop, want := range map[int]int{2: 1, 3: 0, 20: 1} {
		if got := at(m, n, stop, trip.Trip.ID); len(got) != want || want > 0 && got[0].Relationship != nhip.TripReplacement {
			t.Errorf("stop %d: %+v", stop, got)
		}
	}
}

func TestServiceAlertsOfScopes(t *testing.T) {
	m, n := newModel(t)
	tt, _ := m.Timetable()
	route, stop := n.Patterns[0].Route, n.Patterns[0].Stops[3]
	m.Service(topics.ServiceFeedTopic("city"), &nhip.ServiceFeed{Feed: "city", Time: eight})
	tomorrow := nhip.Period{From: eight.Add(20 * time.Hour)}
	for i, c := range []struct {
		informed     nhip.InformedEntity
		period       nhip.Period
		feed         string
		stop, routes bool
	}{
		{informed: nhip.InformedEntity{Route: route.ID}, stop: true, routes: true},
		{informed: nhip.InformedEntity{Stop: stop.ID}, stop: true, routes: true},
		{informed: nhip.InformedEntity{Stop: n.Patterns[0].Stops[4].ID}, routes: true},
		{informed: nhip.InformedEntity{Stop: n.Patterns[0].Stops[4].ID, Route: route.ID}, routes: true},
		{informed: nhip.InformedEntity{Stop: stop.ID, Route: "another"}},
		{informed: nhip.InformedEntity{Agency: route.Agency.ID}, stop: true, routes: true},
		{informed: nhip.InformedEntity{RouteType: nhip.Some(route.Type)}, stop: true, routes: true},
		{informed: nhip.InformedEntity{RouteType: nhip.Some(99)}},
		{informed: nhip.InformedEntity{Trip: n.Patterns[0].Trips[0].ID}, routes: true},
		{informed: nhip.InformedEntity{Route: route.ID}, period: tomorrow},
		{informed: nhip.InformedEntity{Route: route.ID}, period: nhip.Period{To: eight}},
		{informed: nhip.InformedEntity{Route: route.ID}, feed: "silent"},
	} {
		a := &nhip.ServiceAlert{Feed: "city", ID: fmt.Sprint(i), Informed: []nhip.InformedEntity{c.informed}}
		if c.period != (nhip.Period{}) {
			a.Periods = []nhip.Period{c.period}
		}
		if c.feed != "" {
			a.Feed = c.feed
			m.Service(topics.ServiceFeedTopic(a.Feed), &nhip.ServiceFeed{Feed: a.Feed, Time: eight.Add(-25 * time.Hour)})
		}
		topic := topics.ServiceTopic(topics.ServiceAlert, a.Feed, a.ID)
		m.Service(topic, a)
		if got := len(m.ServiceAlerts(tt.StopScope(nil, stop), false)) > 0; got != c.stop {
			t.Errorf("%+v: of the stop %t, want %t", c.informed, got, c.stop)
		}
		if got := len(m.ServiceAlerts(tt.RouteScope(route), false)) > 0; got != c.routes {
			t.Errorf("%+v: of the route %t, want %t", c.informed, got, c.routes)
		}
		if upcoming := m.ServiceAlerts(Everything, true); c.period == tomorrow && (len(upcoming) != 1 || upcoming[0].Active) {
			t.Errorf("upcoming: %+v", upcoming)
		}
		m.Service(topic, nil)
	}
}
