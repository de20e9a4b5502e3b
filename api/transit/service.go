package transit

import (
	"sync"
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/realtime"
	"nhip/internal/topics"
)

// services is what realtime feeds say of trips, and their service alerts. It outlives timetables.
type services struct {
	mu     sync.RWMutex
	feeds  map[string]*nhip.ServiceFeed // by name
	trips  map[string]*nhip.TripUpdate  // by topic
	alerts map[string]*nhip.ServiceAlert

	byTrip map[tripName]map[string]*nhip.TripUpdate // then by topic
	extra  map[string]*nhip.TripUpdate              // those that run beside the timetable, by topic
}

// tripName is what an update calls its trip: a trip_id, or without one the route_id, which needs more to tell the run.
type tripName struct{ trip, route string }

func nameOf(u *nhip.TripUpdate) tripName {
	if u.Trip != "" {
		return tripName{trip: u.Trip}
	}
	return tripName{route: u.Route}
}

func newServices() *services {
	return &services{
		feeds: make(map[string]*nhip.ServiceFeed), trips: make(map[string]*nhip.TripUpdate),
		alerts: make(map[string]*nhip.ServiceAlert), byTrip: make(map[tripName]map[string]*nhip.TripUpdate),
		extra: make(map[string]*nhip.TripUpdate),
	}
}

// receive applies a state of a topic; see live.Observer.
func (s *services) receive(topic string, state any) {
	kind, feed, _, _ := topics.ParseService(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case topics.ServiceFeed:
		put(s.feeds, feed, state)
	case topics.ServiceAlert:
		put(s.alerts, topic, state)
	case topics.ServiceTrip:
		s.putTrip(topic, state)
	}
}

// put sets an entry, or removes it where the state is nil.
func put[T any](m map[string]*T, key string, state any) {
	if x, ok := state.(*T); ok {
		m[key] = x
		return
	}
	delete(m, key)
}

func (s *services) putTrip(topic string, state any) {
	if old := s.trips[topic]; old != nil {
		name := nameOf(old)
		delete(s.byTrip[name], topic)
		if len(s.byTrip[name]) == 0 {
			delete(s.byTrip, name)
		}
		delete(s.extra, topic)
	}
	put(s.trips, topic, state)
	u := s.trips[topic]
	if u == nil {
		return
	}
	name := nameOf(u)
	if s.byTrip[name] == nil {
		s.byTrip[name] = make(map[string]*nhip.TripUpdate)
	}
	s.byTrip[name][topic] = u
	if u.Relationship.Extra() {
		s.extra[topic] = u
	}
}

// noFeed is the state of a feed that was not received yet. Nothing of it holds.
var noFeed = new(nhip.ServiceFeed)

func (s *services) feed(name string) *nhip.ServiceFeed {
	if f := s.feeds[name]; f != nil {
		return f
	}
	return noFeed
}

// any reports whether feeds say something of any trip.
func (s *services) any() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.trips) > 0
}

// tripState is what the feeds say of one run of a trip.
type tripState struct {
	update *nhip.TripUpdate
	feed   *nhip.ServiceFeed
	stops  []int // index of each stop of the update in the run, -1 for one that it does not have
}

// of returns what the feeds say of a run at a time; its update is nil if they say nothing. If several feeds say
// something, one that cancels the run counts, and else the newest.
func (s *services) of(inst *network.TripInstance, now time.Time) tripState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var best tripState
	if len(s.byTrip) == 0 {
		return best // most cities have no feed, and boards ask often
	}
	for _, name := range [...]tripName{{trip: inst.Trip.ID}, {route: inst.Trip.Route.ID}} {
		for _, u := range s.byTrip[name] {
			f := s.feed(u.Feed)
			if !u.HoldsAt(now, f) || !realtime.Concerns(u, f, inst) {
				continue
			}
			if best.update == nil || !u.Relationship.Runs() && best.runs() ||
				u.Relationship.Runs() == best.runs() && f.Time.After(best.feed.Time) {
				best = tripState{update: u, feed: f}
			}
		}
	}
	if best.update != nil {
		best.stops = realtime.StopIndexes(best.update, inst.Trip)
	}
	return best
}

// runs reports whether the run takes place as far as the feeds say.
func (s *tripState) runs() bool { return s.update == nil || s.update.Relationship.Runs() }

// replaced reports whether the run is not to be shown: it is deleted, or the stops of the update stand for it.
func (s *tripState) replaced() bool {
	return s.update != nil && (s.update.Relationship == nhip.TripDeleted || s.hasOtherStops())
}

// hasOtherStops reports whether the stops of the update stand for those of the timetable.
func (s *tripState) hasOtherStops() bool {
	return s.update != nil && s.update.Relationship == nhip.TripReplacement && len(s.update.Stops) > 0
}

// skips reports whether the run skips the i-th stop.
func (s *tripState) skips(i int) bool {
	return s.update != nil && realtime.Skips(s.update, s.stops, i)
}

// expected returns when the run leaves the i-th stop by the forecast of the feed, and at the last stop when it reaches
// it; false if there is none.
func (s *tripState) expected(inst *network.TripInstance, i int, now time.Time) (time.Time, bool) {
	return s.forecast(inst, i, i == inst.Pattern.Last(), now)
}

// forecast returns when the run reaches the i-th stop by the forecast of the feed, or when it leaves it; false if there
// is none. The delay of a stop is that of all after it until the next one that has one.
func (s *tripState) forecast(inst *network.TripInstance, i int, arriving bool, now time.Time) (time.Time, bool) {
	if s.update == nil || inst.HeadwayBased || !s.update.ForecastsAt(now, s.feed) {
		return time.Time{}, false
	}
	scheduled := inst.Departs(i)
	if arriving {
		scheduled = inst.Arrives(i)
	}
	delay, known := s.update.Delay.Get()
	for k, at := range s.stops {
		if at < 0 || at > i {
			continue
		}
		switch u := &s.update.Stops[k]; u.Relationship {
		case nhip.StopSkipped:
		case nhip.StopNoData:
			known = false
		default:
			if d, ok := stopDelay(u, inst, at, at == i && arriving); ok {
				delay, known = d, true
			}
		}
	}
	return time.Unix(scheduled+int64(delay), 0).UTC(), known
}

// stopDelay returns the delay at a stop in s: on leaving it, or else on reaching it.
func stopDelay(u *nhip.StopUpdate, inst *network.TripInstance, at int, arriving bool) (int, bool) {
	arrival, arrives := eventDelay(u.Arrival, u.ArrivalDelay, inst.Arrives(at))
	departure, departs := eventDelay(u.Departure, u.DepartureDelay, inst.Departs(at))
	if departs && !(arriving && arrives) {
		return departure, true
	}
	return arrival, arrives
}

// eventDelay returns the delay of an event. A time counts more than a delay, as the specification says.
func eventDelay(at nhip.Opt[int64], delay nhip.Opt[int], scheduled int64) (int, bool) {
	if t, ok := at.Get(); ok {
		d := t - scheduled
		return int(d), d >= -nhip.MaxDelay && d <= nhip.MaxDelay
	}
	return delay.Get()
}
