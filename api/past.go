package api

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"

	"github.com/cespare/xxhash/v2"
)

// Bounds of what is kept of hours that were.
const (
	mostPast    = 24               // hours in memory, 3 to 7 MB each
	mostReading = 2                // that are read at once
	pastFor     = 10 * time.Minute // until an hour is read again: people strike out, and what is late comes
	recentFor   = time.Minute      // of hours that may still change by themselves
	settledAge  = 26 * time.Hour
)

// at returns the air of a time: of now, or of the hour that had ended then.
func (s *sky) at(ctx context.Context, t time.Time) (*hour, error) {
	now := s.present()
	end := t.UTC().Truncate(time.Hour)
	if t.IsZero() || !end.Before(now.End) {
		return now, nil
	}
	keep := pastFor
	if now.at.Sub(end) < settledAge {
		keep = recentFor
	}
	return s.past.get(ctx, end, keep, func(ctx context.Context) (*hour, error) { return s.read(ctx, end, now) })
}

// read makes an hour of the history.
func (s *sky) read(ctx context.Context, end time.Time, now *hour) (*hour, error) {
	was, err := s.readHours(ctx, end, skyHours)
	if err == nil {
		var roving []air.Roving
		if roving, err = s.roved(ctx, end); err == nil {
			return s.hourOf(was, roving, now), nil
		}
	}
	s.log.Warn("the history does not answer", "error", err)
	return nil, errHistoryAway
}

func (s *sky) hourOf(was *stationHours, roving []air.Roving, now *hour) *hour {
	h := &hour{
		Moment: &air.Moment{End: was.end, Roving: roving}, at: was.end, models: now.models, maker: s.maker, past: true,
		settled: now.at.Sub(was.end) >= settledAge && len(now.models.Models) > 0, cities: make(map[nhip.Scale]*air.City), zones: make(map[nhip.Scale]*zoneAir),
	}
	for id, st := range s.places() {
		if of := was.by[id]; of != nil {
			if st.Mobile {
				continue // where it is now is not where it was
			}
			if !spoke(of) {
				continue
			}
			p, _ := st.Point()
			h.Monitors = append(h.Monitors, air.Monitor{ID: id, Point: p, Class: classOf(st), Hours: of})
			h.stations = append(h.stations, stationThen(st, of, was.end))
		}
	}
	slices.SortFunc(h.Monitors, func(a, b air.Monitor) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(h.stations, func(a, b nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	h.key = keyOfMoment(h.Moment) + h.models.version
	h.version = h.key
	return h
}

// spoke reports whether a monitor said anything in the hours before it is taken for silent.
func spoke(of aqi.Hours) bool {
	for _, means := range of {
		for _, v := range means[:int(indexGoneAfter/time.Hour)] {
			if v == v {
				return true
			}
		}
	}
	return false
}

// stationThen is a station as it was shown at the end of an hour.
func stationThen(st *nhip.Station, of aqi.Hours, end time.Time) nhip.Station {
	then := *st
	then.Time, then.Values, then.Origin = time.Time{}, make(map[nhip.Quantity]nhip.LiveValue, len(of)), ""
	then.Hours = &nhip.AirHours{End: end, Means: make(map[nhip.Quantity][]nhip.Opt[float64], len(of))}
	for q, means := range of {
		told := make([]nhip.Opt[float64], len(means))
		for i, v := range means {
			if v == v {
				told[i] = nhip.Some(v)
			}
		}
		then.Hours.Means[q] = told
		for i, v := range means {
			if v == v {
				at := end.Add(-time.Duration(i) * time.Hour)
				then.Values[q] = nhip.LiveValue{Value: roundTo(v, 10), Time: at, Period: time.Hour.Seconds(), Flag: nhip.Good}
				if at.After(then.Time) {
					then.Time = at
				}
				break
			}
		}
	}
	then.Reports = time.Hour.Seconds()
	return then
}

// keyOfMoment tells moments apart by what surfaces are made of.
func keyOfMoment(m *air.Moment) uint64 {
	d := xxhash.New()
	var b []byte
	put := func(v float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }
	put(float64(m.End.Unix()))
	for i := range m.Monitors {
		x := &m.Monitors[i]
		b = append(b, x.ID...)
		put(x.Point[0])
		put(x.Point[1])
		put(float64(x.Class))
		for _, of := range aqi.Averages(nhip.VNAQI) { // no scale has other quantities
			b = append(b, of.Quantity...)
			for _, v := range x.Hours[of.Quantity] {
				put(v)
			}
		}
		_, _ = d.Write(b) // never fails
		b = b[:0]
	}
	for i := range m.Roving {
		x := &m.Roving[i]
		b = append(b, x.Quantity...)
		put(float64(x.Time.UnixMilli()))
		put(x.Point[0])
		put(x.Point[1])
		put(x.Value)
	}
	_, _ = d.Write(b) // never fails
	return d.Sum64()
}
