// Package places knows what riders look for beside routes and stops: named places, the zones of the map, and the
// stations.
package places

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/transit"
	"nhip/geo/place"
	"nhip/geo/zone"

	"github.com/cespare/xxhash/v2"
	"github.com/paulmach/orb/planar"
)

// Index holds the names of places and stations. It is safe for concurrent use.
type Index struct {
	places []place.Place
	zones  *zone.Set
	live   *live.State

	mu       sync.Mutex
	checked  time.Time
	placed   *transit.NameIndex
	zoneSum  uint64
	stations *transit.NameIndex
	stateSum uint64
}

// checkEvery is how old the names in the index may be.
const checkEvery = 10 * time.Second

// New returns the index of configured places, of zones, which may be nil, and of the stations of a state.
func New(configured []place.Place, zones *zone.Set, state *live.State) *Index {
	return &Index{places: configured, zones: zones, live: state}
}

// Names returns the indexes of the names that are valid at a time, which is now.
func (x *Index) Names(now time.Time) []*transit.NameIndex {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.placed == nil || now.Before(x.checked) || now.Sub(x.checked) >= checkEvery {
		x.checked = now
		x.placed, x.zoneSum = rebuilt(x.placed, x.zoneSum, x.placeNames(now))
		x.stations, x.stateSum = rebuilt(x.stations, x.stateSum, stationNames(x.live))
	}
	return []*transit.NameIndex{x.placed, x.stations}
}

// rebuilt returns the index of things with their checksum: the one that exists if they are the same.
func rebuilt(old *transit.NameIndex, sum uint64, things []transit.Named) (*transit.NameIndex, uint64) {
	digest := xxhash.New()
	for i := range things {
		fmt.Fprintf(digest, "%+v\n", things[i])
	}
	if now := digest.Sum64(); old == nil || now != sum {
		return transit.NewNameIndex(things), now
	}
	return old, sum
}

// placeNames returns the places and the zones that are valid at a time. A zone is at its centroid.
func (x *Index) placeNames(now time.Time) []transit.Named {
	var out []transit.Named
	for _, p := range x.places {
		out = append(out, transit.Named{
			Kind: transit.KindPlace, ID: p.ID, Name: p.Name, Type: p.Type, Point: p.Point, Placed: true,
		})
	}
	for _, z := range x.zones.All(now) {
		if z.Name == (nhip.LocalizedText{}) {
			continue
		}
		at, _ := planar.CentroidArea(z.Area)
		id := z.Kind + "/" + z.ID
		out = append(out, transit.Named{
			Kind: transit.KindPlace, ID: id, Name: z.Name, Type: z.Kind, Zone: id, Point: at, Placed: true,
		})
	}
	return out
}

// stationNames returns the stations of a state and of its fleet, in the order of their ids.
func stationNames(state *live.State) []transit.Named {
	var out []transit.Named
	for _, s := range state.AllKnown() {
		at, placed := s.Point()
		out = append(out, transit.Named{Kind: transit.KindStation, ID: s.ID, Name: s.Name, Point: at, Placed: placed})
	}
	slices.SortFunc(out, func(a, b transit.Named) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
