package transit

import (
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/internal/topics"
)

// maxNextTrips is how many trips after its present one a bus is expected to serve.
const maxNextTrips = 4

// nextTrip is a trip that a bus will serve after its present one.
type nextTrip struct {
	instance *network.TripInstance
	ahead    []predict.StopPrediction // with the departure from the first stop
	stops    int                      // that the bus has ahead of it before this trip
}

// nextTrips returns the next trips of a bus within predictAhead. They are predicted at the first request after each
// fix. The caller must hold the lock.
func (t *tracker) nextTrips(b *TrackedBus) []nextTrip {
	b.predictNext.Do(func() { b.next = t.predictNextTrips(b) })
	return b.next
}

func (t *tracker) predictNextTrips(b *TrackedBus) (out []nextTrip) {
	if b.State.Inferred && b.State.Confidence < board.MinConfidence { // its block says nothing
		return nil
	}
	bus, ahead := *predict.BusOf(topics.BusDevice(b.Bus.Agency, b.Bus.ID), &b.State), b.ahead
	stops := 0
	for len(out) < maxNextTrips {
		next, ok := t.predictor.NextTrip(&bus, ahead, t.runs)
		if !ok {
			break
		}
		stops += bus.Pattern.Last() - bus.Next + 1
		bus, ahead = next, t.predictor.Predict(nil, &next, predictAhead)
		if len(ahead) == 0 {
			break
		}
		out = append(out, nextTrip{instance: bus.Instance, ahead: ahead, stops: stops})
	}
	return out
}

// expectedBus returns the bus that will serve a trip after the one it serves now, and nil if it is unknown. The caller
// must hold the lock.
func (t *tracker) expectedBus(trip *network.TripInstance) (*TrackedBus, *nextTrip) {
	before := trip.Previous
	for range maxNextTrips {
		if before == nil {
			break
		}
		if b := t.byInstance[before]; b != nil {
			next := t.nextTrips(b)
			for i := range next {
				if next[i].instance == trip {
					return b, &next[i]
				}
			}
			break // the bus does not come that far within the horizon
		}
		before = before.Previous
	}
	return nil, nil
}
