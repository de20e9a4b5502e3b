package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"nhip"
	"nhip/geo/index"
	"nhip/geo/tile"
	"nhip/internal/mqtt"

	"github.com/paulmach/orb"
)

// city is everything that is live, as the retained topics tell it. States are replaced, never
// changed, so whoever was handed one may keep it.
type city struct {
	buses   *index.Index[*nhip.Bus]           // by live topic
	lines   atomic.Pointer[map[string]string] // the number that riders know, by route_id
	hub     *hub
	transit atomic.Pointer[transit] // nil where no timetable is loaded
	sky     *sky                    // hears of monitors

	mu       sync.RWMutex
	fleet    *register
	said     map[string]*nhip.Station // by live topic, as the live topic says
	stations map[string]*nhip.Station // by live topic, as they are shown
	heard    heard
}

func newCity(h *hub, n *tile.Network) *city {
	c := &city{
		buses: index.New[*nhip.Bus](), hub: h,
		fleet: newRegister(), said: make(map[string]*nhip.Station), stations: make(map[string]*nhip.Station), heard: newHeard(),
	}
	c.name(n)
	return c
}

// name takes over the numbers of a network's lines.
func (c *city) name(n *tile.Network) {
	lines := make(map[string]string, len(n.Routes))
	for _, r := range n.Routes {
		lines[r.ID] = r.Line
	}
	c.lines.Store(&lines)
}

// connected must be called before a new connection's first message: what is heard from then on is
// held against the censuses anew.
func (c *city) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard.begin()
}

// hear takes in one live message.
func (c *city) hear(topic string, payload []byte) error {
	if strings.HasPrefix(topic, strings.TrimSuffix(mqtt.Fleet, "#")) {
		return c.hearFleet(topic, payload)
	}
	if mqtt.IsArrival(topic) {
		return c.transit.Load().hearArrival(payload)
	}
	var err error
	if agency, vehicle, ok := mqtt.ParseLiveBus(topic); ok {
		err = c.hearBus(topic, agency, vehicle, payload)
	} else if station, ok := mqtt.ParseLiveAir(topic); ok {
		err = c.hearStation(topic, station, payload)
	} else if collector, ok := mqtt.ParseCensus(topic); ok {
		err = c.hearCensus(collector, payload)
	} else {
		err = fmt.Errorf("%s is no live topic", topic)
	}
	c.dropGhosts()
	return err
}

func (c *city) hearBus(topic, agency, vehicle string, payload []byte) error {
	if len(payload) == 0 {
		c.removeBus(topic, agency, vehicle)
		return nil
	}
	b := new(nhip.Bus)
	if err := json.Unmarshal(payload, b); err != nil {
		return err
	}
	if b.Line == "" {
		b.Line = (*c.lines.Load())[b.Route]
	}
	c.fleet.dressBus(b)
	if err := c.buses.Set(topic, b.Point(), b); err != nil {
		return err
	}
	c.transit.Load().move(topic, b)
	c.mu.Lock()
	c.heard.bus(topic)
	c.mu.Unlock()
	c.hub.tell(&update{key: topic, kind: "bus", bus: b})
	return nil
}

func (c *city) removeBus(topic, agency, vehicle string) {
	c.mu.Lock()
	c.heard.forget(topic)
	c.mu.Unlock()
	c.transit.Load().remove(topic)
	if c.buses.Remove(topic) {
		c.hub.tell(&update{key: topic, kind: "bus", agency: agency, id: vehicle})
	}
}

func (c *city) hearStation(topic, id string, payload []byte) error {
	if len(payload) == 0 {
		c.removeStation(topic, id)
		return nil
	}
	s := new(nhip.Station)
	if err := json.Unmarshal(payload, s); err != nil {
		return err
	}
	c.mu.Lock()
	c.said[topic] = s
	c.heard.station(topic)
	c.mu.Unlock()
	c.showStation(topic)
	return nil
}

func (c *city) removeStation(topic, id string) {
	c.mu.Lock()
	_, was := c.stations[topic]
	delete(c.stations, topic)
	delete(c.said, topic)
	c.heard.forget(topic)
	c.mu.Unlock()
	if was {
		c.sky.touched.Add(1)
		c.hub.tell(&update{key: topic, kind: "air", id: id})
	}
}

func (c *city) hearCensus(collector string, payload []byte) error {
	var census *mqtt.Census
	if len(payload) > 0 {
		census = new(mqtt.Census)
		if err := json.Unmarshal(payload, census); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard.census(collector, census)
	return nil
}

// dropGhosts takes off the map what left it while the connection was lost: once everything that is
// counted was heard again, what was not heard is not there.
func (c *city) dropGhosts() {
	c.mu.Lock()
	ghosts := c.heard.ghosts()
	c.mu.Unlock()
	for _, topic := range ghosts {
		if agency, vehicle, ok := mqtt.ParseLiveBus(topic); ok {
			c.removeBus(topic, agency, vehicle)
		} else if station, ok := mqtt.ParseLiveAir(topic); ok {
			c.removeStation(topic, station)
		}
	}
}

// complete reports whether a collector has counted and everything that all of them count was heard
// on this connection.
func (c *city) complete() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.heard.complete()
}

// collectors returns the names of those that count on this connection, sorted.
func (c *city) collectors() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.heard.censuses))
}

// station returns one station.
func (c *city) station(id string) (*nhip.Station, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.stations[mqtt.LiveAirTopic(id)]
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

// bounds is the box around everything that is live; false when there is nothing.
func (c *city) bounds() (orb.Bound, bool) {
	var all orb.MultiPoint
	for _, h := range c.buses.Within(nil, world, nil) {
		all = append(all, h.Point)
	}
	for _, s := range c.allStations() {
		if p, ok := s.Point(); ok {
			all = append(all, p)
		}
	}
	return all.Bound(), len(all) > 0
}
