package transit

import (
	"sync"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/topics"
	"nhip/internal/training"
)

// tracker holds the buses on a timetable and the predictor that their arrivals train.
type tracker struct {
	net    *network.Network
	clock  nhip.Clock
	boards *boardScore

	mu        sync.RWMutex
	trainer   training.Trainer // its lock is mu
	fleet     *board.Fleet
	score     *backtest.LiveScore
	buses     map[string]*TrackedBus // by live topic
	byID      map[string]*TrackedBus // by id in arrivals
	onPattern map[*network.Pattern]map[string]*TrackedBus
}

// newTracker returns a tracker without buses. runs tells which trips take place, as far as the operator's feeds say.
func newTracker(n *network.Network, clock nhip.Clock, lean float64, runs func(*network.TripInstance) bool,
	feeds *feedScores,
) *tracker {
	t := &tracker{
		net: n, clock: clock, fleet: board.NewFleet(n, predict.NewLeaning(n, lean), runs),
		score: backtest.NewLiveScore(clock.Now()), boards: newBoardScore(feeds),
		buses: make(map[string]*TrackedBus), byID: make(map[string]*TrackedBus),
		onPattern: make(map[*network.Pattern]map[string]*TrackedBus),
	}
	t.trainer = training.Trainer{Lock: &t.mu, Observe: t.observe}
	return t
}

// TrackedBus is a bus at its last fix, matched to the timetable. The tracker replaces it and never changes it.
type TrackedBus struct {
	Bus   *nhip.Bus
	State track.State

	vehicle *board.Vehicle
}

// Prediction returns the prediction for a stop, by its index in the bus's pattern, and false if there is none.
func (b *TrackedBus) Prediction(stop int) (predict.StopPrediction, bool) {
	return b.vehicle.Prediction(stop)
}

// nextCall returns the index of the next stop at which the bus calls. One that waits still calls at the first.
func (b *TrackedBus) nextCall() int {
	if onTrip := (board.Bus{State: &b.State}); onTrip.Waits() {
		return 0
	}
	return b.State.Next
}

// Serves reports whether the bus is trusted to be on a run of a trip, State.Instance.
func (b *TrackedBus) Serves() bool {
	s := &b.State
	return s.Instance != nil && s.Confidence >= board.MinConfidence && !s.Stranded()
}

// reports reports whether the last position of the bus is recent.
func (b *TrackedBus) reports(now time.Time) bool { return b.Bus.State(now) == nhip.StateLive }

// on returns the bus on a trip, nil if none is known. The caller must hold the lock.
func (t *tracker) on(trip *network.TripInstance) *TrackedBus {
	if v := t.fleet.On(trip); v != nil {
		return t.byID[v.ID]
	}
	return nil
}

// move replaces a bus and predicts its arrivals.
func (t *tracker) move(topic string, b *nhip.Bus) {
	x := &TrackedBus{Bus: b, State: track.Decode(t.net, b.Track, b.Time)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(topic)
	id := topics.BusDevice(b.Agency, b.ID)
	t.buses[topic], t.byID[id] = x, x
	x.vehicle = t.fleet.Move(id, &x.State)
	pattern := x.State.Pattern
	if pattern == nil {
		return
	}
	if t.onPattern[pattern] == nil {
		t.onPattern[pattern] = make(map[string]*TrackedBus)
	}
	t.onPattern[pattern][topic] = x
	if !x.State.Stranded() {
		t.score.Predicted(id, predict.BusOf(id, &x.State), x.vehicle.Ahead)
	}
}

// remove removes a bus that has left the live state.
func (t *tracker) remove(topic string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.buses[topic]; x != nil {
		t.score.Remove(topics.BusDevice(x.Bus.Agency, x.Bus.ID))
	}
	t.drop(topic)
}

// drop removes a bus from the maps.
func (t *tracker) drop(topic string) {
	old := t.buses[topic]
	if old == nil {
		return
	}
	id := topics.BusDevice(old.Bus.Agency, old.Bus.ID)
	delete(t.buses, topic)
	if t.byID[id] == old {
		delete(t.byID, id)
		t.fleet.Remove(id)
	}
	if old.State.Pattern != nil {
		delete(t.onPattern[old.State.Pattern], topic)
	}
}

// bus returns a bus, nil if it is not tracked.
func (t *tracker) bus(topic string) *TrackedBus {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.buses[topic]
}

// arrival observes a received arrival, or defers it until the stored ones are read.
func (t *tracker) arrival(a *nhip.Arrival) { t.trainer.Received(a) }

// observe passes an arrival to the predictor, unless it belongs to another timetable. A received arrival also verifies
// the predictions. The caller must hold the lock.
func (t *tracker) observe(a *nhip.Arrival, received bool) {
	x, ok := training.Arrival(t.net, a)
	if !ok {
		return
	}
	if received {
		t.score.Arrived(&x)
		t.boards.arrived(&x)
	}
	t.fleet.Observe(&x)
}
