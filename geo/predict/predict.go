// Package predict predicts when buses reach the stops ahead of them. A prediction is based on how long buses
// recently took between the same stops and how long they took at the same hour on other days, both shrunk towards
// the timetable. Its range comes from the errors of the predictor's own past predictions.
//
// The state of a Predictor depends only on the arrivals that it has observed, in the order of their times. A
// predictor that is fed the stored arrivals of the last days therefore equals one that observed them live.
package predict

import (
	"time"

	"nhip/geo/network"
)

// Predictor predicts arrivals from the arrivals that it has observed. Predict may be called concurrently, but not
// while Observe runs.
type Predictor struct {
	net       *network.Network
	links     []link
	overall   decayingMean // ratio of actual to scheduled times over all links
	residuals residuals
	holds     holds
	journeys  map[string]*journey // by vehicle
}

// New returns a predictor without observations: it predicts the scheduled times between stops.
func New(n *network.Network) *Predictor {
	return &Predictor{
		net: n, links: make([]link, n.LinkCount()), residuals: newResiduals(), holds: newHolds(),
		journeys: make(map[string]*journey),
	}
}

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
	Expected      time.Time // the time to publish: early rather than late, because a late rider misses the bus
}

// Predict appends the predicted arrivals at all stops that the bus reaches within the horizon, and before them its
// departure if it waits at its first stop. Where the timetable lets it wait, and at time points, it does not leave
// before its departure.
func (p *Predictor) Predict(dst []StopPrediction, b *Bus, horizon time.Duration) []StopPrediction {
	if b.Pattern == nil || b.Next > b.Pattern.Last() {
		return dst
	}
	fix := unix(b.Time)
	w := walk{p: p, pattern: b.Pattern, instance: b.Instance, from: at(fix)}
	i := max(b.Next, 1)
	if b.Waiting {
		w.depart(b)
		if w.now()-fix > horizon.Seconds() {
			return dst
		}
		dst = append(dst, w.last.prediction(0))
	} else if b.Pattern.AtStop(i-1, b.Along) {
		w.stand(b, i-1)
	}
	for part := remaining(b, i); i <= b.Pattern.Last(); i++ {
		w.link(i-1, part)
		part = 1
		if w.now()-fix > horizon.Seconds() {
			break
		}
		dst = append(dst, w.arrive().prediction(i))
		w.leave(i)
	}
	return dst
}

// remaining returns the part of the link to stop i that is ahead of a bus.
func remaining(b *Bus, i int) float64 {
	span := b.Pattern.Along[i] - b.Pattern.Along[i-1]
	if span <= 0 {
		return 1
	}
	return min(max((b.Pattern.Along[i]-b.Along)/span, 0), 1)
}

// unix returns a time in Unix s.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// between returns how long a bus takes from its arrival at stop i to its arrival at stop i+1, in s, without waiting for
// a departure. From the first stop it counts from the departure.
func (p *Predictor) between(pattern *network.Pattern, inst *network.TripInstance, i int, now float64) float64 {
	return p.links[pattern.Links[i]].estimate(scheduled(pattern, inst, i)*p.overall.ratio(now), now)
}

// scheduled returns the scheduled time of a link without waiting, in s.
func scheduled(pattern *network.Pattern, inst *network.TripInstance, i int) float64 {
	trip := pattern.Trips[0]
	if inst != nil {
		trip = inst.Trip
	}
	from := trip.StopTimes[i].Arrival + network.Wait(trip, i)
	if i == 0 {
		from = trip.StopTimes[i].Departure
	}
	return max(float64(trip.StopTimes[i+1].Arrival-from), minLinkTime)
}

// minLinkTime is a lower bound of a link's scheduled time, in s: timetables have a resolution of minutes, and two
// stops may have the same time.
const minLinkTime = 10.0
