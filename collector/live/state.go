// Package live holds the current state of buses and stations and publishes it as retained MQTT messages, with the
// events around it: bus arrivals, alerts, confirmations of user actions and announcements of dead letters.
package live

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/damage"
	"nhip/internal/journal"
	"nhip/internal/recovery"
	"nhip/internal/topics"
)

// State is the current state of all buses and stations, as the live topics show it. At start it is rebuilt from a
// snapshot and the journal records after it. Its methods may be called from any goroutine.
type State struct {
	log        *slog.Logger
	path       string // of the snapshot
	clock      nhip.Clock
	latencies  map[string]time.Duration
	arrivals   *ArrivalWriter
	network    atomic.Pointer[network.Network] // timetable on which buses are tracked; nil if none is loaded
	fleetLines fleetLines
	privacy    *privacy
	saved      atomic.Uint64 // last journal record in the snapshot

	mu       sync.Mutex
	tracker  *busTracker  // nil if no timetable is loaded
	late     *lateTracker // of late positions; nil while there are none
	shifts   *shifts
	seq      uint64 // last journal record applied
	buses    map[string]*lastPosition
	stations map[string]*nhip.Station
	signOns  map[string]*signOn // of buses, by topic
	services services
	dirty    map[string]bool // topics whose retained message is outdated
	wake     chan struct{}   // signals that dirty is not empty
}

// Options configure a State.
type Options struct {
	Path      string           // of the snapshot
	Private   string           // path of the list of private stations
	Unknown   bool             // the positions of stations that no fleet has ever named are private
	Journal   *journal.Journal // records of package record
	Clock     nhip.Clock
	Latencies map[string]time.Duration // delay of positions that is still live, by agency
	Network   *network.Network         // timetable on which buses are tracked; may be nil
	Arrivals  *ArrivalWriter           // gets the arrivals of tracked buses; required with Network
	Damage    *damage.Log              // reports a damaged snapshot; may be nil
	Metrics   *Metrics                 // may be nil
	Guard     *recovery.Guard          // may be nil
	Logger    *slog.Logger
}

// Restore reads the snapshot, if there is one, and applies the journal records after it. It omits expired states and
// states ahead of the clock: a replayed day may be started again and must not be blocked by its own end.
func Restore(o Options) (*State, error) {
	s := &State{
		path: o.Path, clock: o.Clock, latencies: o.Latencies, arrivals: o.Arrivals,
		buses: make(map[string]*lastPosition), stations: make(map[string]*nhip.Station),
		signOns: make(map[string]*signOn), dirty: make(map[string]bool), wake: make(chan struct{}, 1),
		shifts: newShifts(o.Metrics), log: o.Logger,
		privacy: openPrivacy(o.Private, o.Unknown, o.Damage, o.Logger),
	}
	s.services = newServices(s.dirty, o.Metrics.serviceLeft)
	if o.Network != nil {
		s.tracker = s.trackOn(o.Network)
		s.network.Store(o.Network)
	}
	s.load(o.Damage)
	if err := s.replay(o.Journal, o.Guard, o.Logger); err != nil {
		return nil, err
	}
	now := o.Clock.Now()
	if n := s.dropAhead(now.Add(nhip.FutureTolerance)); n > 0 {
		o.Logger.Warn("live states ahead of the clock dropped", "states", n, "clock", now)
	}
	s.Sweep(now)
	clear(s.dirty) // nothing is published yet, so nothing must be cleared
	return s, nil
}

func (s *State) replay(j *journal.Journal, guard *recovery.Guard, log *slog.Logger) error {
	r := j.Reader(s.seq + 1)
	var o record.Outcome
	for {
		seq, raw, ok, err := r.TryNext()
		if err != nil || !ok {
			return errors.Join(err, r.Close())
		}
		if err := record.Read(raw, &o); err != nil {
			log.Error("unreadable journal record skipped", "seq", seq, "error", err)
			continue // the deduplicator makes it a dead letter
		}
		s.applyRecord(seq, &o, guard)
	}
}

// applyRecord applies a record at start. One that makes it panic is skipped: it would stop every start.
func (s *State) applyRecord(seq uint64, o *record.Outcome, guard *recovery.Guard) {
	defer guard.Recover("live", nil)
	s.Apply(seq, s.Changes(o))
}

// dropAhead removes the states later than a time and returns their number.
func (s *State) dropAhead(latest time.Time) int {
	before := len(s.buses) + len(s.stations)
	maps.DeleteFunc(s.buses, func(_ string, b *lastPosition) bool { return b.time > latest.UnixMilli() })
	maps.DeleteFunc(s.signOns, func(_ string, on *signOn) bool { return on.Time > latest.UnixMilli() })
	maps.DeleteFunc(s.stations, func(_ string, st *nhip.Station) bool { return st.Time.After(latest) })
	return before - len(s.buses) - len(s.stations) + s.services.dropAhead(latest)
}

// Sweep removes expired buses and stations, and what feeds said of trips and alerts that holds no longer.
func (s *State) Sweep(now time.Time) {
	logShifts(s.log, s.sweep(now))
}

// sweep returns the shifts that the log must get.
func (s *State) sweep(now time.Time) map[string]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, b := range s.buses {
		if b.expired(now) {
			delete(s.buses, topic)
			if s.tracker != nil {
				s.tracker.forget(topic)
			}
			s.dirty[topic] = true
		}
	}
	s.sweepLate(now)
	s.sweepSignOns(now)
	for topic, st := range s.stations {
		if st.Expired(now) {
			delete(s.stations, topic)
			s.dirty[topic] = true
		}
	}
	s.services.sweep(now)
	if len(s.dirty) > 0 {
		s.signal()
	}
	return s.shifts.take()
}

// sweepLate frees the tracking of late positions once it holds no bus.
func (s *State) sweepLate(now time.Time) {
	if s.late == nil {
		return
	}
	if s.late.buses.sweep(now, s.late.forget); len(s.late.buses) == 0 {
		s.late = nil
	}
}

// UseTimetable tracks buses on another timetable from now on. The position of a bus along its trip is kept if the new
// timetable has that trip.
func (s *State) UseTimetable(n *network.Network) error {
	if s.arrivals == nil {
		return errors.New("the collector was started without a timetable and does not track buses")
	}
	t := s.trackOn(n)
	s.mu.Lock()
	s.shifts.clear()
	for topic, b := range s.buses {
		t.restore(topic, b, s.served(topic))
	}
	s.tracker, s.late = t, nil
	s.network.Store(n)
	s.mu.Unlock()
	s.republish()
	return nil
}

// served returns for how long a bus has served each route lately. The caller holds the lock.
func (s *State) served(topic string) []track.RouteService {
	if s.tracker == nil {
		return nil
	}
	return s.tracker.tracker.Served(topic)
}

// KnowsRoute reports whether the timetable has a route.
func (s *State) KnowsRoute(id string) bool {
	n := s.network.Load()
	return n != nil && n.Feed.Route(id) != nil
}

// Timetable returns the timetable on which buses are tracked; nil if none is loaded.
func (s *State) Timetable() *gtfs.Feed {
	if n := s.network.Load(); n != nil {
		return n.Feed
	}
	return nil
}

// UpdateFleetVehicle applies a retained message of the fleet about a vehicle; see fleetLines.update.
func (s *State) UpdateFleetVehicle(vehicle string, payload []byte) {
	s.fleetLines.update(vehicle, payload)
}

// FleetLine returns the line that the fleet file assigns to a vehicle, or "".
func (s *State) FleetLine(agency, vehicle string) string { return s.fleetLines.line(agency, vehicle) }

// Bus returns the current state of a bus; ok is false if it has none.
func (s *State) Bus(agency, vehicle string) (b *nhip.Bus, ok bool) {
	s.mu.Lock()
	p := s.buses[topics.LiveBusTopic(agency, vehicle)]
	s.mu.Unlock()
	if p == nil {
		return nil, false
	}
	return s.bus(p), true
}

// Station returns the current state of a station; ok is false if it has none. It must not be changed.
func (s *State) Station(id string) (st *nhip.Station, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok = s.stations[topics.LiveAirTopic(id)]
	return st, ok
}

// Stations returns the current states of all stations. They must not be changed.
func (s *State) Stations() []*nhip.Station {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.stations))
}

// Census returns the number of buses and stations.
func (s *State) Census() topics.Census {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.census()
}

func (s *State) census() topics.Census {
	return topics.Census{Buses: len(s.buses), Stations: len(s.stations), Services: s.services.topicCount()}
}

// entry is one state with its topic, or in a snapshot a sign-on with it. An entry with nothing is a topic to clear.
type entry struct {
	topic   string
	bus     *lastPosition
	station *nhip.Station
	signOn  *signOn
	service any                  // *nhip.ServiceFeed, *nhip.TripUpdate or *nhip.ServiceAlert
	served  []track.RouteService // by the bus
}

// takeDirty returns the states to publish and the census, and marks them as published.
func (s *State) takeDirty() ([]entry, topics.Census) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := make([]entry, 0, len(s.dirty))
	for topic := range s.dirty {
		due = append(due, entry{
			topic: topic, bus: s.buses[topic], station: s.stations[topic], service: s.services.find(topic),
		})
	}
	clear(s.dirty)
	return due, s.census()
}

// republish marks all states as unpublished, because the broker may have lost its retained messages.
func (s *State) republish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic := range s.buses {
		s.dirty[topic] = true
	}
	for topic := range s.stations {
		s.dirty[topic] = true
	}
	s.services.each(func(topic string, _ any) { s.dirty[topic] = true })
	s.signal()
}

// Signal makes the publisher look for changes.
func (s *State) Signal() { s.signal() }

func (s *State) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// trackOn begins to track buses on a timetable.
func (s *State) trackOn(n *network.Network) *busTracker {
	t := newBusTracker(n, s.arrivals)
	t.tracker.OnShift = s.shifts.note
	return t
}
