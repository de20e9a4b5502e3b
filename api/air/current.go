package air

import (
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"
)

// refreshEvery is the maximum age of the current snapshot, by the api's clock. Without a message, too, monitors become
// stale and mobile readings expire.
const refreshEvery = 30 * time.Second

// Current returns the snapshot of the current hour. While one caller builds a new snapshot, the others get the previous
// one without waiting.
func (m *Model) Current() *Snapshot {
	s := m.current.Load()
	if s != nil && !m.due(s) {
		return s
	}
	if s != nil && !m.build.TryLock() {
		return s
	} else if s == nil {
		m.build.Lock()
	}
	defer m.build.Unlock()
	if s = m.current.Load(); s == nil || m.due(s) {
		s = m.buildCurrent(s)
		m.current.Store(s)
	}
	return s
}

// due reports whether a snapshot must be replaced: after a training, at refreshEvery, and after a change of a station,
// but then not before Options.Interval has passed.
func (m *Model) due(s *Snapshot) bool {
	if s.learned != m.learned.Load() {
		return true
	}
	if m.o.Clock.Now().Sub(s.At) >= refreshEvery {
		return true
	}
	return s.changes != m.changes.Load() && time.Since(s.built) >= m.o.Interval
}

// buildCurrent builds the current snapshot. It reuses the fields of the previous one if their inputs are equal.
func (m *Model) buildCurrent(last *Snapshot) *Snapshot {
	changes := m.changes.Load()
	now, all := m.o.Clock.Now(), m.o.State.Stations()
	s := m.newSnapshot(&geoair.Observations{End: latestHour(all, now)}, now)
	s.changes, s.learned = changes, m.learned.Load()
	var known bool
	if s.stacks, known = s.learned.at(s.End); !known {
		s.stacks = s.learned.newest
	}
	for _, station := range all {
		if station.Expired(now) {
			continue
		}
		s.Stations = append(s.Stations, *station)
		if x, ok := m.monitor(station, s.End); ok {
			s.observations.Monitors = append(s.observations.Monitors, x)
		}
	}
	s.observations.Silent = m.silent(s.observations.Monitors)
	s.observations.Mobile = m.mobile.since(now.Add(-geoair.MobileReadingMaxAge))
	s.FieldVersion = digest(s.observations, s.stacks)
	if last != nil && last.FieldVersion == s.FieldVersion {
		s.copyFields(last)
	}
	s.Version = s.FieldVersion ^ s.changes<<40 ^ uint64(now.Unix())
	return s
}

// latestHour returns the end of the newest hour that at least half of the reporting monitors have completed, so that
// one early monitor does not make an hour of its own. Without a reporting monitor it is the last full hour.
func latestHour(all []*nhip.Station, now time.Time) time.Time {
	var ends []time.Time
	for _, s := range all {
		if s.Hours != nil && now.Sub(s.Hours.End) < aqi.StationIndexExpiresAfter &&
			!s.Hours.End.After(now.Add(nhip.FutureTolerance)) {
			ends = append(ends, s.Hours.End)
		}
	}
	if len(ends) == 0 {
		return now.Truncate(time.Hour)
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	return ends[(len(ends)-1)/2]
}

// monitor returns a station as input of the fields for the hour that ends at end. ok is false for a station that is
// mobile or has no public position or no recent hours.
func (m *Model) monitor(s *nhip.Station, end time.Time) (x geoair.Monitor, ok bool) {
	p, placed := s.Point()
	if !placed || s.Mobile || s.Hours == nil || end.Sub(s.Hours.End) >= aqi.StationIndexExpiresAfter {
		return geoair.Monitor{}, false
	}
	x = geoair.Monitor{ID: s.ID, Point: p, Class: classOf(s), Hours: make(aqi.Hours, len(s.Hours.Means))}
	stored, lag := m.stored.Load(), int(end.Sub(s.Hours.End)/time.Hour) // negative: ahead of the other monitors
	for q, means := range s.Hours.Means {
		values := stored.values(s.ID, q, end)
		for i, mean := range means {
			// The stored means of older hours take precedence: only they are flagged as suspect and reviewed.
			older := stored != nil && s.Hours.End.Add(-time.Duration(i)*time.Hour).Before(stored.end)
			if v, known := mean.Get(); known && !older && i+lag >= 0 && i+lag < len(values) {
				values[i+lag] = v
			}
		}
		if s.Hours.SuspectOf(q) && lag >= 0 {
			values[lag] = math.NaN()
		}
		x.Hours[q] = values
	}
	return x, true
}

// silent returns the fixed monitors with a public position that are not among those with recent hours.
func (m *Model) silent(reporting []geoair.Monitor) []geoair.Monitor {
	known := make(map[string]bool, len(reporting))
	for i := range reporting {
		known[reporting[i].ID] = true
	}
	var out []geoair.Monitor
	located := m.o.State.Located()
	for _, id := range slices.Sorted(maps.Keys(located)) {
		station := located[id]
		if p, placed := station.Point(); placed && !station.Mobile && !known[id] {
			out = append(out, geoair.Monitor{ID: id, Point: p, Class: classOf(station)})
		}
	}
	return out
}
