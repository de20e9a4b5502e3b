package live

import (
	"encoding/json"
	"fmt"

	"nhip"
	"nhip/internal/topics"
)

// receiveService applies a message about a feed, a trip or a service alert.
func (s *State) receiveService(topic, kind string, payload []byte) error {
	if len(payload) == 0 {
		s.removeService(topic)
		return nil
	}
	var state any
	switch kind {
	case topics.ServiceFeed:
		state = new(nhip.ServiceFeed)
	case topics.ServiceTrip:
		state = new(nhip.TripUpdate)
	case topics.ServiceAlert:
		state = new(nhip.ServiceAlert)
	default:
		return fmt.Errorf("%s is not a live topic", topic)
	}
	if err := json.Unmarshal(payload, state); err != nil {
		return err
	}
	s.mu.Lock()
	s.census.service(topic)
	s.mu.Unlock()
	for _, o := range s.observers {
		o.Service(topic, state)
	}
	return nil
}

func (s *State) removeService(topic string) {
	s.mu.Lock()
	s.census.forget(topic)
	s.mu.Unlock()
	for _, o := range s.observers {
		o.Service(topic, nil)
	}
}
