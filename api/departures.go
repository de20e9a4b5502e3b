package api

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"

	"github.com/paulmach/orb"
)

// The states of a departure, in the words that riders are told.
const (
	stateLive      = "live"       // a bus reports, and is predicted
	stateStale     = "stale"      // a bus reported, and has been silent for too long
	stateScheduled = "scheduled"  // it has not begun; the timetable's word
	stateNoReport  = "no_report"  // it should be on its way, and no bus reports
	stateNotComing = "not_coming" // it should have begun long ago, and no bus reports
)

// How long a trip may be without a bus before that is said.
const (
	startGrace = 2 * time.Minute
	givenUp    = 30 * time.Minute
	dueGrace   = 30 * time.Second // a bus may be told as due for so long
)

// departure is a bus, or a promise of one, at a stop.
type departure struct {
	Route      string            `json:"route"`
	Line       string            `json:"line"`
	Headsign   string            `json:"headsign"`
	Direction  nhip.Opt[int]     `json:"direction,omitzero"`
	Trip       string            `json:"trip,omitempty"`
	Stop       string            `json:"stop"`
	State      string            `json:"state"`
	Scheduled  *time.Time        `json:"scheduled,omitempty"`
	Expected   *time.Time        `json:"expected,omitempty"`
	Early      *time.Time        `json:"early,omitempty"` // one bus in ten comes before
	Late       *time.Time        `json:"late,omitempty"`  // one bus in ten comes after
	Minutes    float64           `json:"minutes"`
	Agency     string            `json:"agency,omitempty"`
	Vehicle    string            `json:"vehicle,omitempty"`
	Time       *time.Time        `json:"time,omitempty"` // of the bus's fix
	Age        nhip.Opt[float64] `json:"age_s,omitzero"`
	StopsAway  nhip.Opt[int]     `json:"stops_away,omitzero"`
	Occupancy  nhip.Occupancy    `json:"occupancy,omitempty"`
	Passengers nhip.Opt[int]     `json:"passengers,omitzero"` // on board, as counted
	Headway    float64           `json:"headway_s,omitempty"` // of a line that promises no times
	OffRoute   bool              `json:"off_route,omitempty"`
	Confidence nhip.Opt[float64] `json:"confidence,omitzero"` // of a bus whose trip was inferred
	Origin     nhip.Origin       `json:"origin,omitempty"`

	at time.Time
}

// departuresAt lists what comes to one call of a pattern until a time, in no order.
func (t *transit) departuresAt(dst []departure, c network.Call, now, until time.Time) []departure {
	for _, r := range t.on[c.Pattern] {
		if d, ok := r.departure(c, now); ok && !d.at.After(until) {
			dst = append(dst, d)
		}
	}
	for _, day := range t.net.DaysAt(now) {
		for _, run := range day.RunsOf(c.Pattern) {
			due := time.Unix(run.Departs(c.At), 0).UTC()
			if due.Before(now.Add(-startGrace)) || due.After(until) || t.running[run] != nil {
				continue
			}
			if run.Headway && run.Departs(0) < now.Unix() {
				continue // it promised no time at which it could be missed
			}
			dst = append(dst, promised(c, run, due, now))
		}
	}
	return dst
}

// departure is what a bus means for a stop ahead of it.
func (r *riding) departure(c network.Call, now time.Time) (departure, bool) {
	s := &r.state
	d := ofCall(c)
	d.by(r.bus, now)
	if run := s.Run; run != nil {
		d.Trip = run.Trip.ID
		if run.Trip.Headsign != "" {
			d.Headsign = run.Trip.Headsign
		}
		if run.Headway {
			d.Headway = float64(run.Interval)
		} else {
			due := time.Unix(run.Departs(c.At), 0).UTC()
			d.Scheduled = &due
		}
	}
	d.OffRoute = s.Status == track.OffRoute
	if s.Inferred {
		d.Confidence = nhip.Some(s.Confidence)
	}
	if p, ok := r.at(c.At); ok {
		d.Expected, d.Early, d.Late, d.at = &p.Expected, &p.P10, &p.P90, p.Expected
	} else if c.At == 0 && s.Status == track.Layover && s.Next <= 1 {
		at := s.Time
		if s.Run != nil && d.Scheduled != nil && d.Scheduled.After(at) {
			at = *d.Scheduled
		}
		d.Expected, d.at = &at, at
	} else {
		return d, false
	}
	if d.at.Before(now.Add(-dueGrace)) && d.Late != nil && d.Late.Before(now) {
		return d, false // what it promised is over; its next fix tells more
	}
	d.Minutes = minutesUntil(d.at, now)
	d.StopsAway = nhip.Some(c.At - s.Next)
	return d, true
}

// ofCall names the line and the stop of a departure.
func ofCall(c network.Call) departure {
	return departure{
		Route: c.Pattern.Route.ID, Line: lineOf(c.Pattern.Route), Headsign: c.Pattern.Headsign, Direction: c.Pattern.Direction,
		Stop: c.Pattern.Stops[c.At].ID,
	}
}

// by names the bus of a departure.
func (d *departure) by(b *nhip.Bus, now time.Time) {
	at := b.Time
	d.State, d.Agency, d.Vehicle, d.Time, d.Origin = stateLive, b.Agency, b.ID, &at, b.Origin
	d.Occupancy, d.Passengers = b.Occupancy, b.Passengers
	d.Age = nhip.Some(math.Round(10*max(0, now.Sub(b.Time).Seconds())) / 10)
	if b.State(now) == nhip.Stale {
		d.State = stateStale
	}
}

// lineOf is what riders call a route.
func lineOf(r *gtfs.Route) string { return cmp.Or(r.ShortName, r.LongName) }

// promised is a departure that only the timetable knows of.
func promised(c network.Call, run *network.Run, due, now time.Time) departure {
	d := ofCall(c)
	d.State, d.Trip, d.at, d.Minutes = stateScheduled, run.Trip.ID, due, minutesUntil(due, now)
	if run.Trip.Headsign != "" {
		d.Headsign = run.Trip.Headsign
	}
	if run.Headway {
		d.Headway = float64(run.Interval)
	} else {
		d.Scheduled = &due
	}
	switch late := now.Sub(time.Unix(run.Departs(0), 0)); {
	case late > givenUp:
		d.State = stateNotComing
	case late > startGrace:
		d.State = stateNoReport
	}
	return d
}

func minutesUntil(t, now time.Time) float64 {
	return math.Round(10*max(t.Sub(now).Minutes(), 0)) / 10
}

// stopDepartures lists what comes to a stop, soonest first.
func (t *transit) stopDepartures(s *gtfs.Stop, now, until time.Time, ends bool) []departure {
	all := []departure{}
	for _, c := range t.net.CallsAt(s) {
		if !ends && c.At == c.Pattern.Last() {
			continue // it takes nobody on
		}
		all = t.departuresAt(all, c, now, until)
	}
	slices.SortFunc(all, func(a, b departure) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Trip, b.Trip), cmp.Compare(a.Vehicle, b.Vehicle))
	})
	return all
}

// lineGroup is what comes of one line in one direction.
type lineGroup struct {
	Route      string        `json:"route"`
	Line       string        `json:"line"`
	Headsign   string        `json:"headsign"`
	Direction  nhip.Opt[int] `json:"direction,omitzero"`
	Color      string        `json:"color,omitempty"`
	Stop       stopRef       `json:"stop"`
	Air        *airBrief     `json:"air,omitempty"` // at the stop
	Walk       float64       `json:"walk_m"`
	WalkTime   float64       `json:"walk_s"`
	Departures []departure   `json:"departures"`
}

// Limits of questions for departures.
const (
	defaultAround  = 600.0
	maxAround      = 5000.0
	maxAroundStops = 200
	defaultAhead   = 60 // minutes
	maxAhead       = 24 * 60
	maxDepartures  = 200
)

type groupKey struct {
	route     *gtfs.Route
	direction nhip.Opt[int]
}

// listDepartures answers GET /v1/departures: the next buses around a place.
func (a *API) listDepartures(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "near", "radius", "minutes", "limit")
	near, asked := q.point("near")
	radius := q.number("radius", defaultAround, minRadius, maxAround)
	ahead := q.integer("minutes", defaultAhead, 1, maxAhead)
	limit := q.integer("limit", 3, 1, 20)
	if !asked {
		q.fail("near", "is required: LAT,LON in degrees, as in 21.0285,105.8542")
	}
	t, err := a.timetable(q.err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	now := a.o.Clock.Now()
	until := now.Add(time.Duration(ahead) * time.Minute)
	groups, order := make(map[groupKey]*lineGroup), []*lineGroup{}
	t.mu.RLock()
	for _, h := range t.stops.Nearest(nil, near, maxAroundStops, radius, nil) {
		here := make(map[groupKey][]departure)
		for _, c := range t.net.CallsAt(h.Item) {
			if key := (groupKey{c.Pattern.Route, c.Pattern.Direction}); c.At < c.Pattern.Last() && groups[key] == nil {
				here[key] = t.departuresAt(here[key], c, now, until)
			}
		}
		for key, all := range here { // the nearest stop at which anything comes
			if len(all) == 0 {
				continue
			}
			slices.SortFunc(all, func(a, b departure) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Trip, b.Trip)) })
			g := &lineGroup{
				Route: key.route.ID, Line: lineOf(key.route), Headsign: all[0].Headsign, Direction: key.direction, Color: key.route.WebColor(),
				Stop: t.ref(h.Item), Walk: math.Round(h.Metres * walkDetour), WalkTime: math.Round(h.Metres * walkDetour / walkSpeed),
				Departures: all[:min(limit, len(all))],
			}
			groups[key] = g
			order = append(order, g)
		}
	}
	t.mu.RUnlock()
	for _, g := range order {
		g.Air = a.airAt(orb.Point{g.Stop.Lon, g.Stop.Lat})
	}
	slices.SortFunc(order, func(a, b *lineGroup) int {
		return cmp.Or(a.Departures[0].at.Compare(b.Departures[0].at), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Direction.Or(-1), b.Direction.Or(-1)))
	})
	writeJSON(w, struct {
		Time  time.Time    `json:"time"`
		Lines []*lineGroup `json:"lines"`
	}{now, order})
}
