// Package predict predicts when buses reach the stops ahead of them. The middle of a prediction is a weighted mean of
// paths: how long all earlier buses took between the same stops, the same without what they were held for being early,
// and how long the recent ones took. The paths are weighed by how right each was lately. Where few buses were seen, the
// timetable stands in, corrected by how long buses take on this line and in this city. The range comes from the errors
// of the predictor's own predictions as riders saw them. The time to tell riders is earlier than the middle; see
// TellEarly.
//
// A predictor that is fed the stored arrivals of the last hours predicts like one that observed them live; only what
// positions tell between arrivals is lost.
package predict

import (
	"time"

	"nhip/geo/network"
)

// Predictor predicts arrivals from the arrivals that it has observed. Predict may be called concurrently, but not
// while Observe or Show runs.
type Predictor struct {
	lean float64
	learned

	vehicles map[string]*vehicle
	past     map[string]*vehicle // in arrivals that are older than what is on show
	forgetAt int                 // vehicles
	ahead    []StopPrediction    // reused between calls
}

// New returns a predictor without observations: it predicts the scheduled times between stops. Its times for riders are
// told early by Lean.
func New(n *network.Network) *Predictor { return NewLeaning(n, Lean) }

// NewLeaning returns a predictor that tells times early by another lean, 0 to 1; see TellEarly.
func NewLeaning(n *network.Network, lean float64) *Predictor {
	return &Predictor{
		lean: lean, learned: newLearned(n), vehicles: make(map[string]*vehicle), past: make(map[string]*vehicle),
		forgetAt: vehiclesKept,
	}
}

// Lean returns how much earlier than the middle of its predictions a time is told; see TellEarly.
func (p *Predictor) Lean() float64 { return p.lean }

// Predict appends the predicted arrivals at all stops that the bus reaches within the horizon, and before them its
// departure if it waits at its first stop. Where the timetable lets it wait, it does not leave before its departure as
// far as buses are held there.
func (p *Predictor) Predict(dst []StopPrediction, b *Bus, horizon time.Duration) []StopPrediction {
	if b.Pattern == nil || b.Next > b.Pattern.Last() {
		return dst
	}
	v := p.vehicles[b.Vehicle]
	w := p.newWalk(b, v)
	stood := v.stood(b, w.fix)
	i := max(b.Next, 1)
	if b.atStart(stood) {
		departure := w.depart(b)
		if b.Waiting {
			if w.begins.p50-w.fix > horizon.Seconds() {
				return dst
			}
			dst = append(dst, departure)
		}
		if i == 1 {
			w.toSecondStop(b, stood)
		} else {
			w.reach(w.begins.p50)
			w.drive(i-1, remaining(b, i))
		}
	} else {
		if stood >= standing {
			w.state = stateStanding
		}
		w.toNextStop(b, v, i)
	}
	for ; i <= b.Pattern.Last(); i++ {
		if w.now()-w.fix > horizon.Seconds() {
			break
		}
		dst = append(dst, w.arrive(i))
		if i < b.Pattern.Last() {
			w.leave(i)
			w.drive(i, 1)
		}
	}
	return dst
}

// Bounds of when a bus stands.
const (
	standing = 40.0 // s after which it stands for another reason than a stop
	dwellOf  = 40.0 // m behind a stop within which a bus may still be there
)

// toNextStop drives to stop i from the place of a bus.
func (w *walk) toNextStop(b *Bus, v *vehicle, i int) {
	arrived, known := v.arrivedAt(b, i-1)
	part := remaining(b, i)
	switch {
	case !b.Pattern.AtStop(i-1, b.Along):
	case waits(b.Pattern, b.Instance, i-1):
		w.stand(i-1, arrived, known)
	case known && b.Along-b.Pattern.Along[i-1] <= dwellOf:
		w.finish(i-1, part, arrived)
		return
	}
	w.drive(i-1, w.progress.left(part))
}

// remaining returns the part of the segment to stop i that is ahead of a bus.
func remaining(b *Bus, i int) float64 {
	span := b.Pattern.Along[i] - b.Pattern.Along[i-1]
	if span <= 0 {
		return 1
	}
	return min(max((b.Pattern.Along[i]-b.Along)/span, 0), 1)
}

// newWalk returns a walk that begins at the position of a bus.
func (p *Predictor) newWalk(b *Bus, v *vehicle) walk {
	fix, l := unix(b.Time), p.lines[b.Pattern.Index]
	w := walk{
		learned: &p.learned, lean: p.lean, pattern: b.Pattern, instance: b.Instance, fix: fix,
		ratio: p.lineRatio(l, fix), pace: v.relativePace(fix), holds: p.lineHolds(l), weights: p.pathWeights(l),
		begins: at(fix), floor: fix, last: at(fix),
	}
	w.reach(fix)
	return w
}
