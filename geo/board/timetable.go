package board

import (
	"sync"
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
)

// TimetableGrace is how long a trip without an offered bus stays on a board after the time at which it is expected:
// buses are late rather than early.
const TimetableGrace = 10 * time.Minute

// minLead is the least lead that is told of a trip without an offered bus: nobody knows that it is here.
const minLead = 30 * time.Second

// maxPlanLate is how much later than the timetable a trip may be expected that no bus is known of.
const maxPlanLate = 90 * time.Minute

// OfferTimetable returns what a board offers of a trip at a stop without a bus, false if nothing. bus is the bus on the
// trip, nil if none is known. The timetable takes the place of a bus that is not offered, but not of one that has
// passed. The time comes from what is learned of the line's departures and of the buses between its stops; until
// something is, and more than PredictAhead before it, it is the timetable's own: what buses need now says nothing of
// that, and a board of a whole day would take a second.
func (f *Fleet) OfferTimetable(trip *network.TripInstance, bus *Bus, stop int, now time.Time) (Offer, bool) {
	due := time.Unix(trip.Departs(stop), 0).UTC()
	if due.Before(now.Add(-TimetableGrace-maxPlanLate)) || bus != nil && bus.Holds(stop, now) ||
		trip.HeadwayBased && trip.Departs(0) < now.Unix() { // without a scheduled time it can't be late
		return Offer{}, false
	}
	if f.Passed(trip, stop) {
		return Offer{}, false
	}
	if f.departures.observed == 0 || due.After(now.Add(PredictAhead)) {
		return offerTimetable(due, now)
	}
	at := f.planned(trip, now)[stop]
	if served := f.served[keyOf(trip)]; served != nil {
		if p, ok := predictionAt(served.ahead, stop); ok {
			at = max(at, unix(p.P50))
		}
	}
	if _, next := f.Next(trip, now); next != nil {
		if p, ok := predictionAt(next.Ahead, stop); ok {
			at = max(at, unix(p.P50))
		}
	}
	return f.offerLearned(at, now)
}

// Passed reports whether a bus has passed a stop on a trip lately.
func (f *Fleet) Passed(trip *network.TripInstance, stop int) bool {
	served := f.served[keyOf(trip)]
	return served != nil && stop < served.next
}

// offerTimetable returns the timetable's time.
func offerTimetable(due, now time.Time) (Offer, bool) {
	if due.Before(now.Add(-TimetableGrace)) {
		return Offer{}, false
	}
	return Offer{Expected: later(due, now.Add(minLead)), Basis: BasisTimetable}, true
}

// offerLearned returns the time for riders of a trip that is expected at a time in Unix s.
func (f *Fleet) offerLearned(at float64, now time.Time) (Offer, bool) {
	lead := at - unix(now)
	if lead < -TimetableGrace.Seconds() {
		return Offer{}, false
	}
	told := max(predict.TellEarly(lead, f.predictor.Lean()), minLead.Seconds())
	o := Offer{Expected: timeOf(unix(now) + told), Basis: BasisLearned}
	if e := &f.departures.errors; len(e.values) >= minErrors {
		o.Early, o.Late = later(timeOf(at+e.low), now), later(timeOf(at+e.high), o.Expected)
		if o.Early.After(o.Expected) {
			o.Early = o.Expected
		}
	}
	return o, true
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// plans are the times of trips without a bus, computed once a minute. It may be used concurrently.
type plans struct {
	mu     sync.Mutex
	minute int64
	times  map[tripKey][]float64
}

// planned returns when a trip is expected at its stops if no bus is known, in Unix s, as it was learned up to the
// present minute.
func (f *Fleet) planned(trip *network.TripInstance, now time.Time) []float64 {
	key, minute := keyOf(trip), now.Unix()/60
	f.plans.mu.Lock()
	if f.plans.minute != minute || f.plans.times == nil {
		f.plans.minute, f.plans.times = minute, make(map[tripKey][]float64)
	}
	times := f.plans.times[key]
	f.plans.mu.Unlock()
	if times != nil {
		return times
	}
	times = f.plan(trip)
	f.plans.mu.Lock()
	if f.plans.minute == minute {
		f.plans.times[key] = times
	}
	f.plans.mu.Unlock()
	return times
}

// maxTripTime bounds the prediction of a whole trip.
const maxTripTime = 12 * time.Hour

// plan returns when a trip is expected at its stops if no bus is known, in Unix s: it leaves as the buses of its line
// do, not before the bus of the trip before is ready, and drives as others do.
func (f *Fleet) plan(trip *network.TripInstance) []float64 {
	p := trip.Pattern
	times := make([]float64, len(p.Stops))
	if p.Last() < 1 {
		times[0] = float64(trip.Departs(0))
		return times
	}
	first := float64(trip.Arrives(1)) + f.departures.early(p.Route)
	if before := f.before(trip); before != nil {
		if ended, known := f.departures.ended[keyOf(before)]; known {
			run := float64(trip.Arrives(1) - trip.Departs(0))
			first = max(first, unix(ended)+predict.Layover(before, trip)+run)
		}
	}
	times[0], times[1] = min(float64(trip.Departs(0)), first), first
	bus := predict.Bus{Pattern: p, Instance: trip, Along: p.Along[1], Next: 2, Time: timeOf(first)}
	ahead := f.predictor.Predict(nil, &bus, maxTripTime)
	for i := 2; i < len(times); i++ {
		if k := i - 2; k < len(ahead) {
			times[i] = unix(ahead[k].P50)
			continue
		}
		times[i] = times[i-1] + float64(trip.Arrives(i)-trip.Arrives(i-1))
	}
	return times
}
