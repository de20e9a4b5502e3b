package air

import (
	"time"

	"nhip/api/cache"
	geoair "nhip/geo/air"
	"nhip/geo/surface"
	"nhip/geo/tile"
	"nhip/geo/zone"
)

// zoneCache caches results that depend on zones and lattices but not on the air. It is safe for concurrent use.
type zoneCache struct {
	drawings cache.Computed[string, *tile.ZoneMap]
	nodes    cache.Computed[nodesKey, []int32]
}

func newZoneCache() zoneCache {
	return zoneCache{
		drawings: cache.Computed[string, *tile.ZoneMap]{Max: maxDrawings},
		nodes:    cache.Computed[nodesKey, []int32]{Max: maxNodeSets},
	}
}

type nodesKey struct {
	grid surface.Grid
	zone *zone.Zone
}

// Limits of the cache.
const (
	maxNodeSets = 2000 // enough for zones of two kinds on a few lattices
	maxDrawings = 8    // one for each period without a change of the zones
)

// latticeNodes returns the indices of the lattice nodes that lie in a zone.
func (c *zoneCache) latticeNodes(g surface.Grid, z *zone.Zone) []int32 {
	return c.nodes.Get(nodesKey{g, z}, func() []int32 { return geoair.NodesIn(g, z.Bound(), z.Contains) })
}

// drawing returns the zones in the form that tiles are drawn from.
func (c *zoneCache) drawing(zones []*zone.Zone) *tile.ZoneMap {
	key := ""
	for _, z := range zones {
		key += z.Kind + "/" + z.ID + "/" + z.From.Format(time.RFC3339) + "\n"
	}
	return c.drawings.Get(key, func() *tile.ZoneMap {
		all := make([]tile.ZoneArea, len(zones))
		for i, z := range zones {
			all[i] = tile.ZoneArea{ID: z.ID, Kind: z.Kind, Name: z.Name, Area: z.Area}
		}
		return tile.NewZoneMap(all)
	})
}
