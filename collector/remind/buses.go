package remind

import (
	"sync"
	"time"

	"nhip"
	"nhip/collector/live"
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/predict"
	georemind "nhip/geo/remind"
	"nhip/geo/track"
	"nhip/internal/topics"
	"nhip/internal/training"
)

// buses predicts the buses of the lines that reminders name. It learns from the arrivals of all, as the api does.
type buses struct {
	moves *live.Moves
	lean  float64

	mu        sync.Mutex // also the trainer's
	net       *network.Network
	board     *board.Fleet
	trainer   *training.Trainer
	byTopic   map[string]*georemind.Bus
	byVehicle map[*board.Vehicle]*georemind.Bus
	onPattern map[*network.Pattern]map[string]*georemind.Bus // then by topic
	reports   map[string]*nhip.Bus                           // by topic: of all buses
	wants     wanted
	runs      func(*network.TripInstance) bool
}

func newBuses(s *live.State, lean float64) *buses {
	f := &buses{moves: live.NewMoves(s), lean: lean, runs: func(*network.TripInstance) bool { return true }}
	f.clear(nil)
	return f
}

// clear begins anew on a timetable. The caller holds mu, unless nobody else knows f.
func (f *buses) clear(n *network.Network) {
	f.net, f.board, f.trainer = n, nil, nil
	f.byTopic, f.byVehicle = make(map[string]*georemind.Bus), make(map[*board.Vehicle]*georemind.Bus)
	f.onPattern, f.reports = make(map[*network.Pattern]map[string]*georemind.Bus), make(map[string]*nhip.Bus)
	f.moves.Forget()
	if n == nil {
		return
	}
	f.board = board.NewFleet(n, predict.NewLeaning(n, f.lean), func(t *network.TripInstance) bool { return f.runs(t) })
	observed := f.board
	f.trainer = &training.Trainer{Lock: &f.mu, Observe: func(a *nhip.Arrival, _ bool) {
		if x, ok := training.Arrival(n, a); ok {
			observed.Observe(&x)
		}
	}}
}

// use follows the buses on a timetable; it returns the trainer of a new one, nil if it is in use already.
func (f *buses) use(n *network.Network) *training.Trainer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.net == n {
		return nil
	}
	f.clear(n)
	return f.trainer
}

// learn learns from an arrival.
func (f *buses) learn(a *nhip.Arrival) {
	f.mu.Lock()
	t := f.trainer
	f.mu.Unlock()
	if t != nil {
		t.Received(a)
	}
}

// want predicts the buses that reminders are about, from now on.
func (f *buses) want(w wanted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wants = w
	for topic, b := range f.reports {
		if f.wanted(b) != (f.byTopic[topic] != nil) {
			f.move(b)
		}
	}
}

// update takes in the buses that have moved.
func (f *buses) update() {
	moved, gone := f.moves.Take()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, topic := range gone {
		f.drop(topic)
		delete(f.reports, topic)
	}
	for i := range moved {
		f.move(&moved[i])
	}
}

// wanted reports whether a reminder is about a bus.
func (f *buses) wanted(b *nhip.Bus) bool {
	if f.board == nil {
		return false
	}
	if named := f.wants.buses[[2]string{b.Agency, b.ID}]; named || b.Track == nil {
		return named
	}
	p := f.net.Pattern(b.Track.Pattern)
	return p != nil && f.wants.routes[p.Route.ID]
}

func (f *buses) move(b *nhip.Bus) {
	topic := topics.LiveBusTopic(b.Agency, b.ID)
	f.reports[topic] = b
	f.drop(topic)
	if !f.wanted(b) {
		return
	}
	state := track.Decode(f.net, b.Track, b.Time)
	x := &georemind.Bus{
		Vehicle: f.board.Move(topics.BusDevice(b.Agency, b.ID), &state), Agency: b.Agency, ID: b.ID,
	}
	f.byTopic[topic], f.byVehicle[x.Vehicle] = x, x
	if state.Pattern == nil {
		return
	}
	if f.onPattern[state.Pattern] == nil {
		f.onPattern[state.Pattern] = make(map[string]*georemind.Bus)
	}
	f.onPattern[state.Pattern][topic] = x
}

func (f *buses) drop(topic string) {
	old := f.byTopic[topic]
	if old == nil {
		return
	}
	delete(f.byTopic, topic)
	delete(f.byVehicle, old.Vehicle)
	if p := old.State.Pattern; p != nil {
		delete(f.onPattern[p], topic)
	}
	f.board.Remove(topics.BusDevice(old.Agency, old.ID))
}

// reporting sets whether the last position of a bus is recent. The caller holds mu.
func (f *buses) reporting(x *georemind.Bus, now time.Time) *georemind.Bus {
	if x == nil {
		return nil
	}
	b := f.reports[topics.LiveBusTopic(x.Agency, x.ID)]
	x.Reports = b != nil && b.State(now) == nhip.StateLive
	return x
}

// decide calls a function while the buses are in a city. The city must not be used afterwards.
func (f *buses) decide(c *georemind.City, decide func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fill(c)
	decide()
}

func (f *buses) fill(c *georemind.City) {
	now := c.Now
	c.Network, c.Fleet = f.net, f.board
	c.On = func(p *network.Pattern) []*georemind.Bus {
		out := make([]*georemind.Bus, 0, len(f.onPattern[p]))
		for _, x := range f.onPattern[p] {
			out = append(out, f.reporting(x, now))
		}
		return out
	}
	c.Of = func(v *board.Vehicle) *georemind.Bus { return f.reporting(f.byVehicle[v], now) }
	c.Bus = func(agency, vehicle string) *georemind.Bus {
		topic := topics.LiveBusTopic(agency, vehicle)
		if x := f.byTopic[topic]; x != nil {
			return f.reporting(x, now)
		}
		if f.reports[topic] != nil { // no position of it was taken in since somebody is interested
			return &georemind.Bus{Vehicle: &board.Vehicle{}, Agency: agency, ID: vehicle}
		}
		return nil
	}
}
