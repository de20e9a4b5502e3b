package collector

import (
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/geo/network"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
)

// city is the current state of everything, as the live topics show it. It is rebuilt at start from
// a snapshot and the journal behind it.
type city struct {
	path      string
	clock     nhip.Clock
	latencies map[string]time.Duration
	network   atomic.Pointer[network.Network] // what buses are followed on; nil where no timetable is loaded
	usual     usual                           // what the fleet says of vehicles

	mu       sync.Mutex
	follow   *follower     // nil where no timetable is loaded
	seq      uint64        // the last journal record that is in it
	saved    atomic.Uint64 // the last that is in the snapshot
	buses    map[string]*lastFix
	stations map[string]*nhip.Station
	dirty    map[string]bool // topics whose retained message is behind the state
	wake     chan struct{}
}

// restoreCity reads the snapshot at path, if there is one, and applies the journal behind it. What
// has left the map since is left out, and so is what lies ahead of the clock: a replayed day that
// begins again must not be held against its own end.
func restoreCity(path string, j *journal.Journal, clock nhip.Clock, latencies map[string]time.Duration, follow *follower, log *slog.Logger) (*city, error) {
	c := &city{
		path: path, clock: clock, latencies: latencies, follow: follow,
		buses: make(map[string]*lastFix), stations: make(map[string]*nhip.Station),
		dirty: make(map[string]bool), wake: make(chan struct{}, 1),
	}
	if follow != nil {
		c.network.Store(follow.tracker.Network())
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	if err := c.replay(j, log); err != nil {
		return nil, err
	}
	if ahead := c.dropAhead(clock.Now().Add(nhip.FutureTolerance)); ahead > 0 {
		log.Warn("left out what the live snapshot knows from ahead of the clock", "states", ahead, "clock", clock.Now())
	}
	c.sweep(clock.Now())
	clear(c.dirty) // nobody has heard of what was left out
	return c, nil
}

// dropAhead removes what is later than a time and returns how much it was.
func (c *city) dropAhead(latest time.Time) int {
	before := len(c.buses) + len(c.stations)
	maps.DeleteFunc(c.buses, func(_ string, b *lastFix) bool { return b.time > latest.UnixMilli() })
	maps.DeleteFunc(c.stations, func(_ string, s *nhip.Station) bool { return s.Time.After(latest) })
	return before - len(c.buses) - len(c.stations)
}

func (c *city) replay(j *journal.Journal, log *slog.Logger) error {
	r := j.Reader(c.seq + 1)
	var o outcome
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil || !ok {
			return errors.Join(err, r.Close())
		}
		if err := readRecord(record, &o); err != nil {
			log.Error("passed over a journal record that can't be read", "seq", seq, "error", err)
			continue // the drain keeps it among the dead letters
		}
		c.apply(seq, c.changes(&o))
	}
}

// change is what a fact means for the live state. It is made in the sender's goroutine, so that
// the journal's has little to do.
type change struct {
	topic   string
	bus     *lastFix
	station *nhip.Station // with the values of one message only
}

// changes returns what an outcome that was written or read means for the live state. Positions that do not move a bus mean nothing
// for it; apply sorts out what is older than what is shown, or too old to be shown.
func (c *city) changes(o *outcome) []change {
	var out []change
	facts := &o.facts
	for i := range facts.Positions {
		if p := &facts.Positions[i]; p.Moves() {
			out = append(out, change{topic: mqtt.LiveBusTopic(p.Agency, p.Vehicle), bus: newLastFix(p, o.packed[i])})
		}
	}
	var last *nhip.Station
	for i := range facts.Readings {
		r := &facts.Readings[i]
		if last == nil || last.ID != r.Station {
			last = &nhip.Station{ID: r.Station, Values: make(map[nhip.Quantity]nhip.LiveValue)}
			out = append(out, change{topic: mqtt.LiveAirTopic(r.Station), station: last})
		}
		addReading(last, r)
	}
	return out
}

func addReading(s *nhip.Station, r *nhip.Reading) {
	if r.Time.After(s.Time) {
		s.Time = r.Time
	}
	if pt, ok := r.Point.Get(); ok {
		s.Lat, s.Lon = nhip.Some(pt.Lat()), nhip.Some(pt.Lon())
	}
	s.Origin = r.Origin
	s.Values[r.Quantity] = nhip.LiveValue{Value: r.Value, Time: r.Time, Period: r.Period.Seconds(), Flag: r.Flag}
}

// apply takes over changes that are in the journal at seq. It must be called in the journal's
// order. The live state never steps back in time.
func (c *city) apply(seq uint64, changes []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq = max(c.seq, seq)
	for _, ch := range changes {
		switch {
		case ch.bus != nil:
			c.moveBus(ch.topic, ch.bus)
		case ch.station != nil:
			c.addValues(ch.topic, ch.station)
		}
	}
	if len(c.dirty) > 0 {
		c.signal()
	}
}

func (c *city) moveBus(topic string, b *lastFix) {
	if b.gone(c.clock.Now()) {
		return // an old backlog is history, not a ghost on the map
	}
	if before := c.buses[topic]; before != nil {
		if b.time <= before.time {
			return
		}
		b.interval = fixInterval(before.interval, time.Duration(b.time-before.time)*time.Millisecond)
	}
	if c.follow != nil {
		b.track = c.follow.follow(topic, b.position, &c.usual)
	}
	c.buses[topic] = b
	c.dirty[topic] = true
}

// addValues merges new values into a station; its map is made anew so that whoever holds the old
// state can still read it.
func (c *city) addValues(topic string, s *nhip.Station) {
	if s.Gone(c.clock.Now()) {
		return
	}
	before := c.stations[topic]
	if before == nil {
		c.stations[topic] = s
		c.dirty[topic] = true
		return
	}
	merged, changed := *before, false
	merged.Values = make(map[nhip.Quantity]nhip.LiveValue, len(before.Values))
	for q, v := range before.Values {
		merged.Values[q] = v
	}
	for q, v := range s.Values {
		if old, ok := merged.Values[q]; !ok || v.Time.After(old.Time) {
			merged.Values[q] = v
			changed = true
		}
	}
	if !changed {
		return
	}
	if s.Time.After(merged.Time) {
		merged.Time, merged.Origin = s.Time, s.Origin
		if s.Lat.Known() {
			merged.Lat, merged.Lon = s.Lat, s.Lon
		}
	}
	c.stations[topic] = &merged
	c.dirty[topic] = true
}

// judged takes in what the checks make of a station's newest values, and its last hours.
func (c *city) judged(t air.Told) {
	topic := mqtt.LiveAirTopic(t.Station)
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.stations[topic]
	if before == nil {
		return
	}
	after, changed := *before, !reflect.DeepEqual(before.Hours, t.Hours) && t.Hours != nil
	if changed {
		after.Hours = t.Hours
	}
	after.Values = maps.Clone(before.Values)
	for q, of := range t.Flags {
		v, ok := after.Values[q]
		if !ok || !v.Time.Equal(of.Time) || v.Flag == of.Flag && v.Tests == of.Tests {
			continue
		}
		v.Flag, v.Tests = of.Flag, of.Tests
		after.Values[q], changed = v, true
	}
	if !changed {
		return
	}
	c.stations[topic] = &after
	c.dirty[topic] = true
	c.signal()
}

// sweep takes off the map what has been silent for too long.
func (c *city) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, b := range c.buses {
		if b.gone(now) {
			delete(c.buses, topic)
			if c.follow != nil {
				c.follow.forget(topic)
			}
			c.dirty[topic] = true
		}
	}
	for topic, s := range c.stations {
		if s.Gone(now) {
			delete(c.stations, topic)
			c.dirty[topic] = true
		}
	}
	if len(c.dirty) > 0 {
		c.signal()
	}
}

// republish makes the whole city due: the broker may have forgotten it.
func (c *city) republish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic := range c.buses {
		c.dirty[topic] = true
	}
	for topic := range c.stations {
		c.dirty[topic] = true
	}
	c.signal()
}

func (c *city) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// retained is one retained message; one of neither bus nor station clears it.
type retained struct {
	topic   string
	bus     *lastFix
	station *nhip.Station
}

// take returns what is due and the count of everything.
func (c *city) take() ([]retained, mqtt.Census) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := make([]retained, 0, len(c.dirty))
	for topic := range c.dirty {
		due = append(due, retained{topic, c.buses[topic], c.stations[topic]})
	}
	clear(c.dirty)
	return due, mqtt.Census{Buses: len(c.buses), Stations: len(c.stations)}
}
