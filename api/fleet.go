package api

import (
	"encoding/json"
	"fmt"
	"sync"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

// register is what the fleet says of stations and vehicles. What a device says of itself does not change
// with it; it is added to what is shown.
type register struct {
	mu       sync.RWMutex
	stations map[string]*fleet.Station
	vehicles map[string]*fleet.Vehicle
}

func newRegister() *register {
	return &register{stations: make(map[string]*fleet.Station), vehicles: make(map[string]*fleet.Vehicle)}
}

// hear takes in a message of the fleet; an empty payload says that the thing has left.
func (r *register) hear(topic string, payload []byte) (station, vehicle string, err error) {
	station, vehicle, ok := mqtt.ParseFleet(topic)
	switch {
	case !ok:
		return "", "", fmt.Errorf("%s is no topic of the fleet", topic)
	case station != "":
		return station, "", put(r, r.stations, station, payload)
	default:
		return "", vehicle, put(r, r.vehicles, vehicle, payload)
	}
}

func put[T any](r *register, in map[string]*T, id string, payload []byte) error {
	var said *T
	if len(payload) > 0 {
		said = new(T)
		if err := json.Unmarshal(payload, said); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if in[id] = said; said == nil {
		delete(in, id)
	}
	return nil
}

// dressBus adds to a bus what the fleet says of it. An entry that names an agency is about its bus only.
func (r *register) dressBus(b *nhip.Bus) {
	r.mu.RLock()
	v := r.vehicles[b.ID]
	r.mu.RUnlock()
	if v == nil || v.Agency != "" && v.Agency != b.Agency {
		v = new(fleet.Vehicle)
	}
	b.Plate, b.UsualLine, b.Declared = v.Plate, v.Line, v.Interval.Seconds()
}

// dressStation returns a station as it is shown: as it said, and as the fleet says. Where a station stands
// is the fleet's to say, and not at all where that is private.
func (r *register) dressStation(said *nhip.Station) *nhip.Station {
	r.mu.RLock()
	known := r.stations[said.ID]
	r.mu.RUnlock()
	if known == nil {
		return said
	}
	return dress(said, known)
}

func dress(said *nhip.Station, known *fleet.Station) *nhip.Station {
	s := *said
	s.Name, s.Kind, s.Owner, s.Reports = known.Name, known.Kind, known.Owner, known.Period.Seconds()
	s.Zone, s.Area, s.Mobile = known.Zone, known.Area, known.Mobile
	switch {
	case known.Position == fleet.Private:
		s.Lat, s.Lon = nhip.Opt[float64]{}, nhip.Opt[float64]{}
	case len(known.At) == 2:
		s.Lon, s.Lat = nhip.Some(known.At[0]), nhip.Some(known.At[1])
	}
	return &s
}

// placed returns the stations that the fleet says where they stand, or that they ride on a bus.
func (r *register) placed() map[string]*nhip.Station {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make(map[string]*nhip.Station, len(r.stations))
	for id, known := range r.stations {
		if known.Position != fleet.Private && (len(known.At) == 2 || known.Mobile) {
			out[id] = dress(&nhip.Station{ID: id}, known)
		}
	}
	return out
}

// hearFleet takes in a message of the fleet, and shows anew what it is about.
func (c *city) hearFleet(topic string, payload []byte) error {
	station, vehicle, err := c.fleet.hear(topic, payload)
	if err != nil {
		return err
	}
	if station != "" {
		c.showStation(mqtt.LiveAirTopic(station))
		return nil
	}
	for _, h := range c.buses.Within(nil, world, nil) {
		if h.Item.ID != vehicle {
			continue
		}
		b := *h.Item
		c.fleet.dressBus(&b)
		key := mqtt.LiveBusTopic(b.Agency, b.ID)
		if err := c.buses.Set(key, b.Point(), &b); err != nil {
			return err
		}
		c.transit.Load().move(key, &b)
		c.hub.tell(&update{key: key, kind: "bus", bus: &b})
	}
	return nil
}

// showStation dresses a station that was heard.
func (c *city) showStation(topic string) {
	c.mu.Lock()
	said, ok := c.said[topic]
	var s *nhip.Station
	if ok {
		s = c.fleet.dressStation(said)
		c.stations[topic] = s
	}
	c.mu.Unlock()
	if ok {
		c.sky.rovers.hear(s)
		c.sky.touched.Add(1)
		c.hub.tell(&update{key: topic, kind: "air", station: s})
	}
}
