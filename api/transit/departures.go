package transit

import (
	"cmp"
	"slices"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// States of a departure.
const (
	stateLive      = "live"       // a bus reports and is predicted
	stateStale     = "stale"      // a bus reported and has been silent for too long
	stateScheduled = "scheduled"  // the trip has not begun; the time is the timetable's
	stateNoReport  = "no_report"  // the trip should be under way and no bus reports
	stateNotComing = "not_coming" // the trip should have begun long ago and no bus reports
	stateForecast  = "forecast"   // no bus reports, and the operator's feed says when it is expected
	stateCanceled  = "canceled"   // the operator's feed says that the trip does not run
	stateSkipped   = "skipped"    // the operator's feed says that the trip does not call here
)

// basisOperator is the basis of a time that the operator's feed tells.
const basisOperator board.Basis = "operator"

// Limits of departures that are late.
const (
	reportGrace   = 2 * time.Minute  // after its start, a trip without a bus is stateNoReport
	maxStartDelay = 30 * time.Minute // after its start, a trip without a bus is stateNotComing
	dueGrace      = 30 * time.Second // how long a trip stays listed after the time that the operator's feed expects
)

// Departure is a bus, or a trip of the timetable, at a stop.
type Departure struct {
	Route     string        `json:"route"`
	Line      string        `json:"line"`
	Headsign  string        `json:"headsign"`
	Direction nhip.Opt[int] `json:"direction,omitzero"`
	Trip      string        `json:"trip,omitempty"`
	Stop      string        `json:"stop"`
	Pickup    string        `json:"pickup,omitempty"`   // empty if riders just get on
	DropOff   string        `json:"drop_off,omitempty"` // empty if riders just get off
	State     string        `json:"state"`
	Scheduled *time.Time    `json:"scheduled,omitempty"`
	Expected  *time.Time    `json:"expected,omitempty"`
	Early     *time.Time    `json:"early,omitempty"` // 10th percentile
	Late      *time.Time    `json:"late,omitempty"`  // 90th percentile
	Basis     board.Basis   `json:"basis,omitempty"` // what the expected or scheduled time comes from
	// who predicted the expected time: ours or theirs, the operator's feed
	PredictedBy nhip.Predictions `json:"predicted_by,omitempty"`
	Other       *time.Time       `json:"expected_other,omitempty"` // that of the other one
	Minutes     float64          `json:"minutes"`                  // until the expected or scheduled time
	Agency      string           `json:"agency,omitempty"`
	Vehicle     string           `json:"vehicle,omitempty"`
	// The trip that the bus serves now, if this one is a later one of its block.
	CurrentTrip string            `json:"current_trip,omitempty"`
	Time        *time.Time        `json:"time,omitempty"` // of the bus's fix
	Age         nhip.Opt[float64] `json:"age_s,omitzero"`
	StopsAway   nhip.Opt[int]     `json:"stops_away,omitzero"`
	Occupancy   nhip.Occupancy    `json:"occupancy,omitempty"`
	Passengers  nhip.Opt[int]     `json:"passengers,omitzero"` // on board, as counted
	Headway     float64           `json:"headway_s,omitempty"` // of a line without scheduled times
	OffRoute    bool              `json:"off_route,omitempty"`
	Confidence  nhip.Opt[float64] `json:"confidence,omitzero"` // of an inferred trip
	Origin      nhip.Origin       `json:"origin,omitempty"`
	// of a trip that runs beside the timetable, by the operator's feed
	Relationship nhip.TripRelationship `json:"relationship,omitempty"`

	at       time.Time
	feed     string      // that expects the run, too
	ownBasis board.Basis // of our own time where theirs is told
}

// callDepartures appends the departures at one call of a pattern, or the arrivals, unordered. The caller must hold the
// tracker's lock.
func (t *Timetable) callDepartures(dst []Departure, c network.Call, q *BoardQuery) []Departure {
	if !q.wantsLine(c.Pattern) {
		return dst
	}
	for _, b := range t.tracker.onPattern[c.Pattern] {
		if !q.wantsCall(c, tripOf(b.State.Instance)) {
			continue
		}
		if d, ok := t.announcedBus(b, c, q.Now); ok && q.tells(&d) {
			dst = append(dst, d)
		}
	}
	for _, day := range t.Network.DaysBetween(q.Now, q.Until) {
		for _, trip := range day.TripInstances(c.Pattern) {
			due := time.Unix(trip.Departs(c.At), 0).UTC()
			if due.Before(q.Now.Add(-maxForecastDelay)) || due.After(q.Until.Add(maxForecastLead)) ||
				!q.wantsCall(c, trip.Trip) {
				continue
			}
			if d, ok := t.announcedTrip(c, trip, due, q.Now); ok && q.tells(&d) {
				dst = append(dst, d)
			}
		}
	}
	return dst
}

// tripDeparture returns the departure of a trip that no bus serves yet: by the prediction of the bus that will serve
// it, or else by the timetable. It reports false if the board offers none any more. bus is the bus on the trip, nil if
// there is none.
func (t *Timetable) tripDeparture(c network.Call, trip *network.TripInstance, bus *board.Bus,
	due, now time.Time,
) (Departure, bool) {
	if v, next := t.tracker.fleet.Next(trip, now); next != nil {
		if d, ok := t.tracker.byID[v.ID].nextDeparture(c, next, now); ok {
			return d, true
		}
	}
	offer, ok := t.tracker.fleet.OfferTimetable(trip, bus, c.At, now)
	if !ok {
		return Departure{}, false
	}
	d := scheduled(c, trip, due, now)
	d.at, d.Minutes = offer.Expected, MinutesUntil(offer.Expected, now)
	if offer.Basis == board.BasisLearned {
		d.setOffer(&offer)
	}
	if d.State == stateNotComing && bus != nil && bus.Trusted() {
		d.State = stateNoReport // its bus is known, but later than was predicted
	}
	return d, true
}

// departure returns the departure of a bus at a call of its trip, and false if the board offers none.
func (b *TrackedBus) departure(c network.Call, now time.Time) (Departure, bool) {
	s := &b.State
	d, ok := b.predicted(c, s.Instance, b.vehicle.OnBoard(b.reports(now)), now)
	d.StopsAway = nhip.Some(max(c.At-s.Next, 0))
	return d, ok
}

// nextDeparture returns the departure of a bus at a call of one of its next trips.
func (b *TrackedBus) nextDeparture(c network.Call, next *board.NextTrip, now time.Time) (Departure, bool) {
	d, ok := b.predicted(c, next.Instance, b.vehicle.OnNext(next, b.reports(now)), now)
	d.StopsAway, d.CurrentTrip = nhip.Some(next.Stops+c.At), b.State.Instance.Trip.ID
	return d, ok
}

// predicted returns a predicted departure, and false if the board does not offer it. onTrip is the bus with its
// predictions for the trip.
func (b *TrackedBus) predicted(c network.Call, inst *network.TripInstance, onTrip *board.Bus,
	now time.Time,
) (Departure, bool) {
	d := departureAt(c)
	offer, ok := onTrip.Offer(c.At, now)
	if !ok {
		return d, false
	}
	d.setBus(b.Bus, now)
	d.setBoarding(c, tripOf(inst))
	if inst != nil {
		d.setTrip(inst, time.Unix(inst.Departs(c.At), 0).UTC())
	}
	d.OffRoute = b.State.Status == track.StatusOffRoute
	if b.State.Inferred {
		d.Confidence = nhip.Some(b.State.Confidence)
	}
	d.at, d.Minutes = offer.Expected, MinutesUntil(offer.Expected, now)
	d.setOffer(&offer)
	return d, true
}

// setOffer sets the expected time and what it comes from.
func (d *Departure) setOffer(o *board.Offer) {
	d.Expected, d.Basis, d.PredictedBy = &o.Expected, o.Basis, predictedByUs
	if !o.Late.IsZero() {
		d.Early, d.Late = &o.Early, &o.Late
	}
}

// departureAt returns a departure with its line and stop.
func departureAt(c network.Call) Departure {
	return Departure{
		Route: c.Pattern.Route.ID, Line: LineOf(c.Pattern.Route), Headsign: c.Pattern.Headsign,
		Direction: c.Pattern.Direction,
		Stop:      c.Pattern.Stops[c.At].ID,
	}
}

func (d *Departure) setBus(b *nhip.Bus, now time.Time) {
	at := b.Time
	d.State, d.Agency, d.Vehicle, d.Time, d.Origin = stateLive, b.Agency, b.ID, &at, b.Origin
	d.Occupancy, d.Passengers = b.Occupancy, b.Passengers
	d.Age = nhip.Some(encode.Round(max(0, now.Sub(b.Time).Seconds()), 10))
	if b.State(now) == nhip.StateStale {
		d.State = stateStale
	}
}

func (d *Departure) setBoarding(c network.Call, trip *gtfs.Trip) {
	d.Pickup, d.DropOff = boardingNames[pickupAt(c, trip)], boardingNames[dropOffAt(c, trip)]
}

func (d *Departure) setTrip(trip *network.TripInstance, due time.Time) {
	d.Trip = trip.Trip.ID
	if trip.Trip.Headsign != "" {
		d.Headsign = trip.Trip.Headsign
	}
	if trip.HeadwayBased {
		d.Headway = float64(trip.Interval)
	} else {
		d.Scheduled = &due
	}
}

// scheduled returns the departure of a trip without a reporting bus.
func scheduled(c network.Call, trip *network.TripInstance, due, now time.Time) Departure {
	d := departureAt(c)
	d.State, d.Basis, d.at, d.Minutes = stateScheduled, board.BasisTimetable, due, MinutesUntil(due, now)
	d.setBoarding(c, trip.Trip)
	d.setTrip(trip, due)
	switch late := now.Sub(time.Unix(trip.Departs(0), 0)); {
	case late > maxStartDelay:
		d.State = stateNotComing
	case late > reportGrace:
		d.State = stateNoReport
	}
	return d
}

// MinutesUntil returns the minutes from now until t with one decimal, 0 if t is in the past.
func MinutesUntil(t, now time.Time) float64 {
	return encode.Round(max(t.Sub(now).Minutes(), 0), 10)
}

// StopArrivals returns the buses and trips that arrive at a stop, the soonest first. A trip that begins there counts
// with its departure.
func (t *Timetable) StopArrivals(s *gtfs.Stop, q BoardQuery) []Departure {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	q.arrivals = true
	all := []Departure{}
	for _, c := range t.Network.CallsAt(s) {
		all = t.callDepartures(all, c, &q)
	}
	all = t.extraDepartures(all, s, &q)
	slices.SortFunc(all, func(a, b Departure) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Trip, b.Trip),
			cmp.Compare(a.Vehicle, b.Vehicle))
	})
	return all
}
