package api

import (
	"maps"
	"slices"

	"nhip"
	"nhip/api/live"
	"nhip/api/transit"
	"nhip/geo/index"
)

// knownAgencies returns the configured agencies, those of the buses and those of the timetable, sorted.
func knownAgencies(configured []string, state *live.State, model *transit.Model) []string {
	known := make(map[string]bool)
	for _, id := range configured {
		known[id] = true
	}
	state.Buses().Within(nil, index.World, func(b **nhip.Bus) bool {
		known[(*b).Agency] = true
		return false
	})
	if t, err := model.Timetable(); err == nil {
		for _, agency := range t.Network.Feed.Agencies {
			known[transit.AgencyID(agency)] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}
