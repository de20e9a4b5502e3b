package air

import (
	"math"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// NodesIn returns the nodes of a lattice that an area contains. An area between the nodes gets the node nearest
// to its centre, so that small areas such as a school yard have an estimate, too. An area outside the lattice has
// no nodes.
func NodesIn(g surface.Grid, bound orb.Bound, contains func(orb.Point) bool) []int32 {
	west, north := g.ColumnRow(orb.Point{bound.Min[0], bound.Max[1]})
	east, south := g.ColumnRow(orb.Point{bound.Max[0], bound.Min[1]})
	var out []int32
	for j := max(0, int(math.Floor(north))); j <= min(g.H-1, int(math.Ceil(south))); j++ {
		lat := g.Lat(float64(j))
		for i := max(0, int(math.Floor(west))); i <= min(g.W-1, int(math.Ceil(east))); i++ {
			if contains(orb.Point{g.Lon(float64(i)), lat}) {
				out = append(out, int32(j*g.W+i))
			}
		}
	}
	if i, j := math.Round((west+east)/2), math.Round((north+south)/2); len(out) == 0 && i >= 0 && j >= 0 && int(i) < g.W &&
		int(j) < g.H {
		out = append(out, int32(int(j)*g.W+int(i)))
	}
	return out
}

// AreaEstimate is the air quality of an area.
type AreaEstimate struct {
	Index    float64 // of the mean concentrations, rounded
	Max      float64 // highest index at any node
	Category nhip.AQICategory
	Dominant nhip.Quantity
	Coverage float64 // share of the area with an index, 0 to 1
	Averages []AreaAverage
}

// AreaAverage is one average over an area, in Quantity.Unit.
type AreaAverage struct {
	Average   aqi.Average
	Mean, Max float64
}

// Area returns the air quality of an area given by its nodes. ok is false if none of them has an index.
func (f *AQIField) Area(nodes []int32) (e AreaEstimate, ok bool) {
	all := f.IndexRasters("")
	a := AreaEstimate{}
	var indexed []int32 // nodes where the scale's conditions are met
	for _, k := range nodes {
		if p := all.Dominant[k]; p >= 0 {
			indexed = append(indexed, k)
			a.Max = max(a.Max, f.Averages[p].Round(float64(all.Index.Values[k])))
		}
	}
	if len(indexed) == 0 {
		return AreaEstimate{}, false
	}
	a.Coverage = float64(len(indexed)) / float64(len(nodes))
	a.Index = -1
	for i := range f.Averages {
		s, ok := f.Averages[i].area(indexed)
		if !ok {
			continue
		}
		a.Averages = append(a.Averages, s)
		if index, ok := s.Average.Index(s.Mean); ok && s.Average.Round(index) > a.Index {
			a.Index, a.Dominant = s.Average.Round(index), s.Average.Quantity
		}
	}
	a.Category = aqi.CategoryOf(f.Scale, a.Index)
	return a, a.Index >= 0
}

func (p *AverageSurface) area(nodes []int32) (AreaAverage, bool) {
	sum, count, top := 0.0, 0, math.Inf(-1)
	for _, k := range nodes {
		if v := float64(p.Mean.Values[k]); !math.IsNaN(v) {
			sum += v
			count++
			top = max(top, v)
		}
	}
	if count == 0 {
		return AreaAverage{}, false
	}
	return AreaAverage{p.Average, sum / float64(count), top}, true
}

// ProfilePoint is the index at one place along a line.
type ProfilePoint struct {
	Metres float64 // from the line's start
	Point  orb.Point
	Index  float64 // rounded; NaN if unknown
}

// Profile returns the index along a line (WGS84), every so many metres and at its end.
func (f *AQIField) Profile(line orb.LineString, every float64) []ProfilePoint {
	if len(line) == 0 {
		return nil
	}
	l := f.IndexRasters("")
	out := []ProfilePoint{f.profilePoint(l, line[0], 0)}
	covered, next := 0.0, every
	for k := 1; k < len(line); k++ {
		from, to := line[k-1], line[k]
		length := geo.Distance(from, to)
		for ; next <= covered+length; next += every {
			part := (next - covered) / length
			out = append(out, f.profilePoint(l, orb.Point{from[0] + part*(to[0]-from[0]), from[1] + part*(to[1]-from[1])}, next))
		}
		covered += length
	}
	if last := out[len(out)-1]; covered > last.Metres {
		out = append(out, f.profilePoint(l, line[len(line)-1], covered))
	}
	return out
}

func (f *AQIField) profilePoint(l *IndexRasters, p orb.Point, metres float64) ProfilePoint {
	i, j := f.Grid.ColumnRow(p)
	index := l.Index.At(i, j)
	if !math.IsNaN(index) {
		index = f.Averages[0].Round(index)
	}
	return ProfilePoint{metres, p, index}
}
