package board

import (
	"slices"
	"sync"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// PredictAhead is how far ahead arrivals are predicted.
const PredictAhead = 90 * time.Minute

// forgetAfter is how long what buses did on a trip is kept after they did it: the longest time for which a board may
// still offer the trip elsewhere.
const forgetAfter = 2 * time.Hour

// Fleet is the buses of a network with their predictions, and what is learned from them, as boards need them. Its
// methods that return offers may be called concurrently, but not while Move, Remove or Observe run.
type Fleet struct {
	predictor *predict.Predictor
	runs      func(*network.TripInstance) bool

	buses  map[string]*Vehicle    // by id
	onTrip map[tripKey][]*Vehicle // mostly one; the one that moved last is the last
	served map[tripKey]*service

	turns      *turns
	departures *departures
	plans      plans
	swept      time.Time
}

// tripKey identifies a trip instance, whose address changes when a network evicts a day.
type tripKey struct {
	trip  *gtfs.Trip
	day   gtfs.Date
	start gtfs.Time
}

func keyOf(t *network.TripInstance) tripKey { return tripKey{t.Trip, t.Day, t.Start} }

// Vehicle is a bus at its last position. The fleet replaces it and never changes it.
type Vehicle struct {
	ID    string // as in its arrivals
	State track.State
	Ahead []predict.StopPrediction // ordered by stop; empty if something says that it will not come

	predictNext sync.Once
	next        []NextTrip
}

// service is what a bus did on a trip, by its last position on it.
type service struct {
	time  time.Time
	next  int                      // index of its next stop
	ahead []predict.StopPrediction // what was predicted then
}

// NewFleet returns a fleet without buses. runs tells which trips take place.
func NewFleet(n *network.Network, p *predict.Predictor, runs func(*network.TripInstance) bool) *Fleet {
	return &Fleet{
		predictor: p, runs: runs, buses: make(map[string]*Vehicle), onTrip: make(map[tripKey][]*Vehicle),
		served: make(map[tripKey]*service), turns: newTurns(n), departures: newDepartures(),
	}
}

// UsePredictor replaces the predictor. It must be called before all other methods.
func (f *Fleet) UsePredictor(p *predict.Predictor) { f.predictor = p }

// Move replaces a bus and predicts its arrivals.
func (f *Fleet) Move(id string, s *track.State) *Vehicle {
	f.Remove(id)
	f.sweep(s.Time)
	v := &Vehicle{ID: id, State: *s}
	f.buses[id] = v
	if s.Pattern == nil || s.Stranded() {
		return v // its trip is one without a bus
	}
	b := predict.BusOf(id, &v.State)
	v.Ahead = f.predictor.Predict(nil, b, PredictAhead)
	f.predictor.Show(b, v.Ahead)
	if s.Instance == nil {
		return v
	}
	key := keyOf(s.Instance)
	f.onTrip[key] = append(f.onTrip[key], v)
	if s.Confidence >= MinConfidence && s.TripHolds() && !b.Waiting {
		f.served[key] = &service{s.Time, s.Next, v.Ahead}
	}
	return v
}

// Remove removes a bus.
func (f *Fleet) Remove(id string) {
	old := f.buses[id]
	if old == nil {
		return
	}
	delete(f.buses, id)
	if inst := old.State.Instance; inst != nil {
		f.leave(keyOf(inst), old)
	}
}

// leave removes a bus from its trip, on which another one may be, too.
func (f *Fleet) leave(key tripKey, v *Vehicle) {
	on := f.onTrip[key]
	if on = slices.DeleteFunc(on, func(other *Vehicle) bool { return other == v }); len(on) == 0 {
		delete(f.onTrip, key)
		return
	}
	f.onTrip[key] = on
}

// Observe learns from an arrival. The arrivals of one vehicle must come in order.
func (f *Fleet) Observe(a *predict.Arrival) {
	f.departures.observe(f, a)
	f.predictor.Observe(a)
}

// sweep forgets what buses did long ago, every ten minutes.
func (f *Fleet) sweep(now time.Time) {
	if now.Sub(f.swept) < 10*time.Minute {
		return
	}
	f.swept = now
	for key, s := range f.served {
		if now.Sub(s.time) > forgetAfter {
			delete(f.served, key)
		}
	}
	f.departures.sweep(now)
}

// Bus returns a bus, nil if it is unknown.
func (f *Fleet) Bus(id string) *Vehicle { return f.buses[id] }

// On returns the bus on a trip, nil if none is known. Of several it is one that reports the trip, then one whose line
// is sure, then the one that moved last.
func (f *Fleet) On(trip *network.TripInstance) (best *Vehicle) {
	for _, v := range f.onTrip[keyOf(trip)] {
		if best == nil || !best.surerThan(v) {
			best = v
		}
	}
	return best
}

// surerThan reports whether the bus is more likely on its trip than another one.
func (v *Vehicle) surerThan(other *Vehicle) bool {
	if v.State.Inferred != other.State.Inferred {
		return other.State.Inferred
	}
	return v.State.Confidence >= MinConfidence && other.State.Confidence < MinConfidence
}

// OnBoard returns the bus as boards see it. reports tells whether its last position is recent.
func (v *Vehicle) OnBoard(reports bool) *Bus {
	return &Bus{State: &v.State, Ahead: v.Ahead, Reports: reports}
}

// Prediction returns the prediction for a stop, by its index in the bus's pattern, and false if there is none.
func (v *Vehicle) Prediction(stop int) (predict.StopPrediction, bool) {
	return predictionAt(v.Ahead, stop)
}

// predictionAt returns the prediction for a stop among some that are ordered by stop.
func predictionAt(ahead []predict.StopPrediction, stop int) (predict.StopPrediction, bool) {
	i, found := slices.BinarySearchFunc(ahead, stop, func(s predict.StopPrediction, stop int) int {
		return s.Index - stop
	})
	if !found {
		return predict.StopPrediction{}, false
	}
	return ahead[i], true
}
