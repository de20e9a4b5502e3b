package predict

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/track"
)

// Arrival is an arrival of a bus at a stop, or its departure from the first one.
type Arrival struct {
	Vehicle  string
	Pattern  *network.Pattern
	Instance *network.TripInstance
	Stop     int
	Arrived  time.Time // zero at the first stop
	Departed time.Time // zero if unknown
}

// at returns the time from which links are measured, in Unix s.
func (a *Arrival) at() float64 {
	t := a.Arrived
	if t.IsZero() {
		t = a.Departed
	}
	return unix(t)
}

// journey is the progress of one vehicle, with the predictions that await their arrivals.
type journey struct {
	pattern  *network.Pattern
	instance *network.TripInstance
	stop     int
	time     float64
	pending  []pendingPrediction
}

// pendingPrediction is a prediction that awaits its arrival.
type pendingPrediction struct {
	stop        int
	from, drive float64 // start of the leg, Unix s; predicted s from then
}

// Observe updates the predictor with an arrival. The arrivals of one vehicle must come in order.
func (p *Predictor) Observe(a *Arrival) {
	if a.Arrived.IsZero() && a.Stop > 0 || a.Arrived.IsZero() && a.Departed.IsZero() {
		return // a departure adds no information to the next arrival
	}
	now := a.at()
	j := p.journeys[a.Vehicle]
	if j != nil && j.pattern == a.Pattern && j.instance == a.Instance && j.stop == a.Stop && j.time == now {
		return // two collectors that follow one bus both report it
	}
	if j != nil && j.pattern == a.Pattern && j.instance == a.Instance && a.Stop > j.stop && now >= j.time {
		p.observeLinks(j, a, now)
		p.observeErrors(j, a, now)
	} else {
		j = &journey{}
		p.journeys[a.Vehicle] = j
	}
	j.pattern, j.instance, j.stop, j.time = a.Pattern, a.Instance, a.Stop, now
	p.predictAhead(j, now)
}

// observeLinks distributes the time since the previous stop, without waiting for departures, over the links between, in
// proportion to their scheduled times.
func (p *Predictor) observeLinks(j *journey, a *Arrival, now float64) {
	whole, waited, clock := 0.0, 0.0, j.time
	for i := j.stop; i < a.Stop; i++ {
		leaves, drive := p.leaves(a.Pattern, a.Instance, i, clock), scheduled(a.Pattern, a.Instance, i)
		waited, whole, clock = waited+leaves-clock, whole+drive, leaves+drive
	}
	p.observeHold(j, a, now, whole)
	took := now - j.time
	took = max(took-waited, min(took, whole/2)) // the bus may have left too early
	for i := j.stop; i < a.Stop; i++ {
		expected := scheduled(a.Pattern, a.Instance, i)
		p.links[a.Pattern.Links[i]].observe(took*expected/whole, expected, now)
	}
	p.overall.add(min(took/whole, maxRatio), whole/60, now)
}

// predictAhead stores predictions for the stops ahead, to measure their errors later.
func (p *Predictor) predictAhead(j *journey, now float64) {
	w := walk{p: p, pattern: j.pattern, instance: j.instance, from: at(now)}
	w.last = w.from
	for i := j.stop; i < j.pattern.Last(); i++ {
		w.leave(i)
		w.link(i, 1)
		if w.now()-now > maxHorizon {
			return
		}
		w.arrive()
		j.pending = append(j.pending, pendingPrediction{stop: i + 1, from: w.from.p50, drive: w.drive})
	}
}

// maxHorizon is how far ahead errors are measured, in s.
const maxHorizon = 45 * 60.0

// observeErrors compares the arrival with the predictions for it.
func (p *Predictor) observeErrors(j *journey, a *Arrival, now float64) {
	kept := j.pending[:0]
	for _, t := range j.pending {
		switch {
		case t.stop == a.Stop:
			p.residuals.add(t.drive, now-t.from)
		case t.stop > a.Stop:
			kept = append(kept, t)
		}
	}
	j.pending = kept
}

// ArrivalOf converts a stop event of a tracker.
func ArrivalOf(vehicle string, p *track.StopEvent) *Arrival {
	return &Arrival{
		Vehicle: vehicle, Pattern: p.Pattern, Instance: p.Instance, Stop: p.Stop, Arrived: p.Arrived, Departed: p.Departed,
	}
}

// BusOf converts a state of a tracker.
func BusOf(vehicle string, s *track.State) *Bus {
	return &Bus{
		Vehicle: vehicle, Pattern: s.Pattern, Instance: s.Instance, Along: s.Along, Next: s.Next, Time: s.Time,
		Waiting: s.Status == track.StatusLayover || s.Status == track.StatusDeadhead, ToStart: s.ToStart,
	}
}
