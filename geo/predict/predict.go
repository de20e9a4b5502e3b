// Package predict tells when buses reach the stops ahead of them: from how long buses took between the
// same stops just now and at this time on other days, shrunk to the timetable, with a range that comes
// from the errors which its own predictions had.
//
// Everything that it knows it learned from arrivals, in the order of their times. So a predictor that
// is given the stored arrivals of the last days is the one that heard them live.
package predict

import (
	"time"

	"nhip/geo/network"
)

// Predictor learns from arrivals and predicts more of them. It is for one goroutine; Predict may run
// in many while nobody learns.
type Predictor struct {
	net     *network.Network
	links   []link
	general pace // of all links
	errors  residuals
	pending map[string]*journey // by vehicle
}

// New returns a predictor that has learned nothing: it tells the timetable's times between stops.
func New(n *network.Network) *Predictor {
	return &Predictor{net: n, links: make([]link, n.Links()), errors: newResiduals(), pending: make(map[string]*journey)}
}

// Bus is where a bus is on its way.
type Bus struct {
	Pattern *network.Pattern
	Run     *network.Run // nil when the trip is unknown
	Along   float64      // metres along the pattern's line
	Next    int          // the first stop ahead
	Time    time.Time    // of the fix
	Waits   bool         // at its first stop, not departed
}

// Stop is a predicted arrival. The four times never fall from one stop to the next.
type Stop struct {
	Index         int // into the pattern's stops
	P10, P50, P90 time.Time
	Expected      time.Time // what riders are told: rather early than late, for who comes late has missed it
}

// Predict appends the arrivals at all stops ahead that are at most that far in the future.
func (p *Predictor) Predict(dst []Stop, b *Bus, horizon time.Duration) []Stop {
	if b.Pattern == nil || b.Next > b.Pattern.Last() {
		return dst
	}
	at := float64(b.Time.UnixMilli()) / 1000
	clock := at
	if b.Waits {
		clock = p.departure(b, at)
	}
	i, part := max(b.Next, 1), 1.0
	if span := b.Pattern.Along[i] - b.Pattern.Along[i-1]; span > 0 {
		part = min(max((b.Pattern.Along[i]-b.Along)/span, 0), 1)
	}
	var last Stop
	for ; i <= b.Pattern.Last(); i++ {
		clock += part * p.between(b.Pattern, b.Run, i-1, clock)
		part = 1
		ahead := clock - at
		if ahead > horizon.Seconds() {
			break
		}
		s := p.errors.around(ahead)
		last = Stop{
			Index: i, P50: later(at+ahead, last.P50), P10: later(at+s.p10, last.P10),
			P90: later(at+s.p90, last.P90), Expected: later(at+s.told, last.Expected),
		}
		dst = append(dst, last)

	}
	return dst
}

// later returns a time that is not before another.
func later(seconds float64, t time.Time) time.Time {
	at := time.UnixMilli(int64(seconds * 1000)).UTC()
	if at.Before(t) {
		return t
	}
	return at
}

// departure is when a bus that waits at its first stop will leave it, in Unix s: not before its time,
// and not in the past.
func (p *Predictor) departure(b *Bus, now float64) float64 {
	if b.Run == nil {
		return now
	}
	return max(now, float64(b.Run.Departs(0)))
}

// between is how long a bus takes from its arrival at stop i to the one at the next, in s; at the first
// stop from its departure.
func (p *Predictor) between(pattern *network.Pattern, run *network.Run, i int, now float64) float64 {
	return p.links[pattern.Links[i]].estimate(scheduled(pattern, run, i)*p.general.ratio(now), now)
}

// scheduled is what the timetable says of a link, in s.
func scheduled(pattern *network.Pattern, run *network.Run, i int) float64 {
	trip := pattern.Trips[0]
	if run != nil {
		trip = run.Trip
	}
	from := trip.StopTimes[i].Arrival
	if i == 0 {
		from = trip.StopTimes[i].Departure
	}
	return max(float64(trip.StopTimes[i+1].Arrival-from), shortest)
}

// shortest is the least time that a link takes, in s: timetables are written in minutes, and two stops
// may share one.
const shortest = 10.0
