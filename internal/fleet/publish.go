package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"nhip/internal/mqtt"
)

// Publisher tells the other roles of stations and vehicles, on retained topics, without what devices log in
// with. It sends what changed only, and clears what has left.
type Publisher struct {
	send func(topic string, payload []byte)

	mu   sync.Mutex
	told map[string]string // payload by topic
}

// NewPublisher returns a publisher that hands retained messages to send, one after the other.
func NewPublisher(send func(topic string, payload []byte)) *Publisher {
	return &Publisher{send: send, told: make(map[string]string)}
}

// Publish tells what a fleet says that was not told before.
func (p *Publisher) Publish(f *Fleet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := messages(f)
	for _, topic := range slices.Sorted(maps.Keys(p.told)) {
		if _, stays := now[topic]; !stays {
			p.send(topic, nil)
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(now)) {
		if p.told[topic] != now[topic] {
			p.send(topic, []byte(now[topic]))
		}
	}
	p.told = now
}

// Again tells everything anew, to a broker that may have lost it.
func (p *Publisher) Again(f *Fleet) {
	p.mu.Lock()
	for topic := range p.told {
		p.told[topic] = "" // sent again, or cleared
	}
	p.mu.Unlock()
	p.Publish(f)
}

func messages(f *Fleet) map[string]string {
	all := make(map[string]string, len(f.Stations)+len(f.Vehicles))
	for i := range f.Stations {
		all[mqtt.FleetStationTopic(f.Stations[i].ID)] = encode(&f.Stations[i])
	}
	for i := range f.Vehicles {
		all[mqtt.FleetVehicleTopic(f.Vehicles[i].ID)] = encode(&f.Vehicles[i])
	}
	return all
}

func encode(v any) string {
	raw, _ := json.Marshal(v) // texts and numbers only
	return string(raw)
}
