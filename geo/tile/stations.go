package tile

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"

	"github.com/paulmach/orb/maptile"
)

// Stations returns a tile with the layer "stations": a point for each monitor in the tile or its
// buffer, with id, state (live or stale at now), time (RFC 3339, UTC) and a number for each
// quantity, in its Unit. It returns nil when there is none.
//
// Left out are monitors without a place, those that have left the map, values that are missing or
// failed their checks, and at a live monitor values that are stale: nobody shall read the air from
// a broken instrument. The order of stations
// makes no difference. A t that Address would not have made is an error.
func Stations(t maptile.Tile, stations []nhip.Station, now time.Time) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	f := newFrame(t)
	bound := f.bound()
	l := newLayer("stations")
	for _, s := range byID(stations) {
		p, known := s.Point()
		p, valid := onMap(p)
		if p = f.nearby(p); !known || !valid || !bound.Contains(p) || s.Gone(now) {
			continue
		}
		l.add(s.ID, pointAt(f.units(p)), stationProperties(s, now))
	}
	return l.appendTo(nil), nil
}

// byID returns the stations in an order of their own, so that the same city makes the same bytes.
func byID(stations []nhip.Station) []*nhip.Station {
	sorted := make([]*nhip.Station, len(stations))
	for i := range stations {
		sorted[i] = &stations[i]
	}
	slices.SortStableFunc(sorted, func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}

func stationProperties(s *nhip.Station, now time.Time) []property {
	state := s.State(now)
	properties := []property{
		{"id", text(s.ID)},
		{"state", text(string(state))},
		{"time", text(s.Time.UTC().Format(time.RFC3339))},
	}
	if s.Origin != "" {
		properties = append(properties, property{"origin", text(string(s.Origin))})
	}
	for _, q := range slices.Sorted(maps.Keys(s.Values)) {
		v := s.Values[q]
		if state == nhip.Live && s.ValueState(v, now) == nhip.Stale {
			continue // a silent instrument in a box that speaks
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Flag == nhip.Fail || v.Flag == nhip.MissingValue {
			continue
		}
		properties = append(properties, property{string(q), number(v.Value)})
	}
	return properties
}
