package transit

import (
	"cmp"
	"slices"
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/realtime"
)

// How far ahead realtime feeds tell of trips.
const (
	realtimeAhead = board.PredictAhead // expected times
	calledOffFor  = 24 * time.Hour     // trips that do not run
)

// RealtimeTrip is what is expected of a run of a trip.
type RealtimeTrip struct {
	Instance *network.TripInstance
	Canceled bool
	Bus      *nhip.Bus      // that is on the trip; nil if none is, also if one will serve it after its present trip
	Time     time.Time      // of the newest of what it comes from: the fix of a bus, the operator's feed
	Calls    []RealtimeCall // the stops ahead, in order, and those that it skips
}

// RealtimeCall is what is expected of a run at a stop.
type RealtimeCall struct {
	Stop        int // index into the pattern's stops
	Skipped     bool
	Expected    time.Time
	Uncertainty time.Duration // half of the range that holds 8 of 10 arrivals; 0 if it is unknown
}

// RealtimeTrips returns the runs of which more is known than the timetable says: those that a bus serves or will serve
// after its present trip, those of which the operator's feed tells, and those that do not run. They are ordered by
// pattern and start. It tells what the boards of the stops tell.
func (t *Timetable) RealtimeTrips(now time.Time) []RealtimeTrip {
	var out []RealtimeTrip
	days := t.Network.DaysBetween(now, now.Add(calledOffFor))
	for _, p := range t.Network.Patterns {
		out = t.realtimeTripsOf(out, p, days, now)
	}
	return out
}

// realtimeTripsOf appends the runs of one pattern. It takes the tracker's lock, so that buses move between patterns.
func (t *Timetable) realtimeTripsOf(
	dst []RealtimeTrip, p *network.Pattern, days []*network.Day, now time.Time,
) []RealtimeTrip {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	for _, day := range days {
		for _, trip := range day.TripInstances(p) {
			if trip.Arrives(p.Last()) < now.Add(-board.PredictAhead).Unix() {
				continue
			}
			if x, ok := t.realtimeTrip(trip, now); ok {
				dst = append(dst, x)
			}
		}
	}
	return dst
}

// realtimeTrip returns what is expected of a run, and false if nothing but the timetable is known. The caller must hold
// the tracker's lock.
func (t *Timetable) realtimeTrip(trip *network.TripInstance, now time.Time) (RealtimeTrip, bool) {
	x := RealtimeTrip{Instance: trip}
	state := t.services.of(trip, now)
	if state.update != nil {
		x.Time = state.feed.Time
	}
	if !state.runs() || state.hasOtherStops() {
		x.Canceled = true
		return x, trip.Departs(0) < now.Add(calledOffFor).Unix()
	}
	if trip.Departs(0) > now.Add(realtimeAhead).Unix() {
		return x, false
	}
	if b := t.tracker.on(trip); b != nil && b.vehicle.OnBoard(b.reports(now)).Trusted() {
		x.Bus, x.Time = b.Bus, later(x.Time, b.Bus.Time)
	}
	for i := range trip.Pattern.Stops {
		c := network.Call{Pattern: trip.Pattern, At: i}
		d, _, ok := t.told(c, trip, now)
		switch {
		case state.skips(i):
			x.Calls = append(x.Calls, RealtimeCall{Stop: i, Skipped: true})
		case ok && d.Expected != nil && d.Basis != board.BasisLearned:
			x.add(i, &d)
		}
	}
	foretold := slices.ContainsFunc(x.Calls, func(c RealtimeCall) bool { return !c.Skipped })
	return x, foretold || len(x.Calls) > 0 && x.Bus == nil
}

// add appends what a board tells of the run at a stop.
func (x *RealtimeTrip) add(stop int, d *Departure) {
	call := RealtimeCall{Stop: stop, Expected: *d.Expected}
	if d.Late != nil {
		call.Uncertainty = d.Late.Sub(*d.Early) / 2
	}
	x.Calls = append(x.Calls, call)
	if d.Time != nil {
		x.Time = later(x.Time, *d.Time)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ExtraTrip is a trip that runs beside the timetable, as the operator's feed tells it.
type ExtraTrip struct {
	Update   *nhip.TripUpdate
	Instance *network.TripInstance // of a trip of the timetable that is run once more; nil for others
	Time     time.Time             // of the forecast
}

// ExtraTrips returns the trips that run beside the timetable or instead of one of its trips, ordered by feed and key.
// Those whose times are no longer a forecast are left out.
func (t *Timetable) ExtraTrips(now time.Time) []ExtraTrip {
	s := t.services
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []ExtraTrip
	for _, u := range s.extra {
		f := s.feed(u.Feed)
		if !u.HoldsAt(now, f) || !u.ForecastsAt(now, f) {
			continue
		}
		x := ExtraTrip{Update: u, Time: f.Time}
		if !u.Time.IsZero() {
			x.Time = u.Time
		}
		if u.Relationship == nhip.TripDuplicated {
			x.Instance = t.duplicate(u)
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b ExtraTrip) int {
		return cmp.Or(cmp.Compare(a.Update.Feed, b.Update.Feed), cmp.Compare(a.Update.Key(), b.Update.Key()))
	})
	return out
}

// Expected returns when the extra trip reaches the i-th stop of its instance by the operator's feed.
func (x *ExtraTrip) Expected(i int, now time.Time) (time.Time, bool) {
	feed := &nhip.ServiceFeed{Time: x.Time}
	state := tripState{update: x.Update, feed: feed, stops: realtime.StopIndexes(x.Update, x.Instance.Trip)}
	if state.skips(i) {
		return time.Time{}, false
	}
	return state.expected(x.Instance, i, now)
}

// On returns the bus on a run of a trip, nil if none is known.
func (t *Timetable) On(trip *network.TripInstance) *TrackedBus {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	return t.tracker.on(trip)
}
