package predict

import (
	"time"

	"nhip/geo/network"
)

// moment is the predicted time of one event, in Unix s.
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

// walk is the predicted progress of a bus from stop to stop.
type walk struct {
	p        *Predictor
	pattern  *network.Pattern
	instance *network.TripInstance

	from  moment  // the start, and the waiting since then
	drive float64 // s of driving since the start
	last  moment  // of the latest event; those after it are not before it
}

// now returns the median time, in Unix s.
func (w *walk) now() float64 { return w.from.p50 + w.drive }

// link drives a part of the link from stop i to the next one.
func (w *walk) link(i int, part float64) {
	w.drive += part * w.p.between(w.pattern, w.instance, i, w.now())
}

// arrive returns the moment at which the bus arrives, after the driving so far.
func (w *walk) arrive() moment {
	s := w.p.residuals.around(w.drive)
	w.last = moment{
		p10: max(w.from.p10+s.p10, w.last.p10), early: max(w.from.early+s.early, w.last.early),
		p50: max(w.now(), w.last.p50), p90: max(w.from.p90+s.p90, w.last.p90),
	}
	return w.last
}

// leave waits at stop i, where the bus has arrived at the last moment. The earlier it comes, the longer it waits.
func (w *walk) leave(i int) {
	if !waits(w.pattern, w.instance, i) {
		return
	}
	wait := func(from, arrived *float64) {
		leaves := w.p.leaves(w.pattern, w.instance, i, *arrived)
		*from += leaves - *arrived
		*arrived = leaves
	}
	wait(&w.from.p10, &w.last.p10)
	wait(&w.from.early, &w.last.early)
	wait(&w.from.p50, &w.last.p50)
	wait(&w.from.p90, &w.last.p90)
}

// How fast a bus comes to its first stop, as the crow flies, in m/s: 25 km/h along streets, a motorway, and a jam.
const (
	approachSpeed        = 5.5
	fastestApproachSpeed = 15.0
	slowestApproachSpeed = 3.0
)

// approach drives to the first stop.
func (w *walk) approach(metres float64) {
	if metres <= 0 {
		return
	}
	took := metres / approachSpeed
	w.from = moment{
		p10: w.from.p10 + metres/fastestApproachSpeed, early: w.from.early + w.p.residuals.around(took).early,
		p50: w.from.p50 + took, p90: w.from.p90 + metres/slowestApproachSpeed,
	}
}

// depart waits at the first stop until the bus is ready and its departure is due.
func (w *walk) depart(b *Bus) {
	if b.ready != nil {
		w.from = *b.ready
	}
	w.approach(b.ToStart)
	if b.Instance != nil {
		w.from = w.from.atLeast(float64(b.Instance.Departs(0)))
	}
	w.last = w.from
}

// stand waits at stop i, which the bus has not left, until its departure. Without exact times that depends on when it
// arrived; if that is unknown, it may leave at once.
func (w *walk) stand(b *Bus, i int) {
	if !waits(w.pattern, w.instance, i) {
		return
	}
	fix := w.now()
	arrived, known := w.p.arrivedAt(b, i)
	if !known && (b.Instance == nil || b.Instance.HeadwayBased) {
		return
	}
	if !known {
		arrived = fix
	}
	w.from = at(max(fix, w.p.leaves(b.Pattern, b.Instance, i, arrived)))
	w.last = w.from
}

// arrivedAt returns when a bus arrived at stop i, in Unix s, and false if that was not observed or the bus has gone on.
func (p *Predictor) arrivedAt(b *Bus, i int) (float64, bool) {
	j := p.journeys[b.Vehicle]
	if j == nil || j.pattern != b.Pattern || j.instance != b.Instance || j.stop != i || j.time > unix(b.Time) {
		return 0, false
	}
	return j.time, true
}
