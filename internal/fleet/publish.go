package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"nhip/internal/topics"
)

// Publisher publishes stations and vehicles to the other roles on retained topics. It does not publish devices, which
// have secrets. It sends changes only, and clears the topics of removed stations and vehicles.
type Publisher struct {
	send func(topic string, payload []byte)

	mu        sync.Mutex
	published map[string]string // payload by topic
}

// NewPublisher returns a publisher that passes retained messages to send, one at a time.
func NewPublisher(send func(topic string, payload []byte)) *Publisher {
	return &Publisher{send: send, published: make(map[string]string)}
}

// Publish sends the differences between a fleet and the previous one.
func (p *Publisher) Publish(f *Fleet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := messages(f)
	for _, topic := range slices.Sorted(maps.Keys(p.published)) {
		if _, stays := now[topic]; !stays {
			p.send(topic, nil)
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(now)) {
		if p.published[topic] != now[topic] {
			p.send(topic, []byte(now[topic]))
		}
	}
	p.published = now
}

// Republish sends the whole fleet, for a broker that may have lost the retained messages.
func (p *Publisher) Republish(f *Fleet) {
	p.mu.Lock()
	for topic := range p.published {
		p.published[topic] = "" // differs from every payload, so it is sent again or cleared
	}
	p.mu.Unlock()
	p.Publish(f)
}

func messages(f *Fleet) map[string]string {
	all := make(map[string]string, len(f.Stations)+len(f.Vehicles))
	for i := range f.Stations {
		all[topics.FleetStationTopic(f.Stations[i].ID)] = encode(&f.Stations[i])
	}
	for i := range f.Vehicles {
		all[topics.FleetVehicleTopic(f.Vehicles[i].ID)] = encode(&f.Vehicles[i])
	}
	return all
}

func encode(v any) string {
	raw, _ := json.Marshal(v) // never fails for texts and numbers
	return string(raw)
}
