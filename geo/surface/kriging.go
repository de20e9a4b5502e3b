package surface

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// MaxSites is the maximum number of sites of a KrigingSystem: memory grows with its square, computing time with
// its cube.
const MaxSites = 250

// KrigingSystem holds everything about a set of sites that does not depend on the measured values. It is safe for
// concurrent use.
type KrigingSystem struct {
	variogram  Variogram
	sites      []Site
	plane      LocalPlane
	x, y       []float64
	covariance func(h float64) float64 // covariance
	inverse    []float64               // of the covariance matrix of the sites, row by row
	sums       []float64               // of the rows of inverse
	sum        float64                 // of all elements of inverse
}

// NewKrigingSystem returns the system of at least two and at most MaxSites sites. It fails if coordinates or
// variogram are invalid, so that the covariances are not positive definite.
func NewKrigingSystem(v Variogram, sites []Site) (*KrigingSystem, error) {
	if len(sites) < 2 || len(sites) > MaxSites {
		return nil, fmt.Errorf("kriging needs 2 to %d sites, got %d", MaxSites, len(sites))
	}
	n := &KrigingSystem{variogram: v, sites: sites, plane: planeOf(sites)}
	n.x, n.y = make([]float64, len(sites)), make([]float64, len(sites))
	for i := range sites {
		n.x[i], n.y[i] = n.plane.XY(sites[i].Point)
	}
	n.covariance = v.covariance(n.diameter())
	return n, n.invert()
}

func (n *KrigingSystem) diameter() float64 {
	d := 0.0
	for i := range n.x {
		for j := range i {
			d = max(d, math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j]))
		}
	}
	return d
}

func (n *KrigingSystem) invert() error {
	size := len(n.sites)
	k := mat.NewSymDense(size, nil)
	for i := range size {
		for j := range i {
			k.SetSym(i, j, n.covariance(math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j])))
		}
		k.SetSym(i, i, n.covariance(0)+n.variogram.errorVariance(&n.sites[i]))
	}
	var factor mat.Cholesky
	if !factor.Factorize(k) {
		return fmt.Errorf("covariances of %d sites not positive definite", size)
	}
	var inverse mat.SymDense
	if err := factor.InverseTo(&inverse); err != nil {
		return fmt.Errorf("inverting the covariances of %d sites: %w", size, err)
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
func (n *KrigingSystem) row(i int) []float64 { return n.inverse[i*len(n.sites) : (i+1)*len(n.sites)] }

// Solution holds the estimate for one set of values by dual kriging: an estimate is a weighted sum over the sites
// and needs no further solving.
type Solution struct {
	*KrigingSystem
	mean          float64
	weights       []float64
	quadraticForm float64 // zᵀQz, from which the scale² is estimated
}

// Solve returns the solution for one value per site.
func (n *KrigingSystem) Solve(values []float64) *Solution {
	f := &Solution{KrigingSystem: n, weights: make([]float64, len(values))}
	for i, z := range values {
		f.mean += n.sums[i] * z
	}
	f.mean /= n.sum
	for i := range f.weights {
		for j, a := range n.row(i) {
			f.weights[i] += a * (values[j] - f.mean)
		}
		f.quadraticForm += f.weights[i] * values[i]
	}
	return f
}

// Scale2 returns the scale² estimated from the values, with len(sites)−1 degrees of freedom.
func (f *Solution) Scale2() float64 { return max(0, f.quadraticForm) / float64(len(f.sites)-1) }

// At estimates the concentration x metres east and y metres north on the system's plane.
func (f *Solution) At(x, y float64) float64 {
	v := f.mean
	for i, w := range f.weights {
		v += w * f.covariance(math.Hypot(x-f.x[i], y-f.y[i]))
	}
	return v
}

// Variance returns the variance of an estimate at a place on the plane, in scale². It is the variance of the air
// itself, not of what another monitor there would measure. scratch is a buffer of the caller.
func (n *KrigingSystem) Variance(x, y float64, scratch *[]float64) float64 {
	c := (*scratch)[:0]
	for i := range n.x {
		c = append(c, n.covariance(math.Hypot(x-n.x[i], y-n.y[i])))
	}
	*scratch = c
	explained, weightSum := 0.0, 0.0
	for i, ci := range c {
		dot := 0.0
		row := n.row(i)[:len(c)]
		for j, cj := range c[:i] {
			dot += row[j] * cj
		}
		explained += ci * (2*dot + row[i]*ci) // the inverse is symmetric
		weightSum += n.sums[i] * ci
	}
	return max(0, n.covariance(0)-explained+(1-weightSum)*(1-weightSum)/n.sum)
}

// LOOEstimate is the estimate of one site from others.
type LOOEstimate struct {
	Value    float64
	Variance float64 // of the difference from the site's own value, in scale² of the others
	Scale2   float64 // scale² estimated from the values of the others
}

// LeaveOneOut estimates each site from all others but its skip nearest, without solving again (Dubrule 1983). At least
// three sites are needed, and two others for each estimate.
func (f *Solution) LeaveOneOut(values []float64, skip int) []LOOEstimate {
	out := make([]LOOEstimate, len(values))
	for i := range out {
		left := append([]int{i}, nearestOf(f.x, f.y, i, skip)...)
		residual, variance := f.without(left)
		own := 1 / f.constrained(i, i)
		out[i] = LOOEstimate{
			Value: values[i] - residual, Variance: variance,
			Scale2: max(0, f.quadraticForm-f.weights[i]*own*f.weights[i]) / float64(len(values)-2),
		}
	}
	return out
}

// constrained returns an element of A − aaᵀ/Σa, A the inverse of the covariances and a the sums of its rows.
func (n *KrigingSystem) constrained(i, j int) float64 { return n.row(i)[j] - n.sums[i]*n.sums[j]/n.sum }

// without returns the error of estimating the first of some sites without all of them, and its variance.
func (f *Solution) without(left []int) (residual, variance float64) {
	q := mat.NewSymDense(len(left), nil)
	unit, row := mat.NewVecDense(len(left), nil), mat.NewVecDense(len(left), nil)
	unit.SetVec(0, 1)
	for p, i := range left {
		for r, j := range left[:p+1] {
			q.SetSym(p, r, f.constrained(i, j))
		}
	}
	var factor mat.Cholesky
	if factor.Factorize(q) {
		_ = factor.SolveVecTo(row, unit) // an error is only that the matrix is badly conditioned
	}
	for p, i := range left {
		residual += row.AtVec(p) * f.weights[i]
	}
	return residual, row.AtVec(0)
}

// nearestOf returns the count sites nearest to site i, the nearest first.
func nearestOf(x, y []float64, i, count int) []int {
	order := make([]int, 0, len(x)-1)
	for j := range x {
		if j != i {
			order = append(order, j)
		}
	}
	distance2 := func(j int) float64 { return (x[i]-x[j])*(x[i]-x[j]) + (y[i]-y[j])*(y[i]-y[j]) }
	slices.SortFunc(order, func(j, k int) int {
		return cmp.Or(cmp.Compare(distance2(j), distance2(k)), cmp.Compare(j, k))
	})
	return slices.Clone(order[:min(len(order), count)])
}
