package collector

import "github.com/cespare/xxhash/v2"

// maxRouteTags bounds the routes of one vehicle that become tags. A bus serves a few; each makes a series.
const maxRouteTags = 32

// routeTags decides which routes of positions are tags: those that the timetable knows, up to a number for each
// vehicle. Others are stored as a field. Without a timetable no route is a tag: whatever a device sends would make a
// series. Only the deduplicator uses it.
type routeTags struct {
	known func(route string) bool
	used  map[string]map[uint64]struct{} // hashes of routes by vehicle
}

func newRouteTags(known func(string) bool) *routeTags {
	return &routeTags{known: known, used: make(map[string]map[uint64]struct{})}
}

// maxTaggedVehicles bounds the vehicles that are remembered.
const maxTaggedVehicles = 200_000

// tagged reports whether a route of a vehicle is a tag.
func (r *routeTags) tagged(vehicle, route string) bool {
	if !r.known(route) {
		return false
	}
	routes := r.used[vehicle]
	hash := xxhash.Sum64String(route)
	if _, had := routes[hash]; had {
		return true
	}
	if len(routes) >= maxRouteTags {
		return false
	}
	if routes == nil {
		if len(r.used) >= maxTaggedVehicles {
			clear(r.used)
		}
		routes = make(map[uint64]struct{}, 1)
		r.used[vehicle] = routes
	}
	routes[hash] = struct{}{}
	return true
}
