package surface

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// MostSites is how many sites a Network may have: its memory grows with the square, its making with the cube.
const MostSites = 250

// Network is a set of sites with all worked out that does not depend on what they say. It may be used by any
// number of goroutines.
type Network struct {
	model   Variogram
	sites   []Site
	plane   Plane
	x, y    []float64
	between func(h float64) float64 // covariance
	inverse []float64               // of the sites' covariance matrix, row by row
	sums    []float64               // of its rows
	sum     float64                 // of all
}

// NewNetwork works out a set of at least two and at most MostSites sites. It fails only on sites that are no
// places or a variogram that is none.
func NewNetwork(v Variogram, sites []Site) (*Network, error) {
	if len(sites) < 2 || len(sites) > MostSites {
		return nil, fmt.Errorf("a network has 2 to %d sites, not %d", MostSites, len(sites))
	}
	n := &Network{model: v, sites: sites, plane: planeOf(sites)}
	n.x, n.y = make([]float64, len(sites)), make([]float64, len(sites))
	for i := range sites {
		n.x[i], n.y[i] = n.plane.XY(sites[i].Point)
	}
	n.between = v.covariance(n.diameter())
	return n, n.invert()
}

func (n *Network) diameter() float64 {
	d := 0.0
	for i := range n.x {
		for j := range i {
			d = max(d, math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j]))
		}
	}
	return d
}

func (n *Network) invert() error {
	size := len(n.sites)
	k := mat.NewSymDense(size, nil)
	for i := range size {
		for j := range i {
			k.SetSym(i, j, n.between(math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j])))
		}
		k.SetSym(i, i, n.between(0)+n.model.noise(&n.sites[i]))
	}
	var factor mat.Cholesky
	if !factor.Factorize(k) {
		return fmt.Errorf("the covariances of %d sites are not positive definite", size)
	}
	var inverse mat.SymDense
	if err := factor.InverseTo(&inverse); err != nil {
		return fmt.Errorf("can't invert the covariances of %d sites: %w", size, err)
	}
	n.inverse, n.sums = make([]float64, size*size), make([]float64, size)
	for i := range size {
		for j := range size {
			a := inverse.At(i, j)
			n.inverse[i*size+j] = a
			n.sums[i] += a
		}
		n.sum += n.sums[i]
	}
	return nil
}

// row returns row i of the inverse.
func (n *Network) row(i int) []float64 { return n.inverse[i*len(n.sites) : (i+1)*len(n.sites)] }

// Field is what a network says of one moment, by dual kriging: an estimate is a sum over sites, without solving.
type Field struct {
	*Network
	mean    float64
	weights []float64
	energy  float64 // zᵀQz, of which the scale is made
}

// Field takes in one value for each site.
func (n *Network) Field(values []float64) *Field {
	f := &Field{Network: n, weights: make([]float64, len(values))}
	for i, z := range values {
		f.mean += n.sums[i] * z
	}
	f.mean /= n.sum
	for i := range f.weights {
		for j, a := range n.row(i) {
			f.weights[i] += a * (values[j] - f.mean)
		}
		f.energy += f.weights[i] * values[i]
	}
	return f
}

// Scale2 returns what the values themselves say of the scale², with len(sites)−1 degrees of freedom.
func (f *Field) Scale2() float64 { return max(0, f.energy) / float64(len(f.sites)-1) }

// At estimates the air x metres east and y north on the network's plane.
func (f *Field) At(x, y float64) float64 {
	v := f.mean
	for i, w := range f.weights {
		v += w * f.between(math.Hypot(x-f.x[i], y-f.y[i]))
	}
	return v
}

// Variance returns that of an estimate at a place on the plane, in scale²: of the air itself, not of what another
// monitor there would say. Room is scratch space of the caller's.
func (n *Network) Variance(x, y float64, room *[]float64) float64 {
	c := (*room)[:0]
	for i := range n.x {
		c = append(c, n.between(math.Hypot(x-n.x[i], y-n.y[i])))
	}
	*room = c
	explained, along := 0.0, 0.0
	for i, ci := range c {
		dot := 0.0
		row := n.row(i)[:len(c)]
		for j, cj := range c[:i] {
			dot += row[j] * cj
		}
		explained += ci * (2*dot + row[i]*ci) // the inverse is symmetric
		along += n.sums[i] * ci
	}
	return max(0, n.between(0)-explained+(1-along)*(1-along)/n.sum)
}

// Left is what all others say of one site.
type Left struct {
	Value    float64
	Variance float64 // of the difference to what the site itself says, in the others' scale²
	Scale2   float64 // what the others' values say of the scale²
}

// LeaveOneOut estimates each site from all the others, of which there must be two at least, without solving again
// (Dubrule 1983).
func (f *Field) LeaveOneOut(values []float64) []Left {
	out := make([]Left, len(values))
	for i := range out {
		own := f.row(i)[i] - f.sums[i]*f.sums[i]/f.sum
		miss := f.weights[i] / own
		out[i] = Left{
			Value: values[i] - miss, Variance: 1 / own,
			Scale2: max(0, f.energy-miss*f.weights[i]) / float64(len(values)-2),
		}
	}
	return out
}
