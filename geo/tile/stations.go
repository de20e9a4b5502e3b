package tile

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// ClusterZoom is the zoom from which each monitor is drawn by itself.
const ClusterZoom = 10

// clusterCells is into how many cells a tile's side is cut where monitors are drawn together: one of 64 pixels.
const clusterCells = 8

// stations draws a point for each monitor in the tile or its buffer, with id, state (live or stale by the scene's
// time), time (RFC 3339, UTC), a number for each quantity in its Unit, and aqi, level and colour where there is an
// index. Below ClusterZoom those that stand close together are one point in their middle, with count, live (how many
// are) and the highest aqi with its level and colour.
//
// Left out are monitors without a place, those that have left the map, values that are missing or failed their checks,
// and at a live monitor values that are stale: nobody shall read the air from a broken instrument. The order of
// stations makes no difference.
func (s *Scene) stations(f frame, zoom int) *layer {
	l := newLayer("stations")
	bound := f.bound()
	clusters := make(map[[2]int32]*cluster)
	for _, st := range byID(s.Stations) {
		p, known := st.Point()
		p, valid := onMap(p)
		if p = f.nearby(p); !known || !valid || st.Gone(s.Time) {
			continue
		}
		if zoom < ClusterZoom {
			clusterOf(clusters, f, p).add(s, st, p)
		} else if bound.Contains(p) {
			x, y := f.units(p)
			l.point(st.ID, x, y, s.stationProperties(st)...)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(clusters), compareCells) {
		c := clusters[at]
		if middle := c.middle(); bound.Contains(middle) {
			x, y := f.units(middle)
			l.point(c.id(at), x, y, c.properties(s)...)
		}
	}
	return l
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

func (s *Scene) stationProperties(st *nhip.Station) []property {
	state := st.State(s.Time)
	properties := []property{
		{"id", text(st.ID)},
		{"state", text(string(state))},
		{"time", text(st.Time.UTC().Format(time.RFC3339))},
	}
	if st.Origin != "" {
		properties = append(properties, property{"origin", text(string(st.Origin))})
	}
	for _, q := range slices.Sorted(maps.Keys(st.Values)) {
		v := st.Values[q]
		if state == nhip.Live && st.ValueState(v, s.Time) == nhip.Stale {
			continue // a silent instrument in a box that speaks
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Flag == nhip.Fail || v.Flag == nhip.MissingValue {
			continue
		}
		properties = append(properties, property{string(q), number(v.Value)})
	}
	return append(properties, indexProperties(s.IndexOf, st)...)
}

// cluster is monitors that stand close together.
type cluster struct {
	x, y        float64 // sums
	count, live int
	first       *nhip.Station
	index       float64
	level       nhip.Level
	indexed     bool
}

// clusterOf returns the cluster of a place's cell. Cells are the zoom's, so that neighbouring tiles draw the same.
func clusterOf(all map[[2]int32]*cluster, f frame, p orb.Point) *cluster {
	side := f.tiles * clusterCells
	at := [2]int32{int32(math.Floor(p[0] * side)), int32(math.Floor(p[1] * side))}
	if all[at] == nil {
		all[at] = new(cluster)
	}
	return all[at]
}

func compareCells(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) }

func (c *cluster) add(s *Scene, st *nhip.Station, p orb.Point) {
	if c.count == 0 {
		c.first = st
	}
	c.x, c.y, c.count = c.x+p[0], c.y+p[1], c.count+1
	if st.State(s.Time) == nhip.Live {
		c.live++
	}
	if s.IndexOf == nil {
		return
	}
	if index, level, ok := s.IndexOf(st); ok && (!c.indexed || index > c.index) {
		c.index, c.level, c.indexed = index, level, true
	}
}

func (c *cluster) middle() orb.Point {
	return orb.Point{c.x / float64(c.count), c.y / float64(c.count)}
}

func (c *cluster) id(at [2]int32) string {
	if c.count == 1 {
		return c.first.ID
	}
	return fmt.Sprintf("%d/%d", at[0], at[1])
}

func (c *cluster) properties(s *Scene) []property {
	if c.count == 1 {
		return s.stationProperties(c.first)
	}
	properties := []property{{"count", number(float64(c.count))}, {"live", number(float64(c.live))}}
	if c.indexed {
		properties = append(properties, property{"aqi", number(c.index)}, property{"level", number(float64(c.level.Number))}, property{"colour", text(c.level.Colour)})
	}
	return properties
}
