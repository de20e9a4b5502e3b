// Package live holds the current state of buses and stations. It receives them from the retained live topics, adds the
// fleet's data, and determines whether the state is complete.
package live

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/geo/index"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// Options configure a State.
type Options struct {
	Clock   nhip.Clock
	History History
	LineOf  func(route string) string // returns the public number of a route, "" if it is unknown
	Zone    *time.Location            // of stations without a zone in the fleet; nil is UTC
	Logger  *slog.Logger
}

// State is the current state. One goroutine calls Connected and Receive; the other methods may be called concurrently.
// A State replaces buses and stations and never changes them, so callers may keep them.
type State struct {
	o         Options
	buses     *index.Index[*nhip.Bus] // by live topic
	observers []Observer
	past      *cache.Timed[*Fleet]
	fleet     *fleetRegistry

	mu       sync.RWMutex
	received map[string]*nhip.Station // by live topic, as published
	stations map[string]*nhip.Station // by live topic, with the fleet's data
	census   censusTracker
}

// New returns an empty State.
func New(o Options) *State {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &State{
		o: o, buses: index.New[*nhip.Bus](), past: cache.NewTimed[*Fleet](maxFleets, maxFleetReads),
		fleet: newFleetRegistry(), received: make(map[string]*nhip.Station), stations: make(map[string]*nhip.Station),
		census: newCensusTracker(),
	}
}

// Observe registers an observer. It must be called before the first message.
func (s *State) Observe(o Observer) { s.observers = append(s.observers, o) }

// Close cancels running reads of the past and waits for them.
func (s *State) Close() { s.past.Close() }

// Connected must be called before the first message of each connection to the broker: the censuses are compared with
// the messages of the connection.
func (s *State) Connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.census.begin()
	s.fleet.forgetGateways()
}

// RetainedReceived must be called on each connection when the retained messages have probably all arrived.
func (s *State) RetainedReceived() {
	s.mu.Lock()
	s.census.retained = true
	s.mu.Unlock()
	s.dropUnseen()
}

// Receive applies a message of a live topic, a fleet topic or an arrival topic. It returns an error, and leaves the
// state unchanged, if the topic is another one or the payload is invalid.
func (s *State) Receive(topic string, payload []byte) error {
	if strings.HasPrefix(topic, strings.TrimSuffix(topics.Fleet, "#")) {
		return s.receiveFleet(topic, payload)
	}
	if topics.IsArrival(topic) {
		return s.receiveArrival(payload)
	}
	var err error
	if agency, vehicle, ok := topics.ParseLiveBus(topic); ok {
		err = s.receiveBus(topic, agency, vehicle, payload)
	} else if station, ok := topics.ParseLiveAir(topic); ok {
		err = s.receiveStation(topic, station, payload)
	} else if collector, ok := topics.ParseCensus(topic); ok {
		err = s.receiveCensus(collector, payload)
	} else if kind, _, _, ok := topics.ParseService(topic); ok {
		err = s.receiveService(topic, kind, payload)
	} else {
		err = fmt.Errorf("%s is not a live topic", topic)
	}
	s.dropUnseen()
	return err
}

func (s *State) receiveBus(topic, agency, vehicle string, payload []byte) error {
	if len(payload) == 0 {
		s.removeBus(topic, agency, vehicle)
		return nil
	}
	b := new(nhip.Bus)
	if err := json.Unmarshal(payload, b); err != nil {
		return err
	}
	s.enrichBus(b)
	if err := s.buses.Set(topic, b.Point(), b); err != nil {
		return err
	}
	for _, o := range s.observers {
		o.Bus(topic, b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.census.bus(topic)
	return nil
}

// enrichBus sets the public number of the route, if it is missing, and the fleet's data.
func (s *State) enrichBus(b *nhip.Bus) {
	if b.Line == "" {
		b.Line = s.o.LineOf(b.Route)
	}
	s.fleet.enrichBus(b)
}

func (s *State) removeBus(topic, agency, vehicle string) {
	s.mu.Lock()
	s.census.forget(topic)
	s.mu.Unlock()
	if !s.buses.Remove(topic) {
		return
	}
	for _, o := range s.observers {
		o.BusGone(topic, agency, vehicle)
	}
}

func (s *State) receiveStation(topic, id string, payload []byte) error {
	if len(payload) == 0 {
		s.removeStation(topic, id)
		return nil
	}
	received := new(nhip.Station)
	if err := json.Unmarshal(payload, received); err != nil {
		return err
	}
	s.mu.Lock()
	s.received[topic] = received
	s.census.station(topic)
	s.mu.Unlock()
	s.publishStation(topic)
	return nil
}

// publishStation adds the fleet's data to a received station and notifies the observers.
func (s *State) publishStation(topic string) {
	s.mu.Lock()
	received, ok := s.received[topic]
	var station *nhip.Station
	if ok {
		station = s.fleet.enrichStation(received)
		s.stations[topic] = station
	}
	s.mu.Unlock()
	if !ok {
		return
	}
	for _, o := range s.observers {
		o.Station(topic, station)
	}
}

func (s *State) removeStation(topic, id string) {
	s.mu.Lock()
	_, was := s.stations[topic]
	delete(s.stations, topic)
	delete(s.received, topic)
	s.census.forget(topic)
	s.mu.Unlock()
	if !was {
		return
	}
	for _, o := range s.observers {
		o.StationGone(topic, id)
	}
}

func (s *State) receiveArrival(payload []byte) error {
	a := new(nhip.Arrival)
	if err := json.Unmarshal(payload, a); err != nil {
		return err
	}
	for _, o := range s.observers {
		o.Arrival(a)
	}
	return nil
}

func (s *State) receiveCensus(collector string, payload []byte) error {
	var census *topics.Census
	if len(payload) > 0 {
		census = new(topics.Census)
		if err := json.Unmarshal(payload, census); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.census.count(collector, census)
	return nil
}

// dropUnseen removes the buses and stations that were cleared while the connection was lost: once everything in the
// censuses has been received again, the others no longer exist.
func (s *State) dropUnseen() {
	s.mu.Lock()
	unseen := s.census.unseen()
	s.mu.Unlock()
	for _, topic := range unseen {
		if agency, vehicle, ok := topics.ParseLiveBus(topic); ok {
			s.removeBus(topic, agency, vehicle)
		} else if station, ok := topics.ParseLiveAir(topic); ok {
			s.removeStation(topic, station)
		} else {
			s.removeService(topic)
		}
	}
}

// Complete reports whether at least one census and as many buses and stations as all censuses count were received on
// this connection.
func (s *State) Complete() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.census.complete()
}

// Served reports whether the state may be served: it is complete, or no collector publishes a census and everything
// that the broker has retained was received on this connection.
func (s *State) Served() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.census.served()
}

// Uncounted reports whether no collector publishes a census. Nobody keeps the state current then.
func (s *State) Uncounted() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.census.uncounted()
}

// Collectors returns the sorted names of the collectors whose census was received on this connection.
func (s *State) Collectors() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.census.censuses))
}

// Station returns a station, and false if it does not exist.
func (s *State) Station(id string) (*nhip.Station, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	station, ok := s.stations[topics.LiveAirTopic(id)]
	return station, ok
}

// UnknownStation returns the error for a station that does not exist.
func UnknownStation(id string) error {
	return nhip.Errorf(nhip.CodeNotFound, "id", "there is no station %q", id)
}

// Stations returns all stations, ordered by id.
func (s *State) Stations() []*nhip.Station {
	s.mu.RLock()
	out := slices.Collect(maps.Values(s.stations))
	s.mu.RUnlock()
	slices.SortFunc(out, func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Located returns, by id, the stations with a public position and those on buses according to the fleet. It includes
// stations of the fleet that have not reported.
func (s *State) Located() map[string]*nhip.Station {
	out := s.fleet.located()
	for _, station := range s.Stations() {
		if _, ok := station.Point(); ok {
			out[station.ID] = station
		}
	}
	return out
}

// Known returns a station of the live state or else, without values, of the fleet. It returns false if neither has it.
func (s *State) Known(id string) (*nhip.Station, bool) {
	if station, ok := s.Station(id); ok {
		return station, true
	}
	return s.fleet.station(id)
}

// AllKnown returns, by id, the stations of the live state and, without values, the others of the fleet.
func (s *State) AllKnown() map[string]*nhip.Station {
	out := s.fleet.allStations()
	for _, station := range s.Stations() {
		out[station.ID] = station
	}
	return out
}

// Zone returns the time zone of the station's daily roll-ups.
func (s *State) Zone(station string) *time.Location {
	if known, ok := s.Known(station); ok && known.Zone != "" {
		if zone, err := time.LoadLocation(known.Zone); err == nil {
			return zone
		}
	}
	return s.o.Zone
}

// Buses returns the index of the current buses, by live topic. It changes with the state.
func (s *State) Buses() *index.Index[*nhip.Bus] { return s.buses }

// Bus returns a bus by its live topic, and false if it does not exist.
func (s *State) Bus(topic string) (*nhip.Bus, bool) { return s.buses.Get(topic) }

// UnknownBus returns the error for a bus that does not exist.
func UnknownBus(agency, id string) error {
	return nhip.Errorf(nhip.CodeNotFound, "id", "agency %q has no bus %q on the map", agency, id)
}

// AllBuses returns all buses on the map, ordered by agency and id.
func (s *State) AllBuses() []*nhip.Bus {
	found := s.buses.Within(nil, index.World, nil)
	out := make([]*nhip.Bus, len(found))
	for i, x := range found {
		out[i] = x.Item
	}
	slices.SortFunc(out, func(a, b *nhip.Bus) int {
		return cmp.Or(cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Bounds returns the bounds of the buses and stations in an area; they are empty if there are none.
func (s *State) Bounds(area orb.Bound) orb.Bound {
	var all orb.MultiPoint
	for _, h := range s.buses.Within(nil, index.World, nil) {
		if area.Contains(h.Point) {
			all = append(all, h.Point)
		}
	}
	for _, station := range s.Stations() {
		if p, ok := station.Point(); ok && area.Contains(p) {
			all = append(all, p)
		}
	}
	return all.Bound()
}
