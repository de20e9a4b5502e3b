package surface

import "math"

// lattice holds what depends on a set of sites and a grid but on no values: which nodes are known, and the unit
// variance there. It is safe for concurrent use.
type lattice struct {
	bank   *bank
	grid   Grid
	east   []float64 // of columns, on the plane of the sites
	north  []float64 // of rows
	known  []bool    // by node: near enough to a site
	beside []bool    // by node: a site vouches for it
	exact  []bool    // by node: the estimate is computed, not interpolated
	unit   *Raster   // unit variance of what a monitor would read
	table  *kernelTable
}

// besideDistance is the distance up to which a site vouches for a place, in m; at least besideCells cells.
const (
	besideDistance = 1000
	besideCells    = 2
)

// newLattice returns the lattice of the sites of a bank. places are all sites, those that were merged, too: each of
// them vouches for the nodes around it.
func newLattice(b *bank, places []Site, g Grid, maxDistance float64) *lattice {
	p := &lattice{bank: b, grid: g, known: make([]bool, g.Nodes()), beside: make([]bool, g.Nodes()), unit: NewRaster(g)}
	p.east, p.north = b.plane.lines(g)
	p.table = newKernelTable(b.diameter, p.farthest())
	x, y := make([]float64, len(places)), make([]float64, len(places))
	for i := range places {
		x[i], y[i] = b.plane.XY(places[i].Point)
	}
	p.mark(p.known, x, y, maxDistance)
	p.mark(p.beside, x, y, min(maxDistance, max(besideDistance, besideCells*p.side())))
	p.markExact()
	p.computeVariance()
	return p
}

// side returns the width of a cell, m.
func (p *lattice) side() float64 {
	return (p.east[len(p.east)-1] - p.east[0]) / float64(max(1, len(p.east)-1))
}

// lines returns the positions of the columns and rows of a lattice on the plane, in metres.
func (p LocalPlane) lines(g Grid) (east, north []float64) {
	east, north = make([]float64, g.W), make([]float64, g.H)
	for i := range east {
		east[i] = math.Remainder(g.Lon(float64(i))-p.lon, 360) * p.east
	}
	for j := range north {
		north[j] = (g.Lat(float64(j)) - p.lat) * p.north
	}
	return east, north
}

// farthest returns the longest distance between a site and a node.
func (p *lattice) farthest() float64 {
	far, x, y := 1.0, p.bank.x, p.bank.y
	for i := range x {
		dx := max(math.Abs(x[i]-p.east[0]), math.Abs(x[i]-p.east[len(p.east)-1]))
		dy := max(math.Abs(y[i]-p.north[0]), math.Abs(y[i]-p.north[len(p.north)-1]))
		far = max(far, math.Hypot(dx, dy))
	}
	return far
}

// mark marks the nodes within a distance of places.
func (p *lattice) mark(nodes []bool, xs, ys []float64, metres float64) {
	for k, x := range xs {
		for j, ny := range p.north {
			dy := ny - ys[k]
			rest := metres*metres - dy*dy
			if rest < 0 {
				continue
			}
			row := nodes[j*len(p.east):][:len(p.east)]
			for i, ex := range p.east {
				if dx := ex - x; dx*dx <= rest {
					row[i] = true
				}
			}
		}
	}
}

// The estimate is computed at every second column and row, and at all nodes within exactCells cells of a site, where
// it bends; the others are interpolated. Small lattices are computed in full.
const (
	exactCells = 3.5
	minCoarse  = 4096
)

// markExact marks the nodes whose estimate is computed: those that are known, and their neighbours.
func (p *lattice) markExact() {
	p.exact = make([]bool, len(p.known))
	if len(p.known) < minCoarse {
		copy(p.exact, p.known)
		return
	}
	p.mark(p.exact, p.bank.x, p.bank.y, exactCells*p.side())
	w, h := p.grid.W, p.grid.H
	for k, known := range p.known {
		p.exact[k] = p.exact[k] && known
	}
	for k, known := range p.known {
		if !known || p.exact[k] {
			continue
		}
		columns, rows := p.around(k%w, w), p.around(k/w, h)
		for _, j := range rows {
			for _, i := range columns {
				p.exact[j*w+i] = true
			}
		}
	}
}

// around returns the computed columns (or rows) between which a column lies; both are the column itself if it is one.
func (p *lattice) around(i, count int) [2]int {
	if i%2 == 0 || i == count-1 {
		return [2]int{i, i}
	}
	return [2]int{i - 1, i + 1}
}

// fill estimates all known nodes.
func (p *lattice) fill(f *fold, out *Raster) {
	w, h := p.grid.W, p.grid.H
	values := make([]float64, len(p.exact))
	for k, exact := range p.exact {
		if exact {
			values[k] = f.at(p.table, p.east[k%w], p.north[k/w])
		}
	}
	for k, known := range p.known {
		if !known {
			continue
		}
		if v := values[k]; p.exact[k] {
			out.Values[k] = float32(v)
			continue
		}
		columns, rows := p.around(k%w, w), p.around(k/w, h)
		sum := values[rows[0]*w+columns[0]] + values[rows[0]*w+columns[1]] +
			values[rows[1]*w+columns[0]] + values[rows[1]*w+columns[1]]
		out.Values[k] = float32(sum / 4)
	}
}

// The variance is computed at nodes about varianceSpacing metres apart, at least at every maxCoarse-th, and
// interpolated between them.
const (
	varianceSpacing = 600
	maxCoarse       = 4
)

// computeVariance computes the unit variance of the known nodes.
func (p *lattice) computeVariance() {
	g := p.grid
	every := min(max(int(varianceSpacing/max(p.side(), 1)), 1), maxCoarse)
	coarse := NewRaster(Grid{W: (g.W+every-2)/every + 1, H: (g.H+every-2)/every + 1})
	covariances := make([]float64, len(p.bank.x))
	for j := range coarse.H {
		for i := range coarse.W {
			x, y := p.east[min(i*every, g.W-1)], p.north[min(j*every, g.H-1)]
			for k := range covariances {
				dx, dy := x-p.bank.x[k], y-p.bank.y[k]
				_, covariances[k], _, _ = p.table.at(dx*dx + dy*dy)
			}
			coarse.Values[j*coarse.W+i] = float32(p.bank.variance(covariances))
		}
	}
	for k, known := range p.known {
		if known {
			p.unit.Values[k] = float32(coarse.At(float64(k%g.W)/float64(every), float64(k/g.W)/float64(every)))
		}
	}
}
