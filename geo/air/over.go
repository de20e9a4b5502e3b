package air

import (
	"math"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// NodesIn returns the nodes of a lattice that an area contains. An area between two nodes gets the node nearest to
// its middle, so that a school yard has air, too; one outside the lattice gets none.
func NodesIn(g surface.Grid, bound orb.Bound, contains func(orb.Point) bool) []int32 {
	west, north := g.Of(orb.Point{bound.Min[0], bound.Max[1]})
	east, south := g.Of(orb.Point{bound.Max[0], bound.Min[1]})
	var out []int32
	for j := max(0, int(math.Floor(north))); j <= min(g.H-1, int(math.Ceil(south))); j++ {
		lat := g.Lat(float64(j))
		for i := max(0, int(math.Floor(west))); i <= min(g.W-1, int(math.Ceil(east))); i++ {
			if contains(orb.Point{g.Lon(float64(i)), lat}) {
				out = append(out, int32(j*g.W+i))
			}
		}
	}
	if i, j := math.Round((west+east)/2), math.Round((north+south)/2); len(out) == 0 && i >= 0 && j >= 0 && int(i) < g.W && int(j) < g.H {
		out = append(out, int32(int(j)*g.W+int(i)))
	}
	return out
}

// Area is the air of an area.
type Area struct {
	Index    float64 // of the mean air, rounded
	Max      float64 // the highest index anywhere in it, whether anybody lives there or not
	Level    nhip.Level
	Dominant nhip.Quantity
	Known    float64 // which share of the area anything is known of, 0 to 1
	Parts    []Share
}

// Share is what one average is over an area, in Quantity.Unit.
type Share struct {
	Average   aqi.Average
	Mean, Max float64
}

// Over returns the air of an area, given by its nodes; false where there is no index anywhere in it.
func (c *City) Over(nodes []int32) (Area, bool) {
	all := c.Layer("")
	a := Area{}
	var indexed []int32 // elsewhere what the scale asks for is missing
	for _, k := range nodes {
		if p := all.Dominant[k]; p >= 0 {
			indexed = append(indexed, k)
			a.Max = max(a.Max, c.Parts[p].Round(float64(all.Index.Values[k])))
		}
	}
	if len(indexed) == 0 {
		return Area{}, false
	}
	a.Known = float64(len(indexed)) / float64(len(nodes))
	a.Index = -1
	for i := range c.Parts {
		s, ok := c.Parts[i].over(indexed)
		if !ok {
			continue
		}
		a.Parts = append(a.Parts, s)
		if index, ok := s.Average.Index(s.Mean); ok && s.Average.Round(index) > a.Index {
			a.Index, a.Dominant = s.Average.Round(index), s.Average.Quantity
		}
	}
	a.Level = aqi.LevelOf(c.Scale, a.Index)
	return a, a.Index >= 0
}

func (p *Part) over(nodes []int32) (Share, bool) {
	sum, count, top := 0.0, 0, math.Inf(-1)
	for _, k := range nodes {
		if v := float64(p.Mean.Values[k]); v == v {
			sum += v
			count++
			top = max(top, v)
		}
	}
	if count == 0 {
		return Share{}, false
	}
	return Share{p.Average, sum / float64(count), top}, true
}

// Step is the air at one place along a line.
type Step struct {
	Metres float64 // from the line's start
	Point  orb.Point
	Index  float64 // rounded; NaN where nothing is known
}

// Along returns the index along a line, WGS84, every so many metres and at its end.
func (c *City) Along(line orb.LineString, every float64) []Step {
	if len(line) == 0 {
		return nil
	}
	l := c.Layer("")
	out := []Step{c.step(l, line[0], 0)}
	way, next := 0.0, every
	for k := 1; k < len(line); k++ {
		from, to := line[k-1], line[k]
		length := geo.Distance(from, to)
		for ; next <= way+length; next += every {
			f := (next - way) / length
			out = append(out, c.step(l, orb.Point{from[0] + f*(to[0]-from[0]), from[1] + f*(to[1]-from[1])}, next))
		}
		way += length
	}
	if last := out[len(out)-1]; way > last.Metres {
		out = append(out, c.step(l, line[len(line)-1], way))
	}
	return out
}

func (c *City) step(l *Layer, p orb.Point, metres float64) Step {
	i, j := c.Grid.Of(p)
	index := l.Index.At(i, j)
	if index == index {
		index = c.Parts[0].Round(index)
	}
	return Step{metres, p, index}
}
