package collector

import (
	"errors"

	"nhip/geo/network"
)

// UseTimetable follows buses on another timetable from now on. Where a bus is and what it runs is kept as far
// as the new one has it.
func (c *Collector) UseTimetable(n *network.Network) error {
	if c.arrivals == nil {
		return errors.New("buses are not followed here: the collector was made without a timetable")
	}
	c.city.refollow(newFollower(n, c.arrivals))
	return nil
}

// refollow hands every bus over to another follower.
func (c *city) refollow(f *follower) {
	c.mu.Lock()
	for topic, b := range c.buses {
		f.restore(topic, b)
	}
	c.follow = f
	c.network.Store(f.tracker.Network())
	c.mu.Unlock()
	c.republish()
}
