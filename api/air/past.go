package air

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/api/encode"
	"nhip/api/live"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"
)

// Limits of past snapshots.
const (
	maxPast  = 24 // in memory, 3 to 7 MB each
	maxReads = 2  // concurrent reads
)

// At returns the snapshot of the last hour that had ended at t, or the current one if t is zero or not before the
// current hour. It returns live.ErrHistoryAway if the history can't be read.
func (m *Model) At(ctx context.Context, t time.Time) (*Snapshot, error) {
	now := m.Current()
	end := t.UTC().Truncate(time.Hour)
	if t.IsZero() || !end.Before(now.End) {
		return now, nil
	}
	return m.past.Get(ctx, end, cache.Lifetime(now.At.Sub(end)), func(ctx context.Context) (*Snapshot, error) {
		return m.readPast(ctx, end, now)
	})
}

// readPast builds the snapshot of an hour from the history.
func (m *Model) readPast(ctx context.Context, end time.Time, now *Snapshot) (*Snapshot, error) {
	hours, err := m.readHours(ctx, end, hoursKept)
	if err == nil {
		var mobile []geoair.MobileReading
		if mobile, err = m.readMobile(ctx, end); err == nil {
			stacks, err := m.stacksAt(ctx, end)
			if err != nil {
				return nil, err
			}
			return m.buildPast(hours, mobile, stacks, now), nil
		}
	}
	m.o.Logger.Warn("history query failed", "query", "air", "error", err)
	return nil, live.ErrHistoryAway
}

// buildPast builds the snapshot of the hour that ends at hours.end, with what was learned then.
func (m *Model) buildPast(hours *stationHours, mobile []geoair.MobileReading, stacks geoair.Stacks, now *Snapshot,
) *Snapshot {
	s := m.newSnapshot(&geoair.Observations{End: hours.end, Mobile: mobile}, hours.end)
	s.stacks, s.Past = stacks, true
	s.Settled = now.At.Sub(hours.end) >= cache.SettledAge
	for id, station := range m.o.State.Located() {
		means := hours.byStation[id]
		if station.Mobile || !reporting(means) { // the position of a mobile monitor at that time is unknown
			continue
		}
		p, _ := station.Point()
		s.observations.Monitors = append(s.observations.Monitors, geoair.Monitor{
			ID: id, Point: p, Class: classOf(station), Hours: means,
		})
		s.Stations = append(s.Stations, stationAt(station, means, hours.end))
	}
	s.observations.Silent = m.silent(s.observations.Monitors)
	slices.SortFunc(s.observations.Monitors, func(a, b geoair.Monitor) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Stations, func(a, b nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	s.FieldVersion = digest(s.observations, s.stacks)
	s.Version = s.FieldVersion
	return s
}

// reporting reports whether a station has a value in any of the newest hours, before its index would expire.
func reporting(hours aqi.Hours) bool {
	for _, means := range hours {
		for _, v := range means[:int(aqi.StationIndexExpiresAfter/time.Hour)] {
			if !math.IsNaN(v) {
				return true
			}
		}
	}
	return false
}

// stationAt returns a station with the values that it had at the end of an hour.
func stationAt(s *nhip.Station, hours aqi.Hours, end time.Time) nhip.Station {
	at := *s
	at.Time, at.Values, at.Origin = time.Time{}, make(map[nhip.Quantity]nhip.LiveValue, len(hours)), ""
	at.Hours = &nhip.HourlyMeans{End: end, Means: make(map[nhip.Quantity][]nhip.Opt[float64], len(hours))}
	at.ReportInterval = time.Hour.Seconds()
	for q, means := range hours {
		known := make([]nhip.Opt[float64], len(means))
		for i, v := range means {
			if !math.IsNaN(v) {
				known[i] = nhip.Some(v)
			}
		}
		at.Hours.Means[q] = known
		newest := slices.IndexFunc(known, nhip.Opt[float64].Known)
		if newest < 0 {
			continue
		}
		t := end.Add(-time.Duration(newest) * time.Hour)
		at.Values[q] = nhip.LiveValue{
			Value: encode.Round(means[newest], 10), Time: t, Period: time.Hour.Seconds(), Flag: nhip.FlagGood,
		}
		if t.After(at.Time) {
			at.Time = t
		}
	}
	return at
}
