// Package isoband computes the areas between the contour lines of a lattice by marching squares.
//
// Neighbouring bands share every point of the line between them, and two windows of one lattice agree where they
// overlap. So there are no slivers, neither between bands nor between tiles.
package isoband

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Lattice holds the values of W×H nodes, row by row. NaN marks nodes outside the area. W and H are at most 32,767.
type Lattice struct {
	W, H   int
	Values []float32
}

// Bands returns the area of each band: below levels[0], from levels[0] up to levels[1], …, and from the last
// level up. Levels ascend. Coordinates are columns and rows. Rings are closed. Outer rings have a positive area
// if rows count downwards, as in MVT; holes have a negative one.
//
// Only cells with four known nodes are drawn. If two drawn cells would touch only at a corner, the later one is
// left out, so that no ring touches itself there.
func Bands(l Lattice, levels []float64) []orb.MultiPolygon {
	d := &drawing{Lattice: l, levels: levels, bands: make([]band, len(levels)+1)}
	if l.W < 2 || l.H < 2 {
		return make([]orb.MultiPolygon, len(d.bands))
	}
	d.mask()
	for j := range l.H - 1 {
		for i := range l.W - 1 {
			if d.cells[j*(l.W-1)+i] {
				d.addCell(i, j)
			}
		}
	}
	out := make([]orb.MultiPolygon, len(d.bands))
	for k := range d.bands {
		out[k] = assemble(d.bands[k].rings(d))
	}
	return out
}

// drawing is the working state of Bands.
type drawing struct {
	Lattice
	levels []float64
	cells  []bool // by cell: whether it is drawn
	bands  []band
}

// mask determines the cells that are drawn.
func (d *drawing) mask() {
	w := d.W - 1
	d.cells = make([]bool, w*(d.H-1))
	for k := range d.cells {
		i, j := k%w, k/w
		sum := d.at(i, j) + d.at(i+1, j) + d.at(i, j+1) + d.at(i+1, j+1)
		d.cells[k] = !math.IsNaN(float64(sum))
	}
	for changed := true; changed; {
		changed = false
		for k := w; k < len(d.cells); k++ {
			if k%w > 0 && d.cornered(k-w-1, k-w, k-1, k) {
				changed = true
			}
		}
	}
}

// cornered reports whether exactly two diagonal cells of the four around a node are drawn. If so, it leaves out
// the later one.
func (d *drawing) cornered(nw, ne, sw, se int) bool {
	c := d.cells
	switch {
	case c[nw] && c[se] && !c[ne] && !c[sw]:
		c[se] = false
	case c[ne] && c[sw] && !c[nw] && !c[se]:
		c[sw] = false
	default:
		return false
	}
	return true
}

func (d *drawing) at(i, j int) float32 { return d.Values[j*d.W+i] }

// class returns the band of a value.
func (d *drawing) class(v float32) int {
	k := 0
	for k < len(d.levels) && float64(v) >= d.levels[k] {
		k++
	}
	return k
}

// A point is a node, or the crossing of a level with the edge that leads east or south from a node.
type point uint64

const (
	atNode = iota
	eastwards
	southwards
)

func pointOf(i, j, kind, level int) point {
	return point(i)<<48 | point(j)<<32 | point(kind)<<30 | point(level)
}

// place returns the coordinates of a point.
func (d *drawing) place(p point) orb.Point {
	i, j, kind, level := int(p>>48), int(p>>32&0xffff), int(p>>30&3), int(p&(1<<30-1))
	x, y := float64(i), float64(j)
	switch kind {
	case eastwards:
		x += d.crossing(d.at(i, j), d.at(i+1, j), level)
	case southwards:
		y += d.crossing(d.at(i, j), d.at(i, j+1), level)
	}
	return orb.Point{x, y}
}

// crossing returns the fraction of the way from a to b at which a level lies.
func (d *drawing) crossing(a, b float32, level int) float64 {
	return (d.levels[level] - float64(a)) / (float64(b) - float64(a))
}

// corners are the corners of a cell from the north-west one on, in the direction of outer rings. Edge k starts at
// corner k.
var corners = [4][2]int{{0, 0}, {1, 0}, {1, 1}, {0, 1}}

// edgeCrossing returns the crossing of a level with edge k of a cell.
func edgeCrossing(i, j, k, level int) point {
	switch k {
	case 0:
		return pointOf(i, j, eastwards, level)
	case 1:
		return pointOf(i+1, j, southwards, level)
	case 2:
		return pointOf(i, j+1, eastwards, level)
	default:
		return pointOf(i, j, southwards, level)
	}
}

// addCell adds the contour lines in one cell, and those of its edges that are the border of the area.
func (d *drawing) addCell(i, j int) {
	var v [4]float32
	low, high := len(d.levels), 0
	for k, c := range corners {
		v[k] = d.at(i+c[0], j+c[1])
		class := d.class(v[k])
		low, high = min(low, class), max(high, class)
	}
	for level := low; level < high; level++ {
		d.addLines(i, j, level, &v)
	}
	w := d.W - 1
	for k, beyond := range [4]bool{
		j > 0 && d.cells[(j-1)*w+i], i+1 < w && d.cells[j*w+i+1], j+2 < d.H && d.cells[(j+1)*w+i], i > 0 && d.cells[j*w+i-1],
	} {
		if !beyond {
			d.addEdge(i, j, k, v[k], v[(k+1)%4])
		}
	}
}

// addLines adds the contour lines of one level in a cell. Each leads from an edge that leaves the area above the
// level to an edge that enters it. At a saddle, the mean of the corners determines whether the area above the
// level is connected.
func (d *drawing) addLines(i, j, level int, v *[4]float32) {
	var out, in [2]int
	outs, ins := 0, 0
	t := d.levels[level]
	for k := range v {
		switch here, there := float64(v[k]) >= t, float64(v[(k+1)%4]) >= t; {
		case here && !there:
			out[outs] = k
			outs++
		case !here && there:
			in[ins] = k
			ins++
		}
	}
	if outs == 1 {
		d.addLine(level, edgeCrossing(i, j, out[0], level), edgeCrossing(i, j, in[0], level))
		return
	}
	whole := (float64(v[0])+float64(v[1])+float64(v[2])+float64(v[3]))/4 >= t
	for _, k := range out {
		next, last := in[0], in[1] // the next edge that enters, and the other one
		if in[0] < k && in[1] > k {
			next, last = last, next
		}
		if !whole {
			next = last
		}
		d.addLine(level, edgeCrossing(i, j, k, level), edgeCrossing(i, j, next, level))
	}
}

// addLine adds a piece of a contour line: forwards to the band above it, backwards to the band below it.
func (d *drawing) addLine(level int, from, to point) {
	d.bands[level+1].add(from, to)
	d.bands[level].add(to, from)
}

// addEdge adds a border edge of the area, split where the band changes.
func (d *drawing) addEdge(i, j, k int, a, b float32) {
	from, to := d.class(a), d.class(b)
	at := pointOf(i+corners[k][0], j+corners[k][1], atNode, 0)
	end := (k + 1) % 4
	step := cmp.Compare(to, from)
	for class := from; class != to; class += step {
		level := class // the upper level of the class
		if step < 0 {
			level = class - 1
		}
		next := edgeCrossing(i, j, k, level)
		d.bands[class].add(at, next)
		at = next
	}
	d.bands[to].add(at, pointOf(i+corners[end][0], j+corners[end][1], atNode, 0))
}

// band is the border of one class: the successor of each point.
type band struct {
	next map[point]point
}

func (b *band) add(from, to point) {
	if b.next == nil {
		b.next = make(map[point]point)
	}
	b.next[from] = to
}

// rings follows the border into closed rings, in a fixed order.
func (b *band) rings(d *drawing) []orb.Ring {
	starts := make([]point, 0, len(b.next))
	for p := range b.next {
		starts = append(starts, p)
	}
	slices.Sort(starts)
	var out []orb.Ring
	for _, first := range starts {
		var ring orb.Ring
		for p, more := first, true; more; {
			next, open := b.next[p]
			if !open {
				break
			}
			delete(b.next, p)
			ring = append(ring, d.place(p))
			p, more = next, next != first
		}
		if len(ring) > 2 {
			out = append(out, append(ring, ring[0]))
		}
	}
	return out
}

// area returns the area of a ring by the shoelace formula.
func area(r orb.Ring) float64 {
	sum := 0.0
	for i := 1; i < len(r); i++ {
		sum += r[i-1][0]*r[i][1] - r[i][0]*r[i-1][1]
	}
	return sum / 2
}

// assemble assigns each hole to the smallest outer ring around it.
func assemble(rings []orb.Ring) orb.MultiPolygon {
	type outer struct {
		area  float64
		bound orb.Bound
		rings orb.Polygon
	}
	var outers []outer
	var holes []orb.Ring
	for _, r := range rings {
		switch a := area(r); {
		case a > 0:
			outers = append(outers, outer{a, r.Bound(), orb.Polygon{r}})
		case a < 0:
			holes = append(holes, r)
		}
	}
	slices.SortStableFunc(outers, func(a, b outer) int { return cmp.Compare(a.area, b.area) })
	for _, h := range holes {
		bound := h.Bound()
		for k := range outers {
			o := &outers[k]
			if o.bound.Contains(bound.Min) && o.bound.Contains(bound.Max) && encloses(o.rings[0], h) {
				o.rings = append(o.rings, h)
				break
			}
		}
	}
	out := make(orb.MultiPolygon, len(outers))
	for k := range outers {
		out[k] = outers[k].rings
	}
	return out
}

// encloses reports whether a ring encloses a hole that does not cross it. It tests the first point of the hole that
// is not on the ring.
func encloses(ring, hole orb.Ring) bool {
	for _, p := range hole {
		if inside, onIt := contains(ring, p); !onIt {
			return inside
		}
	}
	return false
}

// contains reports whether a point lies inside a ring or on it.
func contains(ring orb.Ring, p orb.Point) (inside, on bool) {
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if (a[1] > p[1]) == (b[1] > p[1]) {
			if p[1] == a[1] && p[1] == b[1] && p[0] >= math.Min(a[0], b[0]) && p[0] <= math.Max(a[0], b[0]) {
				return false, true
			}
			if p == a {
				return false, true
			}
			continue
		}
		x := a[0] + (p[1]-a[1])/(b[1]-a[1])*(b[0]-a[0])
		if x == p[0] || p == a {
			return false, true
		}
		if x > p[0] {
			inside = !inside
		}
	}
	return inside, false
}
