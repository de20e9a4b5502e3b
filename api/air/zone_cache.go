package air

import (
	"sync"
	"time"

	geoair "nhip/geo/air"
	"nhip/geo/surface"
	"nhip/geo/tile"
	"nhip/geo/zone"
)

// zoneCache caches results that depend on zones and lattices but not on the air. It is safe for concurrent use.
type zoneCache struct {
	mu       sync.Mutex
	drawings map[string]*tile.ZoneMap
	nodes    map[nodesKey][]int32
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
	c.mu.Lock()
	defer c.mu.Unlock()
	key := nodesKey{g, z}
	nodes, known := c.nodes[key]
	if !known {
		if len(c.nodes) >= maxNodeSets || c.nodes == nil {
			c.nodes = make(map[nodesKey][]int32)
		}
		nodes = geoair.NodesIn(g, z.Bound(), z.Contains)
		c.nodes[key] = nodes
	}
	return nodes
}

// drawing returns the zones in the form that tiles are drawn from.
func (c *zoneCache) drawing(zones []*zone.Zone) *tile.ZoneMap {
	key := ""
	for _, z := range zones {
		key += z.Kind + "/" + z.ID + "/" + z.From.Format(time.RFC3339) + "\n"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	drawing := c.drawings[key]
	if drawing == nil {
		all := make([]tile.ZoneArea, len(zones))
		for i, z := range zones {
			all[i] = tile.ZoneArea{ID: z.ID, Kind: z.Kind, Name: z.Name, Area: z.Area}
		}
		if drawing = tile.NewZoneMap(all); len(c.drawings) >= maxDrawings || c.drawings == nil {
			c.drawings = make(map[string]*tile.ZoneMap)
		}
		c.drawings[key] = drawing
	}
	return drawing
}
