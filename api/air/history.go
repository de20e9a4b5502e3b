package air

import (
	"context"
	"math"
	"time"

	"nhip"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"
)

// History is the part of the database that a Model reads.
type History interface {
	// HourlyRollups yields the hours of all stations that end after from and up to to, as reviewed, oldest first.
	HourlyRollups(ctx context.Context, from, to time.Time, yield func(*nhip.Rollup) error) error
	// StationReadings yields a station's readings after from and up to to, oldest first.
	StationReadings(ctx context.Context, station string, from, to time.Time, yield func(*nhip.AssessedReading) error) error
}

// stationHours are hourly means from the history, newest first; the first is the hour that ends at end.
type stationHours struct {
	end       time.Time
	byStation map[string]aqi.Hours
}

// values returns a copy of a station's hourly values up to end, newest first, NaN where unknown. They are all NaN if h
// is nil or end is before h.end.
func (h *stationHours) values(station string, q nhip.Quantity, end time.Time) []float64 {
	out := unknownHours(hoursKept)
	if h == nil || end.Before(h.end) {
		return out
	}
	if lag := int(end.Sub(h.end) / time.Hour); lag < len(out) {
		copy(out[lag:], h.byStation[station][q])
	}
	return out
}

// unknownHours returns n times NaN.
func unknownHours(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// readHours reads the last count hours up to end of all stations. Only hours that are flagged good are used.
func (m *Model) readHours(ctx context.Context, end time.Time, count int) (*stationHours, error) {
	h := &stationHours{end: end, byStation: make(map[string]aqi.Hours)}
	err := m.o.History.HourlyRollups(ctx, end.Add(-time.Duration(count)*time.Hour), end, func(r *nhip.Rollup) error {
		if !interpolated[r.Quantity] || r.Flag != nhip.FlagGood {
			return nil
		}
		hours := h.byStation[r.Station]
		if hours == nil {
			hours = make(aqi.Hours)
			h.byStation[r.Station] = hours
		}
		if hours[r.Quantity] == nil {
			hours[r.Quantity] = unknownHours(count)
		}
		if back := int(end.Sub(r.Time) / time.Hour); back >= 0 && back < count {
			hours[r.Quantity][back] = r.Mean
		}
		return nil
	})
	return h, err
}

// maxMobileMonitors is the maximum number of monitors on buses that are read for one snapshot.
const maxMobileMonitors = 200

// readMobile returns the readings of monitors on buses in the last geoair.MobileReadingMaxAge up to end, ordered by
// time.
func (m *Model) readMobile(ctx context.Context, end time.Time) ([]geoair.MobileReading, error) {
	var out mobileMonitors
	read := 0
	for id, s := range m.o.State.Located() {
		if !s.Mobile || read == maxMobileMonitors {
			continue
		}
		read++
		err := m.o.History.StationReadings(ctx, id, end.Add(-geoair.MobileReadingMaxAge), end,
			func(r *nhip.AssessedReading) error {
				v, flag := r.At(nhip.QualityAutomatic)
				p, placed := r.Point.Get()
				if placed && interpolated[r.Quantity] && r.Period <= time.Hour {
					out.put(geoair.MobileReading{ID: id, Point: p, Class: classOf(s), Quantity: r.Quantity, Time: r.Time, Value: v},
						flag)
				}
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	return out.since(time.Time{}), nil
}
