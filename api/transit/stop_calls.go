package transit

import (
	"cmp"
	"slices"
	"time"

	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// StopCall is a run of a trip at a stop, as the board of the stop tells it.
type StopCall struct {
	Instance  *network.TripInstance
	Stop      int         // index into the pattern's stops
	Told      bool        // the board tells it; else it is over there, or was
	Departure Departure   // what the board tells
	Bus       *TrackedBus // that is on the trip, or will serve it after its present one; nil if none is known
}

// At returns when the run leaves the stop by what the board tells, or else by the timetable.
func (c *StopCall) At() time.Time {
	if c.Told {
		return c.Departure.at
	}
	return time.Unix(c.Instance.Departs(c.Stop), 0).UTC()
}

// StopCalls returns the runs that leave a stop, or end there, within a span of time, the soonest first. Those that a
// board no longer tells are among them, if the timetable had them within the span before now.
func (t *Timetable) StopCalls(s *gtfs.Stop, from, until, now time.Time) []*StopCall {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	shift := maxBusShift
	if t.services.any() {
		shift = maxForecastDelay
	}
	first, last := from.Add(-shift), until.Add(maxForecastLead)
	var out []*StopCall
	for _, day := range t.Network.DaysBetween(first, last) {
		for _, c := range t.Network.CallsAt(s) {
			for _, trip := range day.TripInstancesWithin(c.Pattern, first.Unix(), last.Unix()) {
				if !t.mayCallWithin(trip, c.At, from, until, now) {
					continue
				}
				x := t.stopCall(c, trip, now)
				at := x.At()
				if !at.Before(from) && !at.After(until) && (x.Told || at.Before(now)) {
					out = append(out, &x)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *StopCall) int {
		return cmp.Or(a.At().Compare(b.At()), cmp.Compare(a.Instance.Trip.ID, b.Instance.Trip.ID))
	})
	return out
}

// How far a time that a board tells may be from the timetable: without a bus, and with one. The operator's word may
// shift a run by maxForecastDelay.
const (
	maxUnexplained = 30 * time.Minute
	maxBusShift    = 2 * time.Hour
)

// mayCallWithin reports whether a run may leave a stop within a span: the timetable says so, or something is known that
// may have shifted it. The caller must hold the tracker's lock.
func (t *Timetable) mayCallWithin(trip *network.TripInstance, stop int, from, until, now time.Time) bool {
	due, first, last := trip.Departs(stop), from.Unix(), until.Unix()
	outside := time.Duration(max(first-due, due-last)) * time.Second
	switch {
	case outside <= maxUnexplained:
		return true
	case outside > maxForecastDelay || due > last && outside > maxForecastLead:
		return false
	case t.services.any():
		if state := t.services.of(trip, now); state.update != nil {
			return true
		}
	}
	if outside > maxBusShift {
		return false
	}
	for range 1 + board.MaxNextTrips {
		if t.tracker.on(trip) != nil {
			return true
		}
		if trip = trip.Previous; trip == nil {
			break
		}
	}
	return false
}

// TripCall returns a run of a trip at one of its stops.
func (t *Timetable) TripCall(trip *network.TripInstance, stop int, now time.Time) StopCall {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	return t.stopCall(network.Call{Pattern: trip.Pattern, At: stop}, trip, now)
}

// stopCall returns a run of a trip at a call. The caller must hold the tracker's lock.
func (t *Timetable) stopCall(c network.Call, trip *network.TripInstance, now time.Time) StopCall {
	x := StopCall{Instance: trip, Stop: c.At, Bus: t.tracker.on(trip)}
	if state := t.services.of(trip, now); state.replaced() {
		return x
	}
	x.Departure, _, x.Told = t.told(c, trip, now)
	if x.Bus == nil && x.Told && x.Departure.Vehicle != "" {
		if v, next := t.tracker.fleet.Next(trip, now); next != nil {
			x.Bus = t.tracker.byID[v.ID]
		}
	}
	return x
}

// maxHold is how long a bus that is early is expected to wait at a timed stop, in s. The time at the next stop holds
// what was learned of it.
const maxHold = 600

// HeldUntil returns when a run leaves a stop that it reaches at a time, Unix s: a bus that is early waits at a timed
// stop.
func HeldUntil(trip *network.TripInstance, stop int, reaches int64) int64 {
	if stop == 0 || stop == trip.Pattern.Last() || !trip.Timed(stop) {
		return reaches
	}
	return max(reaches, min(trip.Departs(stop), reaches+maxHold))
}

// Predicted reports whether a live bus or the operator's feed says when the run is expected.
func (d *Departure) Predicted() bool {
	return d.Expected != nil && (d.State == stateLive || d.State == stateForecast)
}

// Canceled reports whether the operator's feed says that the run does not take place.
func (d *Departure) Canceled() bool { return d.State == stateCanceled }

// Skipped reports whether the operator's feed says that the run does not call at the stop.
func (d *Departure) Skipped() bool { return d.State == stateSkipped }

// Away returns how many stops the bus of the run calls at before the stop, and how far it is away along the line, in m;
// both are negative once it has passed. It reports false without a bus on a trip.
func (c *StopCall) Away() (stops int, metres float64, known bool) {
	if c.Bus == nil || c.Bus.State.Instance == nil {
		return 0, 0, false
	}
	now := c.Bus.State.Instance
	stops, metres = c.Stop-c.Bus.State.Next, c.Instance.Pattern.Along[c.Stop]-c.Bus.State.Along
	for ; now != nil && (now.Trip != c.Instance.Trip || now.Day != c.Instance.Day); now = now.Next {
		stops += len(now.Pattern.Stops)
		metres += now.Pattern.Length()
	}
	return stops, metres, true
}
