package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"nhip"
	"nhip/geo/index"
	"nhip/geo/tile"
	"nhip/internal/mqtt"

	"github.com/paulmach/orb"
)

// city is everything that is live, as the retained topics tell it. States are replaced, never
// changed, so whoever was handed one may keep it.
type city struct {
	buses *index.Index[*nhip.Bus] // by live topic
	lines map[string]string       // the number that riders know, by route_id
	hub   *hub

	mu       sync.RWMutex
	stations map[string]*nhip.Station // by id
	censuses map[string]mqtt.Census   // by collector
}

func newCity(h *hub, n *tile.Network) *city {
	lines := make(map[string]string, len(n.Routes))
	for _, r := range n.Routes {
		lines[r.ID] = r.Line
	}
	return &city{
		buses: index.New[*nhip.Bus](), lines: lines, hub: h,
		stations: make(map[string]*nhip.Station), censuses: make(map[string]mqtt.Census),
	}
}

// hear takes in one live message.
func (c *city) hear(topic string, payload []byte) error {
	if agency, vehicle, ok := mqtt.ParseLiveBus(topic); ok {
		return c.hearBus(topic, agency, vehicle, payload)
	}
	if station, ok := mqtt.ParseLiveAir(topic); ok {
		return c.hearStation(station, payload)
	}
	if collector, ok := mqtt.ParseCensus(topic); ok {
		return c.hearCensus(collector, payload)
	}
	return fmt.Errorf("%s is no live topic", topic)
}

func (c *city) hearBus(topic, agency, vehicle string, payload []byte) error {
	if len(payload) == 0 {
		if c.buses.Remove(topic) {
			c.hub.tell(update{key: topic, kind: "bus", agency: agency, id: vehicle})
		}
		return nil
	}
	b := new(nhip.Bus)
	if err := json.Unmarshal(payload, b); err != nil {
		return err
	}
	if b.Line == "" {
		b.Line = c.lines[b.Route]
	}
	if err := c.buses.Set(topic, b.Point(), b); err != nil {
		return err
	}
	c.hub.tell(update{key: topic, kind: "bus", bus: b})
	return nil
}

func (c *city) hearStation(id string, payload []byte) error {
	key := mqtt.LiveAirTopic(id)
	if len(payload) == 0 {
		c.mu.Lock()
		_, was := c.stations[id]
		delete(c.stations, id)
		c.mu.Unlock()
		if was {
			c.hub.tell(update{key: key, kind: "air", id: id})
		}
		return nil
	}
	s := new(nhip.Station)
	if err := json.Unmarshal(payload, s); err != nil {
		return err
	}
	c.mu.Lock()
	c.stations[id] = s
	c.mu.Unlock()
	c.hub.tell(update{key: key, kind: "air", station: s})
	return nil
}

func (c *city) hearCensus(collector string, payload []byte) error {
	var census mqtt.Census
	if len(payload) > 0 {
		if err := json.Unmarshal(payload, &census); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(payload) == 0 {
		delete(c.censuses, collector)
	} else {
		c.censuses[collector] = census
	}
	return nil
}

// complete reports whether a collector has counted and we hold as much as all of them count.
func (c *city) complete() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var buses, stations int
	for _, census := range c.censuses {
		buses += census.Buses
		stations += census.Stations
	}
	return len(c.censuses) > 0 && c.buses.Len() >= buses && len(c.stations) >= stations
}

// station returns one station.
func (c *city) station(id string) (*nhip.Station, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.stations[id]
	return s, ok
}

// allStations returns all stations by id.
func (c *city) allStations() []*nhip.Station {
	c.mu.RLock()
	out := make([]*nhip.Station, 0, len(c.stations))
	for _, s := range c.stations {
		out = append(out, s)
	}
	c.mu.RUnlock()
	slices.SortFunc(out, func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// allBuses returns all buses by agency and id.
func (c *city) allBuses() []*nhip.Bus {
	hits := c.buses.Within(nil, world, nil)
	out := make([]*nhip.Bus, len(hits))
	for i, h := range hits {
		out[i] = h.Item
	}
	return out
}

// bounds is the box around everything that is live; false when there is nothing.
func (c *city) bounds() (orb.Bound, bool) {
	var all orb.MultiPoint
	for _, b := range c.allBuses() {
		all = append(all, b.Point())
	}
	for _, s := range c.allStations() {
		if p, ok := s.Point(); ok {
			all = append(all, p)
		}
	}
	return all.Bound(), len(all) > 0
}
