package surface

import "math"

// Bounds say where an estimate is none: what lies beyond them stays empty.
type Bounds struct {
	Reach  float64 // to the nearest site, m
	Unsure float64 // variance as a part of the sill; a linear variogram has no sill and is bounded by Reach alone
}

// Plan is a network seen from the nodes of a lattice: where it says anything, and how sure it is. It is worked out
// once for a set of sites and may be used by any number of goroutines.
type Plan struct {
	*Network
	grid     Grid
	east     []float64 // of columns, on the network's plane
	north    []float64 // of rows
	known    []bool    // by node
	variance *Raster   // in scale², NaN where nothing is known
	table    table
}

// NewPlan works out a network's view of a lattice.
func NewPlan(n *Network, g Grid, b Bounds) *Plan {
	p := &Plan{Network: n, grid: g, known: make([]bool, g.Nodes()), variance: NewRaster(g)}
	p.east, p.north = n.plane.lines(g)
	p.table = tableOf(n.between, p.farthest())
	p.reach(b.Reach)
	p.measure(b.Unsure)
	return p
}

// lines returns the columns and rows of a lattice on a plane, in metres.
func (p Plane) lines(g Grid) (east, north []float64) {
	east, north = make([]float64, g.W), make([]float64, g.H)
	for i := range east {
		east[i] = math.Remainder(g.Lon(float64(i))-p.lon, 360) * p.east
	}
	for j := range north {
		north[j] = (g.Lat(float64(j)) - p.lat) * p.north
	}
	return east, north
}

// farthest is the longest distance between a site and a node.
func (p *Plan) farthest() float64 {
	far := 0.0
	for i := range p.x {
		dx := max(math.Abs(p.x[i]-p.east[0]), math.Abs(p.x[i]-p.east[len(p.east)-1]))
		dy := max(math.Abs(p.y[i]-p.north[0]), math.Abs(p.y[i]-p.north[len(p.north)-1]))
		far = max(far, math.Hypot(dx, dy))
	}
	return far
}

// reach marks the nodes that have a site near enough.
func (p *Plan) reach(metres float64) { within(p.known, p.x, p.y, p.east, p.north, metres) }

func within(known []bool, x, y, east, north []float64, metres float64) {
	for k := range x {
		for j, ny := range north {
			dy := ny - y[k]
			rest := metres*metres - dy*dy
			if rest < 0 {
				continue
			}
			row := known[j*len(east):][:len(east)]
			for i, ex := range east {
				if dx := ex - x[k]; dx*dx <= rest {
					row[i] = true
				}
			}
		}
	}
}

// The variance is worked out at nodes some roughly metres apart, every mostCoarse-th at least; between them it is
// interpolated.
const (
	roughly    = 600
	mostCoarse = 4
)

// measure works out the variance and takes from what is known where it is too large.
func (p *Plan) measure(unsure float64) {
	limit := unsure * p.model.Sill
	if p.model.Kind == Linear {
		limit = math.Inf(1)
	}
	g := p.grid
	side := (p.east[len(p.east)-1] - p.east[0]) / float64(max(1, g.W-1))
	coarse := min(max(int(roughly/max(side, 1)), 1), mostCoarse)
	few := Grid{W: (g.W+coarse-2)/coarse + 1, H: (g.H+coarse-2)/coarse + 1}
	rough := NewRaster(few)
	var room []float64
	for j := range few.H {
		for i := range few.W {
			x, y := p.east[min(i*coarse, g.W-1)], p.north[min(j*coarse, g.H-1)]
			rough.Values[j*few.W+i] = float32(p.Variance(x, y, &room))
		}
	}
	for j := range g.H {
		for i := range g.W {
			at := j*g.W + i
			v := rough.At(float64(i)/float64(coarse), float64(j)/float64(coarse))
			if p.known[at] = p.known[at] && v <= limit; p.known[at] {
				p.variance.Values[at] = float32(v)
			}
		}
	}
}

// table holds a covariance at evenly spaced distances: between them it is a straight line.
type table struct {
	values []float32
	per    float64 // steps of a metre
}

// steps makes a table of the covariance: 60 km in steps of 15 m.
const steps = 4096

func tableOf(between func(float64) float64, farthest float64) table {
	t := table{make([]float32, steps+2), steps / farthest}
	for i := range t.values {
		t.values[i] = float32(between(float64(i) / t.per))
	}
	return t
}

// Values estimates every node that is known from one value for each site.
func (p *Plan) Values(f *Field, out *Raster) {
	row := make([]float64, p.grid.W)
	squares := make([]float64, p.grid.W*len(p.x))
	for k := range p.x {
		for i, e := range p.east {
			squares[k*p.grid.W+i] = (e - p.x[k]) * (e - p.x[k])
		}
	}
	for j, north := range p.north {
		for i := range row {
			row[i] = f.mean
		}
		for k, w := range f.weights {
			p.table.add(row, squares[k*len(row):][:len(row)], (north-p.y[k])*(north-p.y[k]), w)
		}
		values := out.Values[j*p.grid.W:][:len(row)]
		for i, v := range row {
			values[i] = float32(math.NaN())
			if p.known[j*p.grid.W+i] {
				values[i] = float32(max(0, v))
			}
		}
	}
}

// add adds a site's part to a row of nodes.
func (t *table) add(row, squares []float64, dy2, weight float64) {
	for i, dx2 := range squares[:len(row)] {
		d := math.Sqrt(dx2+dy2) * t.per
		k := int(d)
		pair := t.values[k : k+2 : k+2]
		row[i] += weight * (float64(pair[0]) + (d-float64(k))*float64(pair[1]-pair[0]))
	}
}
