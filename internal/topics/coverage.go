package topics

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// EveryTopic is the filter of a collector that receives every message of devices.
const EveryTopic = "#"

// Coverage is the filters that collectors have subscribed to, sorted. It is immutable.
type Coverage []string

// Covers reports whether a collector receives the messages of a topic.
func (c Coverage) Covers(topic string) bool {
	return slices.ContainsFunc(c, func(filter string) bool { return Match(filter, topic) })
}

// Equal reports whether two coverages have the same filters.
func (c Coverage) Equal(other Coverage) bool { return slices.Equal(c, other) }

// Union returns the filters of all coverages.
func Union(all ...Coverage) Coverage {
	union := Coverage(slices.Concat(all...))
	slices.Sort(union)
	return slices.Compact(union)
}

// censusRounds is for how many rounds a census counts that was not received again.
const censusRounds = 2

// Censuses holds the censuses that were received over one connection. It is for one goroutine.
type Censuses struct {
	round    int
	filters  map[string][]string // by collector
	received map[string]int      // round in which the census of a collector was received last
}

// NewCensuses returns a Censuses without a census.
func NewCensuses() *Censuses {
	return &Censuses{filters: make(map[string][]string), received: make(map[string]int)}
}

// Receive applies a message of a census topic. An empty payload removes the census. An invalid one counts as a census
// without filters: what it covered is unknown.
func (c *Censuses) Receive(topic string, payload []byte) error {
	collector, ok := ParseCensus(topic)
	if !ok {
		return fmt.Errorf("%s is not a census topic", topic)
	}
	delete(c.filters, collector)
	delete(c.received, collector)
	if len(payload) == 0 {
		return nil
	}
	var census Census
	if err := json.Unmarshal(payload, &census); err != nil {
		return fmt.Errorf("invalid census of collector %q: %w", collector, err)
	}
	for _, f := range census.Filters {
		if err := CheckFilter(f); err != nil {
			return fmt.Errorf("invalid filter in the census of collector %q: %w", collector, err)
		}
	}
	c.filters[collector], c.received[collector] = census.Filters, c.round
	return nil
}

// NextRound must be called before each further subscription to the censuses, after which the broker sends the retained
// ones again. It removes censuses that were not received for some rounds.
func (c *Censuses) NextRound() {
	c.round++
	for collector, round := range c.received {
		if c.round-round > censusRounds {
			delete(c.filters, collector)
			delete(c.received, collector)
		}
	}
}

// Coverage returns the filters of all censuses.
func (c *Censuses) Coverage() Coverage {
	union := Coverage(slices.Concat(slices.Collect(maps.Values(c.filters))...))
	slices.Sort(union)
	return slices.Compact(union)
}
