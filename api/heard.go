package api

import "nhip/internal/mqtt"

// heard holds what is live against the collectors' censuses. MQTT does not say which retained
// message is the last, nor what was cleared while we were away; counting does.
type heard struct {
	connection int            // rises with each connection
	last       map[string]int // connection on which a live topic was last heard
	buses      int            // heard on this connection
	stations   int
	censuses   map[string]mqtt.Census // of this connection, by collector
	swept      bool                   // what was not heard on this connection is off the map
}

func newHeard() heard {
	return heard{last: make(map[string]int), censuses: make(map[string]mqtt.Census)}
}

func (h *heard) begin() {
	h.connection++
	h.buses, h.stations, h.swept = 0, 0, false
	clear(h.censuses)
}

func (h *heard) bus(topic string)     { h.note(topic, &h.buses) }
func (h *heard) station(topic string) { h.note(topic, &h.stations) }

func (h *heard) note(topic string, count *int) {
	if on, ok := h.last[topic]; !ok || on != h.connection {
		*count++
	}
	h.last[topic] = h.connection
}

func (h *heard) forget(topic string) {
	on, ok := h.last[topic]
	if !ok {
		return
	}
	delete(h.last, topic)
	if on != h.connection {
		return
	}
	if _, _, isBus := mqtt.ParseLiveBus(topic); isBus {
		h.buses--
	} else {
		h.stations--
	}
}

// census notes what a collector counts; nil when it says that it counts no more.
func (h *heard) census(collector string, c *mqtt.Census) {
	if c == nil {
		delete(h.censuses, collector)
		return
	}
	h.censuses[collector] = *c
}

func (h *heard) complete() bool {
	var buses, stations int
	for _, c := range h.censuses {
		buses += c.Buses
		stations += c.Stations
	}
	return len(h.censuses) > 0 && h.buses >= buses && h.stations >= stations
}

// ghosts returns, once a connection, what was heard before it and not on it, when all that is
// counted was.
func (h *heard) ghosts() []string {
	if h.swept || !h.complete() {
		return nil
	}
	h.swept = true
	var out []string
	for topic, on := range h.last {
		if on != h.connection {
			out = append(out, topic)
		}
	}
	return out
}
