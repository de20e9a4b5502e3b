package live

import "nhip/internal/topics"

// censusTracker compares the received topics with the censuses of the collectors. MQTT neither marks the last retained
// message nor reports topics that were cleared while a client was disconnected; counts show both.
type censusTracker struct {
	connection int            // number of connections so far
	last       map[string]int // connection on which a live topic was last received
	buses      int            // received on this connection
	stations   int
	services   int
	censuses   map[string]topics.Census // of this connection, by collector
	retained   bool                     // the retained messages of this connection have probably all arrived
	swept      bool                     // unseen has returned its topics for this connection
}

func newCensusTracker() censusTracker {
	return censusTracker{last: make(map[string]int), censuses: make(map[string]topics.Census)}
}

// begin starts the counts of a new connection.
func (c *censusTracker) begin() {
	c.connection++
	c.buses, c.stations, c.services, c.retained, c.swept = 0, 0, 0, false, false
	clear(c.censuses)
}

func (c *censusTracker) bus(topic string)     { c.note(topic, &c.buses) }
func (c *censusTracker) station(topic string) { c.note(topic, &c.stations) }
func (c *censusTracker) service(topic string) { c.note(topic, &c.services) }

// note counts a topic once per connection.
func (c *censusTracker) note(topic string, received *int) {
	if on, ok := c.last[topic]; !ok || on != c.connection {
		*received++
	}
	c.last[topic] = c.connection
}

// forget removes a cleared topic and its count.
func (c *censusTracker) forget(topic string) {
	on, ok := c.last[topic]
	if !ok {
		return
	}
	delete(c.last, topic)
	if on != c.connection {
		return
	}
	if _, _, isBus := topics.ParseLiveBus(topic); isBus {
		c.buses--
	} else if _, isStation := topics.ParseLiveAir(topic); isStation {
		c.stations--
	} else {
		c.services--
	}
}

// count records the census of a collector, or removes it if census is nil.
func (c *censusTracker) count(collector string, census *topics.Census) {
	if census == nil {
		delete(c.censuses, collector)
		return
	}
	c.censuses[collector] = *census
}

// complete reports whether a census was received and at least as many buses, stations, trips and service alerts as all
// censuses count.
func (c *censusTracker) complete() bool {
	var buses, stations, services int
	for _, census := range c.censuses {
		buses += census.Buses
		stations += census.Stations
		services += census.Services
	}
	return len(c.censuses) > 0 && c.buses >= buses && c.stations >= stations && c.services >= services
}

// served reports whether the state may be served: it is complete, or no collector has a census and everything that the
// broker holds has arrived, and that is not nothing.
func (c *censusTracker) served() bool {
	return c.complete() || c.uncounted() && c.buses+c.stations > 0
}

// uncounted reports whether the retained messages have arrived and no census is among them.
func (c *censusTracker) uncounted() bool { return c.retained && len(c.censuses) == 0 }

// unseen returns the topics that were received on earlier connections and not on this one. It does so once per
// connection, when the state is complete and the retained messages have arrived; otherwise it returns nil. Completeness
// alone does not suffice: the census of a collector may arrive after the topics of another one, or be cleared while its
// topics are not.
func (c *censusTracker) unseen() []string {
	if c.swept || !c.retained || !c.complete() {
		return nil
	}
	c.swept = true
	var out []string
	for topic, on := range c.last {
		if on != c.connection {
			out = append(out, topic)
		}
	}
	return out
}
