package tides

import (
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// Bounds of one answer, which keeps the trips of a service date in memory. Hanoi has 25,000 trips a day with a million
// stops; a trip takes some 300 bytes and a stop 8.
const (
	maxTrips  = 200_000
	maxVisits = 5_000_000
)

// errTooMany is the answer to a request beyond the bounds.
var errTooMany = nhip.Errorf(nhip.CodeInvalid, "agency",
	"must be set: there are more than %d trips or %d stops of all agencies on that date", maxTrips, maxVisits)

// maxStandstill is the time between two stops after which a vehicle is on another trip, unless both are of one trip of
// the timetable.
const maxStandstill = 30 * time.Minute

// performed groups arrivals, oldest first, by the trip that a vehicle performed.
type performed struct {
	q      *query
	keep   bool // the visits of the trips
	visits int
	known  map[tripKey]*trip
	latest map[vehicleKey]*trip
	all    []*trip // in the order in which they began
}

type vehicleKey struct{ agency, vehicle string }

type tripKey struct {
	vehicleKey
	trip, date, start string
}

// trip is a trip that a vehicle performed, as far as its arrivals tell it.
type trip struct {
	vehicleKey
	id        string
	date      gtfs.Date
	scheduled string // trip_id; "" if the trip is unknown
	inferred  bool   // the vehicle did not report it
	route     string
	patternID string
	pattern   *network.Pattern      // nil if the timetable in use does not have it
	instance  *network.TripInstance // nil if the timetable in use does not have it
	number    int                   // of visits
	index     int                   // of the last visit
	begin     visit
	end       visit
	visits    []seen
}

// visit is a trip at a stop.
type visit struct {
	stop  string
	index int
	at    time.Time
	due   time.Time // by the timetable that was in use; zero if it is unknown
}

// seen is a visit in little memory.
type seen struct {
	at    int32 // s after 00:00:00 of the service date
	index int32
}

func newPerformed(q *query, keep bool) *performed {
	return &performed{
		q: q, keep: keep, known: make(map[tripKey]*trip), latest: make(map[vehicleKey]*trip),
	}
}

// add adds an arrival and returns its trip. It returns nil for one that its trip has already, or that lies before
// another one along the line.
func (p *performed) add(a *nhip.Arrival) (*trip, error) {
	t := p.find(a)
	if t.number > 0 && a.Index <= t.index {
		return nil, nil
	}
	if p.visits++; len(p.all) > maxTrips || p.keep && p.visits > maxVisits {
		return nil, errTooMany
	}
	v := visit{stop: a.Stop, index: a.Index, at: a.Time}
	if late, known := a.Delay.Get(); known {
		v.due = a.Time.Add(-time.Duration(late) * time.Second)
	}
	if t.number == 0 {
		t.begin = v
	}
	t.number, t.index, t.end = t.number+1, a.Index, v
	if p.keep {
		t.visits = append(t.visits, seen{int32(a.Time.Sub(p.q.begin()) / time.Second), int32(a.Index)})
	}
	return t, nil
}

// find returns the trip of an arrival, a new one if it is the first of its trip. What a vehicle does from stop to stop
// of one pattern is one trip, also if it is learned later which trip of the timetable it is.
func (p *performed) find(a *nhip.Arrival) *trip {
	vehicle := vehicleKey{a.Agency, a.Vehicle}
	key := tripKey{vehicle, a.Trip, a.StartDate, a.StartTime}
	t := p.known[key]
	if t == nil || a.Trip == "" {
		if t = p.latest[vehicle]; t == nil || !t.continues(a, p.dateOf(a)) {
			t = p.begin(vehicle, a)
		}
		if a.Trip != "" {
			p.known[key] = t
			t.identify(a, p.q.net)
		}
	}
	p.latest[vehicle] = t
	return t
}

// begin adds the trip that an arrival begins.
func (p *performed) begin(vehicle vehicleKey, a *nhip.Arrival) *trip {
	t := &trip{vehicleKey: vehicle, date: p.dateOf(a), route: a.Route, patternID: a.Pattern}
	t.id = vehicle.vehicleID() + "_" + a.Time.UTC().Format("20060102T150405.000")
	if p.q.net != nil {
		t.pattern = p.q.net.Pattern(a.Pattern)
	}
	p.all = append(p.all, t)
	return t
}

// dateOf returns the service date of an arrival. One of an unknown trip is of the calendar's day.
func (p *performed) dateOf(a *nhip.Arrival) gtfs.Date {
	if date, err := gtfs.ParseDate(a.StartDate); err == nil && a.Trip != "" {
		return date
	}
	return p.q.dateAt(a.Time)
}

// continues reports whether an arrival is of the trip, although the trip of the timetable is another one, or unknown.
// Two different trips that the vehicle reported are two.
func (t *trip) continues(a *nhip.Arrival, date gtfs.Date) bool {
	return t.patternID == a.Pattern && a.Index > t.index && a.Time.Sub(t.end.at) <= maxStandstill &&
		(a.Trip == "" || t.date == date && (t.scheduled == "" || t.inferred || a.Inferred))
}

// identify sets the trip of the timetable.
func (t *trip) identify(a *nhip.Arrival, net *network.Network) {
	t.scheduled, t.inferred = a.Trip, a.Inferred
	if t.pattern != nil {
		t.instance = track.FindTripInstance(net, t.pattern, a.Trip, a.StartDate, a.StartTime)
	}
}

// dateAt returns the calendar's day at a time.
func (q *query) dateAt(at time.Time) gtfs.Date { return gtfs.DateOf(at.In(q.zone)) }

// vehicleID returns the id of a vehicle among those of all agencies.
func (k vehicleKey) vehicleID() string { return k.agency + "_" + k.vehicle }

// call returns the call of the trip at the stop of a visit, nil if the timetable in use does not have it.
func (t *trip) call(index int, stop string) *gtfs.StopTime {
	if t.instance == nil || index >= len(t.instance.Trip.StopTimes) {
		return nil
	}
	if c := &t.instance.Trip.StopTimes[index]; c.Stop.ID == stop {
		return c
	}
	return nil
}

// timed returns the run of the trip if it has scheduled times, else nil.
func (t *trip) timed() *network.TripInstance {
	if t.instance == nil || t.instance.HeadwayBased {
		return nil
	}
	return t.instance
}
