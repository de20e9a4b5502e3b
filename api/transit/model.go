// Package transit models the timetable and the buses on it: stops, routes, departures, search, and the accuracy of the
// predictions.
package transit

import (
	"log/slog"
	"slices"
	"sync/atomic"

	"nhip"
	"nhip/api/live"
	"nhip/geo/gtfs"
	"nhip/geo/index"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/tile"

	"github.com/paulmach/orb"
)

// Options configure a Model.
type Options struct {
	Clock   nhip.Clock
	History History
	Network *network.Network // the timetable; nil if none is loaded
	Map     *tile.TransitMap // the drawing of the timetable; nil if none is loaded
	// Lean is how much earlier than the middle of its predictions a time is told, 0 to 1; unset it is predict.Lean
	Lean nhip.Opt[float64]
	// ScoresFile is where the scores of realtime feeds are kept over restarts; "": nowhere
	ScoresFile string
	Logger     *slog.Logger
}

// Model holds the timetable in use. It observes a live.State. Its methods may be called concurrently.
type Model struct {
	live.Ignore
	o     Options
	inUse atomic.Pointer[Timetable]

	services *services
	written  *writtenAlerts
	feeds    *feedScores
}

// New returns a model.
func New(o Options) *Model {
	m := &Model{o: o, services: newServices(), written: newWrittenAlerts(), feeds: newFeedScores()}
	m.feeds.load(o.ScoresFile, o.Logger)
	m.inUse.Store(newTimetable(o.Network, o.Map, 0, o.Clock, m.lean(), m.services, m.feeds))
	return m
}

func (m *Model) lean() float64 { return m.o.Lean.Or(predict.Lean) }

// Use replaces the timetable and tracks the current buses on the new one. Train must be called afterwards.
func (m *Model) Use(n *network.Network, drawn *tile.TransitMap, buses *index.Index[*nhip.Bus]) {
	t := newTimetable(n, drawn, m.inUse.Load().Version+1, m.o.Clock, m.lean(), m.services, m.feeds)
	track := func() {
		for _, h := range buses.Within(nil, index.World, nil) {
			t.tracker.move(h.ID, h.Item)
		}
	}
	track() // first, so that no request finds a timetable without buses
	m.inUse.Store(t)
	m.retell()
	track() // again, for buses that moved in between
}

// errNoTimetable is the error of requests that need a timetable.
var errNoTimetable = nhip.Errorf(nhip.CodeUnavailable, "", "no timetable is loaded (gtfs)")

// Timetable returns the timetable in use, or an error if none is loaded.
func (m *Model) Timetable() (*Timetable, error) {
	t := m.inUse.Load()
	if t.Network == nil {
		return nil, errNoTimetable
	}
	return t, nil
}

// Line returns the public number of a route, "" if it is unknown.
func (m *Model) Line(route string) string { return m.inUse.Load().lines[route] }

// Map returns the drawing of the timetable in use and its version, which rises with each timetable.
func (m *Model) Map() (drawn *tile.TransitMap, version uint64) {
	t := m.inUse.Load()
	return t.Map, t.Version
}

// Bounds returns the bounds of the drawing, which are empty if no timetable is loaded.
func (m *Model) Bounds() orb.Bound {
	drawn, _ := m.Map()
	return drawn.Bound()
}

// Expires returns the last day of the timetable in use, 0 if it has none, and whether that day is over.
func (m *Model) Expires() (last gtfs.Date, over bool) {
	t := m.inUse.Load()
	if t.expires == 0 {
		return 0, false
	}
	return t.expires, gtfs.DateOf(m.o.Clock.Now().In(t.Network.Location())) > t.expires
}

// Tracked returns a bus by its live topic, nil if it is not tracked.
func (m *Model) Tracked(topic string) *TrackedBus {
	t := m.inUse.Load()
	if t.Network == nil {
		return nil
	}
	return t.tracker.bus(topic)
}

// Serves returns whether a bus calls at a stop, by its index in the bus's pattern, as far as the operator's feeds say.
func (m *Model) Serves(b *TrackedBus) func(stop int) bool {
	trip := b.State.Instance
	if trip == nil {
		return func(int) bool { return true }
	}
	state := m.services.of(trip, m.o.Clock.Now())
	return func(stop int) bool {
		return (state.runs() || b.State.Inferred) && !state.skips(stop) &&
			(!state.hasOtherStops() || slices.Contains(state.stops, stop))
	}
}

// Bus implements live.Observer.
func (m *Model) Bus(topic string, b *nhip.Bus) {
	if t := m.inUse.Load(); t.Network != nil {
		t.tracker.move(topic, b)
		t.askBoards(m.o.Clock.Now())
	}
}

// BusGone implements live.Observer.
func (m *Model) BusGone(topic, _, _ string) {
	if t := m.inUse.Load(); t.Network != nil {
		t.tracker.remove(topic)
	}
}

// Arrival implements live.Observer.
func (m *Model) Arrival(a *nhip.Arrival) {
	if t := m.inUse.Load(); t.Network != nil {
		t.tracker.arrival(a)
	}
}

// Service implements live.Observer.
func (m *Model) Service(topic string, state any) { m.services.receive(topic, state) }
