package predict

import (
	"time"

	"nhip/geo/network"
)

// Bus is the place of a bus along its pattern.
type Bus struct {
	Vehicle  string // as in its arrivals
	Pattern  *network.Pattern
	Instance *network.TripInstance // nil when the trip is unknown
	Along    float64               // m along the pattern's line
	Next     int                   // index of the first stop ahead
	Time     time.Time             // of the position
	Waiting  bool                  // it has not departed from its first stop
	ToStart  float64               // m to the first stop, as the crow flies, of a bus that waits elsewhere

	ready *moment // when it can leave its first stop; nil if ToStart decides that
}

// StopPrediction is a predicted arrival, or the departure from the first stop. Each of the four times is at least that
// of the stop before.
type StopPrediction struct {
	Index         int // into the pattern's stops
	P10, P50, P90 time.Time
	Expected      time.Time // the time to publish, from P10 to P50: see TellEarly

	state busState
	paths [paths]float32 // s from the position, by each path
}

// moment is the predicted time of one event, in Unix s. early is the time to tell riders.
type moment struct{ p10, early, p50, p90 float64 }

// at returns the moment of a known time.
func at(t float64) moment { return moment{t, t, t, t} }

// atLeast returns the moment of an event that can't be before a time.
func (m moment) atLeast(t float64) moment {
	return moment{max(m.p10, t), max(m.early, t), max(m.p50, t), max(m.p90, t)}
}

// plus returns the moment some seconds later.
func (m moment) plus(s float64) moment { return moment{m.p10 + s, m.early + s, m.p50 + s, m.p90 + s} }

// prediction returns the moment as the prediction for a stop.
func (m moment) prediction(stop int) StopPrediction {
	of := func(s float64) time.Time { return time.UnixMilli(int64(s * 1000)).UTC() }
	return StopPrediction{Index: stop, P10: of(m.p10), P50: of(m.p50), P90: of(m.p90), Expected: of(m.early)}
}

// momentOf is the inverse of prediction.
func momentOf(s *StopPrediction) moment {
	of := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	return moment{p10: of(s.P10), early: of(s.Expected), p50: of(s.P50), p90: of(s.P90)}
}

// unix returns a time in Unix s.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// scheduled returns the scheduled time of a segment without waiting, in s.
func scheduled(pattern *network.Pattern, inst *network.TripInstance, i int) float64 {
	trip := tripOf(pattern, inst)
	from := trip.StopTimes[i].Arrival + network.Wait(trip, i)
	if i == 0 {
		from = trip.StopTimes[i].Departure
	}
	return max(float64(trip.StopTimes[i+1].Arrival-from), minScheduled)
}

// minScheduled is a lower bound of a segment's scheduled time, in s: timetables have a resolution of minutes, and two
// stops may have the same time.
const minScheduled = 10.0
