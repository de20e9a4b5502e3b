package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"nhip"
	"nhip/geo/index"
	"nhip/internal/fleet"
	"nhip/internal/topics"
)

// fleetRegistry holds the fleet's data about stations and vehicles. They are merged into copies of the reported states.
type fleetRegistry struct {
	mu       sync.RWMutex
	stations map[string]*fleet.Station
	vehicles map[string]*fleet.Vehicle
	gateways map[string]bool // that have announced themselves on this connection
}

func newFleetRegistry() *fleetRegistry {
	return &fleetRegistry{
		stations: make(map[string]*fleet.Station), vehicles: make(map[string]*fleet.Vehicle), gateways: make(map[string]bool),
	}
}

// receive applies a fleet message and returns the id of its station or of its vehicle. An empty payload removes the
// entry.
func (r *fleetRegistry) receive(topic string, payload []byte) (station, vehicle string, err error) {
	station, vehicle, ok := topics.ParseFleet(topic)
	switch {
	case !ok:
		return "", "", fmt.Errorf("%s is not a fleet topic", topic)
	case station != "":
		return station, "", put(r, r.stations, station, payload)
	default:
		return "", vehicle, put(r, r.vehicles, vehicle, payload)
	}
}

// announce adds a gateway, or removes it.
func (r *fleetRegistry) announce(id string, answers bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gateways[id] = true; !answers {
		delete(r.gateways, id)
	}
}

// forgetGateways removes all gateways: on a new connection those announce themselves that are still there.
func (r *fleetRegistry) forgetGateways() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.gateways)
}

// Gateways returns the ids of the gateways that answer requests about their devices, sorted.
func (s *State) Gateways() []string {
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.fleet.gateways))
}

// put stores the decoded payload in one of r's maps, or removes the entry if the payload is empty.
func put[T any](r *fleetRegistry, entries map[string]*T, id string, payload []byte) error {
	var entry *T
	if len(payload) > 0 {
		entry = new(T)
		if err := json.Unmarshal(payload, entry); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if entries[id] = entry; entry == nil {
		delete(entries, id)
	}
	return nil
}

// enrichBus sets the fleet's data of a bus. An entry that names an agency applies only to that agency's bus.
func (r *fleetRegistry) enrichBus(b *nhip.Bus) {
	r.mu.RLock()
	v := r.vehicles[b.ID]
	r.mu.RUnlock()
	if v == nil || v.Agency != "" && v.Agency != b.Agency {
		v = new(fleet.Vehicle)
	}
	b.Plate, b.UsualLine, b.DeclaredInterval = v.Plate, v.Line, v.Interval.Seconds()
}

// enrichStation returns a received station with the fleet's data. It does not change the received one.
func (r *fleetRegistry) enrichStation(received *nhip.Station) *nhip.Station {
	r.mu.RLock()
	known := r.stations[received.ID]
	r.mu.RUnlock()
	switch {
	case known != nil:
		return enrich(received, known)
	case received.Private:
		return enrich(received, &fleet.Station{Position: fleet.Private})
	}
	return received
}

// enrich returns a copy of a station with the fleet's data. The fleet's position replaces the reported one, and a
// private position is removed.
func enrich(received *nhip.Station, known *fleet.Station) *nhip.Station {
	s := *received
	s.Name, s.Kind, s.Owner, s.ReportInterval = known.Name, known.Kind, known.Owner, known.Period.Seconds()
	s.Zone, s.Area, s.Mobile = known.Zone, known.Area, known.Mobile
	switch {
	case known.Position == fleet.Private || received.Private: // the collector's word holds until an entry says "public"
		s.Lat, s.Lon = nhip.Opt[float64]{}, nhip.Opt[float64]{}
	case len(known.At) == 2:
		s.Lon, s.Lat = nhip.Some(known.At[0]), nhip.Some(known.At[1])
	}
	return &s
}

// located returns, by id, the stations with a public position in the fleet and those on buses.
func (r *fleetRegistry) located() map[string]*nhip.Station {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make(map[string]*nhip.Station, len(r.stations))
	for id, known := range r.stations {
		if known.Position != fleet.Private && (len(known.At) == 2 || known.Mobile) {
			out[id] = enrich(&nhip.Station{ID: id}, known)
		}
	}
	return out
}

// station returns a station of the fleet, without values, and false if the fleet does not have it.
func (r *fleetRegistry) station(id string) (*nhip.Station, bool) {
	r.mu.RLock()
	known := r.stations[id]
	r.mu.RUnlock()
	if known == nil {
		return nil, false
	}
	return enrich(&nhip.Station{ID: id}, known), true
}

// FleetStation returns the entry of a station in the fleet file, which must not be changed; nil if there is none.
func (s *State) FleetStation(id string) *fleet.Station {
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	return s.fleet.stations[id]
}

// allStations returns the stations of the fleet by id, without values.
func (r *fleetRegistry) allStations() map[string]*nhip.Station {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make(map[string]*nhip.Station, len(r.stations))
	for id, known := range r.stations {
		out[id] = enrich(&nhip.Station{ID: id}, known)
	}
	return out
}

// receiveFleet applies a fleet message and notifies the observers of the bus or station that it changes.
func (s *State) receiveFleet(topic string, payload []byte) error {
	if id, ok := topics.ParseFleetGateway(topic); ok {
		s.fleet.announce(id, len(payload) > 0)
		return nil
	}
	station, vehicle, err := s.fleet.receive(topic, payload)
	if err != nil {
		return err
	}
	if station != "" {
		s.publishStation(topics.LiveAirTopic(station))
		return nil
	}
	for _, h := range s.buses.Within(nil, index.World, nil) {
		if h.Item.ID != vehicle {
			continue
		}
		b := *h.Item
		s.fleet.enrichBus(&b)
		key := topics.LiveBusTopic(b.Agency, b.ID)
		if err := s.buses.Set(key, b.Point(), &b); err != nil {
			return err
		}
		for _, o := range s.observers {
			o.Bus(key, &b)
		}
	}
	return nil
}
