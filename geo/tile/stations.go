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

// ClusterZoom is the zoom from which each monitor is drawn individually.
const ClusterZoom = 10

// clusterCells is the number of cells along a tile's side in which monitors are clustered: each has 64 pixels.
const clusterCells = 8

// stations returns the layer stations: a point for each monitor in the tile or its buffer, with id, state (live
// or stale at the scene's time), time (RFC 3339, UTC), a number for each quantity in its Unit, and aqi, level and
// color if there is an index. Below ClusterZoom, monitors in one cell are one point at their centre, with count,
// live (the number of live ones) and the highest aqi with its level and color.
//
// Monitors without a place and expired ones are left out, and so are values that are missing, have failed their
// checks, or are stale at a live monitor, so that nobody relies on a defective instrument. The result does not
// depend on the order of the stations.
func (s *AirScene) stations(f frame, zoom int) *layer {
	l := newLayer("stations")
	bound := f.bound()
	clusters := make(map[[2]int32]*cluster)
	for _, st := range byID(s.Stations) {
		p, known := st.Point()
		p, valid := mercator(p)
		if p = f.nearby(p); !known || !valid || st.Expired(s.Time) {
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
		if centre := c.centre(); bound.Contains(centre) {
			x, y := f.units(centre)
			l.point(c.id(at), x, y, c.properties(s)...)
		}
	}
	return l
}

// byID returns the stations sorted by id, so that the tile is deterministic.
func byID(stations []nhip.Station) []*nhip.Station {
	sorted := make([]*nhip.Station, len(stations))
	for i := range stations {
		sorted[i] = &stations[i]
	}
	slices.SortStableFunc(sorted, func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}

func (s *AirScene) stationProperties(st *nhip.Station) []property {
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
		if state == nhip.StateLive && st.ValueState(v, s.Time) == nhip.StateStale {
			continue // one instrument of the station has stopped reporting
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Flag == nhip.FlagFail || v.Flag == nhip.FlagMissing {
			continue
		}
		properties = append(properties, property{string(q), number(v.Value)})
	}
	return append(properties, indexProperties(s.StationIndex, st)...)
}

// cluster combines monitors in one cell.
type cluster struct {
	x, y        float64 // sums
	count, live int
	first       *nhip.Station
	index       float64
	level       nhip.AQICategory
	indexed     bool
}

// clusterOf returns the cluster of a place's cell. Cells depend on the zoom only, so that neighbouring tiles agree.
func clusterOf(all map[[2]int32]*cluster, f frame, p orb.Point) *cluster {
	side := f.tiles * clusterCells
	at := [2]int32{int32(math.Floor(p[0] * side)), int32(math.Floor(p[1] * side))}
	if all[at] == nil {
		all[at] = new(cluster)
	}
	return all[at]
}

func compareCells(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) }

func (c *cluster) add(s *AirScene, st *nhip.Station, p orb.Point) {
	if c.count == 0 {
		c.first = st
	}
	c.x, c.y, c.count = c.x+p[0], c.y+p[1], c.count+1
	if st.State(s.Time) == nhip.StateLive {
		c.live++
	}
	if s.StationIndex == nil {
		return
	}
	if index, level, ok := s.StationIndex(st); ok && (!c.indexed || index > c.index) {
		c.index, c.level, c.indexed = index, level, true
	}
}

func (c *cluster) centre() orb.Point {
	return orb.Point{c.x / float64(c.count), c.y / float64(c.count)}
}

func (c *cluster) id(at [2]int32) string {
	if c.count == 1 {
		return c.first.ID
	}
	return fmt.Sprintf("%d/%d", at[0], at[1])
}

func (c *cluster) properties(s *AirScene) []property {
	if c.count == 1 {
		return s.stationProperties(c.first)
	}
	properties := []property{{"count", number(float64(c.count))}, {"live", number(float64(c.live))}}
	if c.indexed {
		properties = append(properties, property{"aqi", number(c.index)}, property{"level", number(float64(c.level.Number))},
			property{"color", text(c.level.Color)})
	}
	return properties
}
