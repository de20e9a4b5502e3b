package live

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/collector/record"
	"nhip/internal/topics"
)

// Change is an update of one live state. It is computed before the journal commits, in the sender's goroutine, so that
// Apply, which runs in the journal's goroutine, stays short.
type Change struct {
	topic   string
	signOn  *signOn
	bus     *lastPosition
	station *nhip.Station // with the values of one message only
	service *reportChange
}

// Changes returns the updates that an outcome contains; PackedPositions must be set. Positions that neither move a bus
// nor sign it on yield none. Apply ignores those that are outdated by then.
func (s *State) Changes(o *record.Outcome) []Change {
	var out []Change
	facts := &o.Facts
	for i := range facts.Positions {
		p := &facts.Positions[i]
		on, moves := signOnOf(p), p.Moves()
		if on == nil && !moves {
			continue
		}
		topic := topics.LiveBusTopic(p.Agency, p.Vehicle)
		if on != nil {
			out = append(out, Change{topic: topic, signOn: on})
		}
		if moves {
			out = append(out, Change{topic: topic, bus: newLastPosition(newStamp(p.Time, o.Received), o.PackedPositions[i])})
		}
	}
	var last *nhip.Station
	for i := range facts.Readings {
		r := &facts.Readings[i]
		if last == nil || last.ID != r.Station {
			last = &nhip.Station{ID: r.Station, Values: make(map[nhip.Quantity]nhip.LiveValue)}
			out = append(out, Change{topic: topics.LiveAirTopic(r.Station), station: last})
		}
		addReading(last, r, o.Received)
	}
	if facts.Service != nil {
		out = append(out, Change{service: newReportChange(facts.Service)})
	}
	return out
}

// addReading adds a reading of a message. Of several of one quantity the newest counts.
func addReading(s *nhip.Station, r *nhip.Reading, received time.Time) {
	v := nhip.LiveValue{Value: r.Value, Period: r.Period.Seconds(), Flag: r.Flag}
	setTime(&v, newStamp(r.Time, received))
	if old, ok := s.Values[r.Quantity]; ok && old.ByDevice().After(r.Time) {
		return
	}
	if pt, ok := r.Point.Get(); ok && !v.Time.Before(s.Time) {
		s.Lat, s.Lon = nhip.Some(pt.Lat()), nhip.Some(pt.Lon())
	}
	if v.Time.After(s.Time) {
		s.Time = v.Time
	}
	s.Origin = r.Origin
	s.Values[r.Quantity] = v
}

// Apply applies the changes of the journal record seq. It must be called in the journal's order. A state never goes
// back in time, unless the clock of its device was ahead; see stamp.
func (s *State) Apply(seq uint64, changes []Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = max(s.seq, seq)
	for _, ch := range changes {
		switch {
		case ch.signOn != nil:
			s.noteSignOn(ch.topic, ch.signOn)
		case ch.bus != nil:
			s.moveBus(ch.topic, ch.bus)
		case ch.station != nil:
			s.addValues(ch.topic, ch.station)
		case ch.service != nil:
			s.services.apply(ch.service, s.clock.Now())
		}
	}
	if len(s.dirty) > 0 {
		s.signal()
	}
}

func (s *State) moveBus(topic string, b *lastPosition) {
	now := s.clock.Now()
	if b.expired(now) {
		s.followLate(topic, b, now)
		return // the current state is newer
	}
	if before := s.buses[topic]; before != nil {
		next, ok := b.succeed(before.stamp, now.UnixMilli())
		if !ok {
			return
		}
		if next.time < before.time && s.tracker != nil {
			s.tracker.forget(topic)
		}
		b.stamp = next
		b.interval = averageInterval(before.interval, next.gap(before.stamp))
	}
	b.signOn = s.signOns[topic].at(b.device)
	if s.tracker != nil {
		b.track = s.tracker.track(topic, b, &s.fleetLines)
	}
	s.buses[topic] = b
	s.dirty[topic] = true
}

// followLate tracks a position that is too late for the current state.
func (s *State) followLate(topic string, b *lastPosition, now time.Time) {
	if s.tracker == nil || s.arrivals == nil {
		return
	}
	if s.late == nil {
		s.late = newLateTracker(s.tracker.tracker.Network(), s.arrivals)
	}
	if s.late.buses.admit(topic, b.device, now) {
		s.late.track(topic, b, &s.fleetLines)
	}
}

// addValues merges new values into a station. It replaces the station and its map, because others may be reading
// them.
func (s *State) addValues(topic string, update *nhip.Station) {
	now := s.clock.Now()
	if update.Expired(now) {
		return
	}
	before := s.stations[topic]
	if before == nil {
		s.stations[topic] = update
		s.dirty[topic] = true
		return
	}
	merged, changed := *before, false
	merged.Values = maps.Clone(before.Values)
	for q, v := range update.Values {
		if old, ok := merged.Values[q]; ok {
			next, newer := valueStamp(&v).succeed(valueStamp(&old), now.UnixMilli())
			if !newer {
				continue
			}
			setTime(&v, next)
		}
		merged.Values[q] = v
		changed = true
	}
	if !changed {
		return
	}
	merged.Time = newestTime(merged.Values)
	if !update.Time.Before(before.Time) || merged.Time.Before(before.Time) {
		merged.Origin = update.Origin
		if update.Lat.Known() {
			merged.Lat, merged.Lon = update.Lat, update.Lon
		}
	}
	s.stations[topic] = &merged
	s.dirty[topic] = true
}

// newestTime returns the time of the newest value.
func newestTime(values map[nhip.Quantity]nhip.LiveValue) (newest time.Time) {
	for _, v := range values {
		if v.Time.After(newest) {
			newest = v.Time
		}
	}
	return newest
}

// Assess applies the quality flags of a station's newest values and its hourly means.
func (s *State) Assess(u air.LiveUpdate) {
	topic := topics.LiveAirTopic(u.Station)
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.stations[topic]
	if before == nil {
		return
	}
	after, changed := *before, !reflect.DeepEqual(before.Hours, u.Hours) && u.Hours != nil
	if changed {
		after.Hours = u.Hours
	}
	if u.FaultsKnown &&
		(!reflect.DeepEqual(before.Faults, u.Faults) || !slices.Equal(before.Unvouched, u.Unvouched)) {
		after.Faults, after.Unvouched, changed = u.Faults, u.Unvouched, true
	}
	after.Values = maps.Clone(before.Values)
	for q, flags := range u.Flags {
		v, ok := after.Values[q]
		i := slices.IndexFunc(flags, func(f air.LiveFlag) bool { return ok && v.ByDevice().Equal(f.Time) })
		if i < 0 || v.Flag == flags[i].Flag && v.Tests == flags[i].Tests {
			continue
		}
		v.Flag, v.Tests = flags[i].Flag, flags[i].Tests
		after.Values[q], changed = v, true
	}
	if !changed {
		return
	}
	s.stations[topic] = &after
	s.dirty[topic] = true
	s.signal()
}
