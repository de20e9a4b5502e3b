package live

import (
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/realtime"
	"nhip/internal/topics"
)

// Moves follows the tracked buses of a State for one reader, who asks now and then what has changed.
type Moves struct {
	state *State
	seen  map[string]*lastPosition // by topic
}

// NewMoves returns Moves that have seen no bus.
func NewMoves(s *State) *Moves { return &Moves{state: s, seen: make(map[string]*lastPosition)} }

// Forget makes the next Take return all buses.
func (m *Moves) Forget() { clear(m.seen) }

// Take returns the buses that have moved since the last call, as far as predictions need them, and the topics of those
// that are gone.
func (m *Moves) Take() (moved []nhip.Bus, gone []string) {
	positions, gone := m.changed()
	moved = make([]nhip.Bus, 0, len(positions))
	for topic, p := range positions {
		agency, vehicle, ok := topics.ParseLiveBus(topic)
		if !ok {
			continue
		}
		moved = append(moved, nhip.Bus{
			Agency: agency, ID: vehicle, Time: time.UnixMilli(p.time).UTC(), Interval: float64(p.interval),
			Latency: m.state.latencies[agency].Seconds(), Track: p.track,
		})
	}
	return moved, gone
}

func (m *Moves) changed() (positions map[string]*lastPosition, gone []string) {
	positions = make(map[string]*lastPosition)
	s := m.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, p := range s.buses {
		if m.seen[topic] != p {
			m.seen[topic], positions[topic] = p, p
		}
	}
	if len(m.seen) == len(s.buses) {
		return positions, nil
	}
	for topic := range m.seen {
		if s.buses[topic] == nil {
			delete(m.seen, topic)
			gone = append(gone, topic)
		}
	}
	return positions, gone
}

// Network returns the timetable on which buses are tracked; nil if none is loaded.
func (s *State) Network() *network.Network { return s.network.Load() }

// ServiceAlerts returns the service alerts that hold. They must not be changed.
func (s *State) ServiceAlerts() (out []*nhip.ServiceAlert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services.each(func(_ string, entry any) {
		if a, is := entry.(*nhip.ServiceAlert); is {
			out = append(out, a)
		}
	})
	return out
}

// ChangedTrips returns by their trip_id what feeds say of trips that do not run, or skip a stop. They must not be
// changed.
func (s *State) ChangedTrips(now time.Time) map[string][]realtime.Change {
	out := make(map[string][]realtime.Change)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.services.feeds {
		state := f.state // it changes once the lock is released
		for _, e := range f.entries {
			if u := e.trip; u != nil && u.Trip != "" && u.ChangesService() && u.HoldsAt(now, &f.state) {
				out[u.Trip] = append(out[u.Trip], realtime.Change{Update: u, Feed: &state})
			}
		}
	}
	return out
}

// PublicStations returns the current states of all stations as others may see them. They must not be changed.
func (s *State) PublicStations() []*nhip.Station {
	all := s.Stations()
	for i, st := range all {
		all[i] = s.published(st)
	}
	return all
}
