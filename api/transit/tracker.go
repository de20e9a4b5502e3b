package transit

import (
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/topics"
)

// predictAhead is how far ahead arrivals are predicted.
const predictAhead = 90 * time.Minute

// tracker holds the buses on a timetable and the predictor that their arrivals train.
type tracker struct {
	net   *network.Network
	clock nhip.Clock
	runs  func(*network.TripInstance) bool // as far as the operator's feeds say

	mu         sync.RWMutex
	trained    bool           // whether the stored arrivals were read
	deferred   []nhip.Arrival // arrivals received before that
	predictor  *predict.Predictor
	score      *backtest.LiveScore
	buses      map[string]*TrackedBus // by live topic
	onPattern  map[*network.Pattern]map[string]*TrackedBus
	byInstance map[*network.TripInstance]*TrackedBus
}

func newTracker(n *network.Network, clock nhip.Clock, lean float64, runs func(*network.TripInstance) bool) *tracker {
	return &tracker{
		net: n, clock: clock, runs: runs, score: backtest.NewLiveScore(clock.Now()),
		predictor: predict.NewLeaning(n, lean),
		buses:     make(map[string]*TrackedBus),
		onPattern: make(map[*network.Pattern]map[string]*TrackedBus), byInstance: make(map[*network.TripInstance]*TrackedBus),
	}
}

// TrackedBus is a bus at its last fix, matched to the timetable. The tracker replaces it and never changes it.
type TrackedBus struct {
	Bus   *nhip.Bus
	State track.State

	ahead []predict.StopPrediction // ordered by stop

	predictNext sync.Once
	next        []nextTrip
}

// Prediction returns the prediction for a stop, by its index in the bus's pattern, and false if there is none.
func (b *TrackedBus) Prediction(stop int) (predict.StopPrediction, bool) {
	i, found := slices.BinarySearchFunc(b.ahead, stop, func(s predict.StopPrediction, stop int) int {
		return s.Index - stop
	})
	if !found {
		return predict.StopPrediction{}, false
	}
	return b.ahead[i], true
}

// nextCall returns the index of the next stop at which the bus calls. One that waits still calls at the first.
func (b *TrackedBus) nextCall() int {
	if onTrip := (board.Bus{State: &b.State}); onTrip.Waits() {
		return 0
	}
	return b.State.Next
}

// onBoard returns the bus as boards see it, with its predictions for a trip.
func (b *TrackedBus) onBoard(ahead []predict.StopPrediction, now time.Time) *board.Bus {
	return &board.Bus{State: &b.State, Ahead: ahead, Reports: b.Bus.State(now) == nhip.StateLive}
}

// move replaces a bus and predicts its arrivals.
func (t *tracker) move(topic string, b *nhip.Bus) {
	x := &TrackedBus{Bus: b, State: track.Decode(t.net, b.Track, b.Time)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(topic)
	t.buses[topic] = x
	pattern := x.State.Pattern
	if pattern == nil {
		return
	}
	if t.onPattern[pattern] == nil {
		t.onPattern[pattern] = make(map[string]*TrackedBus)
	}
	t.onPattern[pattern][topic] = x
	if x.State.Stranded() {
		return // its trip is one without a bus
	}
	at := predict.BusOf(topics.BusDevice(b.Agency, b.ID), &x.State)
	x.ahead = t.predictor.Predict(nil, at, predictAhead)
	t.predictor.Show(at, x.ahead)
	t.score.Predicted(topics.BusDevice(b.Agency, b.ID), at, x.ahead)
	if x.State.Instance != nil {
		t.byInstance[x.State.Instance] = x
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
	delete(t.buses, topic)
	if old.State.Pattern != nil {
		delete(t.onPattern[old.State.Pattern], topic)
	}
	if old.State.Instance != nil && t.byInstance[old.State.Instance] == old {
		delete(t.byInstance, old.State.Instance)
	}
}

// bus returns a bus, nil if it is not tracked.
func (t *tracker) bus(topic string) *TrackedBus {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.buses[topic]
}
