package backtest

import (
	"math"
	"slices"
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
)

// LiveScore scores the published predictions by route. It is not safe for concurrent use.
type LiveScore struct {
	since    time.Time
	journeys map[string]*journey // by vehicle
	routes   map[string]*score
	total    score
}

// journey holds the pending predictions of one bus on one journey.
type journey struct {
	pattern  *network.Pattern
	instance *network.TripInstance
	recorded time.Time
	pending  []pendingPrediction
}

// pendingPrediction is a prediction that awaits the arrival at its stop.
type pendingPrediction struct {
	stop int
	prediction
}

// recordEvery is how often the predictions of a bus are stored. Storing them at each position would take more
// memory without adding information.
const recordEvery = time.Minute

// pendingFor is how long a prediction awaits its arrival. A bus that stands for a day with its engine on, or whose
// arrivals are not reported, keeps no more.
const pendingFor = 2 * time.Hour

// NewLiveScore returns an empty score that begins at since.
func NewLiveScore(since time.Time) *LiveScore {
	return &LiveScore{since: since, journeys: make(map[string]*journey), routes: make(map[string]*score)}
}

// Predicted records the published predictions of a bus.
func (l *LiveScore) Predicted(vehicle string, b *predict.Bus, stops []predict.StopPrediction) {
	j := l.journeys[vehicle]
	if j == nil || j.pattern != b.Pattern || j.instance != b.Instance {
		j = &journey{pattern: b.Pattern, instance: b.Instance}
		l.journeys[vehicle] = j
	}
	if b.Waiting || b.Time.Sub(j.recorded) < recordEvery {
		return
	}
	j.recorded = b.Time
	old := 0
	for old < len(j.pending) && b.Time.Sub(j.pending[old].time) > pendingFor {
		old++
	}
	j.pending = slices.Delete(j.pending, 0, old)
	for _, s := range stops {
		if s.P50.Sub(b.Time).Seconds() > mbta[3].upTo {
			break
		}
		j.pending = append(j.pending, pendingPrediction{
			stop: s.Index, prediction: prediction{time: b.Time, made: true, deviation: math.NaN(), StopPrediction: s},
		})
	}
}

// Arrived compares an arrival with the predictions for it.
func (l *LiveScore) Arrived(a *predict.Arrival) {
	j := l.journeys[a.Vehicle]
	if a.Arrived.IsZero() || j == nil || j.pattern != a.Pattern {
		return
	}
	s := l.routes[a.Pattern.Route.ID]
	if s == nil {
		s = &score{}
		l.routes[a.Pattern.Route.ID] = s
	}
	s.arrivals++
	l.total.arrivals++
	kept := j.pending[:0]
	for _, p := range j.pending {
		switch {
		case p.stop == a.Stop:
			s.add(&p.prediction, a.Arrived)
			l.total.add(&p.prediction, a.Arrived)
		case p.stop > a.Stop:
			kept = append(kept, p)
		}
	}
	j.pending = kept
}

// Remove removes a bus.
func (l *LiveScore) Remove(vehicle string) { delete(l.journeys, vehicle) }

// Since returns when the score began.
func (l *LiveScore) Since() time.Time { return l.since }

// Total returns the score over all routes.
func (l *LiveScore) Total() Report { return l.total.report() }

// Routes returns the score of each route that has scored predictions, by route_id.
func (l *LiveScore) Routes() map[string]Report {
	out := make(map[string]Report, len(l.routes))
	for id, s := range l.routes {
		if s.predicted.all > 0 {
			out[id] = s.report()
		}
	}
	return out
}
