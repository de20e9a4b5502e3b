package api

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/gtfs"
	"nhip/geo/index"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/mqtt"
	"nhip/internal/pause"

	"github.com/paulmach/orb/geo"
)

// How the predictor comes to know what was before the api began.
const (
	learnedFrom    = 3 * time.Hour // of stored arrivals: what it would remember of them
	learnRetry     = 10 * time.Second
	heardMeanwhile = 200_000 // arrivals that may wait for the stored ones
)

// predictAhead is how far ahead buses are predicted.
const predictAhead = 90 * time.Minute

// transit is the timetable with the buses that run on it now.
type transit struct {
	net     *network.Network
	clock   nhip.Clock
	stops   *index.Index[*gtfs.Stop] // platforms
	names   *finder
	expires gtfs.Date // the last day of the timetable; 0 where it says none

	mu      sync.RWMutex
	learned bool
	waiting []nhip.Arrival // heard before the stored ones were read
	predict *predict.Predictor
	score   *backtest.Live
	riding  map[string]*riding // by live topic
	on      map[*network.Pattern]map[string]*riding
	running map[*network.Run]*riding
}

// riding is a bus on its way, as it was at its last fix. It is replaced, never changed.
type riding struct {
	bus   *nhip.Bus
	state track.State
	ahead []predict.Stop
}

// at returns the prediction for a stop of the bus's pattern.
func (r *riding) at(stop int) (predict.Stop, bool) {
	i, found := slices.BinarySearchFunc(r.ahead, stop, func(s predict.Stop, stop int) int { return s.Index - stop })
	if !found {
		return predict.Stop{}, false
	}
	return r.ahead[i], true
}

func newTransit(n *network.Network, clock nhip.Clock) *transit {
	t := &transit{
		net: n, clock: clock, expires: n.Feed.Expires(), stops: index.New[*gtfs.Stop](), predict: predict.New(n), score: backtest.NewLive(clock.Now()), riding: make(map[string]*riding),
		on: make(map[*network.Pattern]map[string]*riding), running: make(map[*network.Run]*riding),
	}
	for _, s := range n.Feed.Stops {
		if s.Kind == gtfs.Platform && len(n.CallsAt(s)) > 0 {
			_ = t.stops.Set(s.ID, s.Point, s) // the timetable's places were checked when it was read
		}
	}
	t.names = newFinder(t)
	return t
}

// move takes in where a bus is.
func (t *transit) move(topic string, b *nhip.Bus) {
	if t == nil {
		return
	}
	r := &riding{bus: b, state: track.Heard(t.net, b.Track, b.Time)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(topic)
	t.riding[topic] = r
	if r.state.Pattern == nil {
		return
	}
	at := predict.BusOf(&r.state)
	r.ahead = t.predict.Predict(nil, at, predictAhead)
	t.score.Said(mqtt.BusDevice(b.Agency, b.ID), at, r.ahead)
	on := t.on[r.state.Pattern]
	if on == nil {
		on = make(map[string]*riding)
		t.on[r.state.Pattern] = on
	}
	on[topic] = r
	if r.state.Run != nil {
		t.running[r.state.Run] = r
	}
}

// remove drops a bus that has left.
func (t *transit) remove(topic string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.riding[topic]; r != nil {
		t.score.Gone(mqtt.BusDevice(r.bus.Agency, r.bus.ID))
	}
	t.drop(topic)
}

func (t *transit) drop(topic string) {
	old := t.riding[topic]
	if old == nil {
		return
	}
	delete(t.riding, topic)
	if old.state.Pattern != nil {
		delete(t.on[old.state.Pattern], topic)
	}
	if old.state.Run != nil && t.running[old.state.Run] == old {
		delete(t.running, old.state.Run)
	}
}

// of returns a bus on its way, or nil.
func (t *transit) of(topic string) *riding {
	if t == nil {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.riding[topic]
}

// hearArrival takes in an arrival event.
func (t *transit) hearArrival(payload []byte) error {
	if t == nil {
		return nil
	}
	var a nhip.Arrival
	if err := json.Unmarshal(payload, &a); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.learned {
		if len(t.waiting) < heardMeanwhile {
			t.waiting = append(t.waiting, a)
		}
		return nil
	}
	t.learn(&a, true)
	return nil
}

// learn teaches the predictor an arrival; one of another timetable tells it nothing. A live one also shows
// how right the predictor was.
func (t *transit) learn(a *nhip.Arrival, live bool) {
	p := t.net.Pattern(a.Pattern)
	if p == nil || a.Index < 0 || a.Index > p.Last() || p.Stops[a.Index].ID != a.Stop {
		return
	}
	x := predict.Arrival{
		Vehicle: mqtt.BusDevice(a.Agency, a.Vehicle), Pattern: p, Run: track.RunOf(t.net, a.Trip, a.StartDate, a.StartTime),
		Stop: a.Index, Departed: a.Departed,
	}
	if a.Index > 0 {
		x.Arrived = a.Time
	} else {
		x.Departed = a.Time
	}
	if live {
		t.score.Arrived(&x)
	}
	t.predict.Learn(&x)
}

// remember teaches the predictor what is stored of the last hours, and then what was heard meanwhile.
// While the database is away it is tried again.
func (t *transit) remember(ctx context.Context, h History, complain func(error)) {
	var stored []nhip.Arrival
	for {
		now := t.clock.Now()
		stored = stored[:0]
		err := h.Arrivals(ctx, now.Add(-learnedFrom), now, func(a nhip.Arrival) error {
			stored = append(stored, a)
			return nil
		})
		if err == nil {
			break
		}
		complain(err)
		if !pause.For(ctx, learnRetry) {
			return
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	newest := time.Time{}
	for i := range stored {
		t.learn(&stored[i], false)
		newest = stored[i].Time
	}
	for i := range t.waiting {
		if t.waiting[i].Time.After(newest) {
			t.learn(&t.waiting[i], true)
		}
	}
	t.waiting, t.learned = nil, true
}

// How people walk: slower than the straight line says, and not fast.
const (
	walkDetour = 1.3
	walkSpeed  = 1.2 // m/s
)

// walk is a way to a stop on foot.
type walk struct {
	stop    *gtfs.Stop
	metres  float64
	seconds float64
	index   int
}

// walkTo returns the stop to walk to for a bus, the nearest of its line that is still ahead of it, and
// whether the bus has passed the stop that is nearest to the asker. Without a stop ahead, walk.stop is nil.
func (r *riding) walkTo(f *network.Place) (to walk, passed bool) {
	p := r.state.Pattern
	nearest, ahead := 0, -1
	least, leastAhead := f.MetresSquared(p.Stops[0].Point), 0.0
	for i := range p.Stops {
		d := f.MetresSquared(p.Stops[i].Point)
		if d < least {
			nearest, least = i, d
		}
		if i >= r.state.Next && i < p.Last() && (ahead < 0 || d < leastAhead) { // nobody boards at the last
			ahead, leastAhead = i, d
		}
	}
	passed = nearest < r.state.Next
	if ahead < 0 {
		return walk{}, passed
	}
	s := p.Stops[ahead]
	m := geo.DistanceHaversine(f.Point, s.Point) * walkDetour
	return walk{stop: s, metres: m, seconds: m / walkSpeed, index: ahead}, passed
}
