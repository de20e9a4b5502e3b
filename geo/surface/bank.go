package surface

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// bank holds what the members of a stack need of a set of sites: the kriging operators and the inverse distances.
// It depends on neither values nor weights, and is safe for concurrent use.
type bank struct {
	sites     []Site
	plane     LocalPlane
	x, y      []float64 // on the plane, m
	diameter  float64   // greatest distance between two sites, m
	operators [operators]operator
	inverse   []float64 // 1/distance², m⁻², row by row; 0 on the diagonal
	inverses  []float64 // sums of the rows of inverse
	neighbors [][]int   // of each site, the nearest first, at most maxSkipped
}

// operator is ordinary kriging with the covariance exp(−3h/(rD)), D the bank's diameter, and the nugget g. It is
// fixed: nothing is fitted to values.
type operator struct {
	q      []float64 // A − aaᵀ/Σa, A the inverse of the covariances, row by row
	a      []float64 // sums of the rows of A
	sum    float64   // Σa
	skip   [skips][]float64
	unit   [skips][]float64 // unit variance of the estimate of each site with its nearest also left out
	logs   [skips][]float64 // logarithms of unit
	nugget float64
}

// operatorParameters are g and r of the operators. The first four estimate values and logarithms, the second one
// also lasting biases; the last one is the base of the climatology-aided members and of the uncertainty.
var operatorParameters = [operators]struct{ nugget, reach float64 }{
	{0.03, 0.5}, {0.02, 8}, {0.3, 0.5}, {0.3, 4}, {0.1, 1},
}

const (
	operators = 5
	smooth    = 1 // the operator of biases
	base      = 4 // the operator of the uncertainty
)

// skipped is how many of the nearest other sites are left out, too, in the three kinds of leave-one-out estimates.
var skipped = [skips]int{0, 2, 4}

const (
	skips      = 3
	maxSkipped = 4
	// minOthers is the minimum number of sites from which another one is estimated.
	minOthers = 2
)

// newBank computes the operators of sites, with what leaving out sites needs. lowCost is the further error variance of
// low-cost sites, in units of the variance of the air.
func newBank(sites []Site, lowCost float64) *bank {
	b := newServingBank(sites, lowCost)
	for k := range b.operators {
		b.prepareSkips(&b.operators[k])
	}
	return b
}

// newServingBank is newBank without what leaving out sites needs.
func newServingBank(sites []Site, lowCost float64) *bank {
	b := &bank{sites: sites, plane: planeOf(sites), inverse: make([]float64, len(sites)*len(sites))}
	b.inverses = make([]float64, len(sites))
	b.x, b.y = make([]float64, len(sites)), make([]float64, len(sites))
	for i := range sites {
		b.x[i], b.y[i] = b.plane.XY(sites[i].Point)
	}
	b.measureDistances()
	for k, p := range operatorParameters {
		b.operators[k] = b.newOperator(p.nugget, p.reach, lowCost)
	}
	return b
}

// measureDistances sets the diameter, the inverse distances and the neighbours.
func (b *bank) measureDistances() {
	b.diameter = 1
	n := len(b.x)
	for i := range n {
		order := make([]int, 0, n-1)
		for j := range n {
			if j == i {
				continue
			}
			d2 := max(1, b.distance2(i, j)) // distances below one metre count as one metre
			b.diameter = max(b.diameter, math.Sqrt(d2))
			b.inverse[i*n+j] = 1 / d2
			order = append(order, j)
		}
		b.inverses[i] = sumOf(b.inverse[i*n:][:n])
		slices.SortFunc(order, func(j, k int) int {
			return cmp.Or(cmp.Compare(b.inverse[i*n+k], b.inverse[i*n+j]), cmp.Compare(j, k))
		})
		b.neighbors = append(b.neighbors, slices.Clone(order[:min(len(order), maxSkipped)]))
	}
}

func (b *bank) distance2(i, j int) float64 {
	dx, dy := b.x[i]-b.x[j], b.y[i]-b.y[j]
	return dx*dx + dy*dy
}

// newOperator computes an operator. The covariances are always positive definite: the exponential is, and the
// nugget is added to its diagonal.
func (b *bank) newOperator(nugget, reach, lowCost float64) operator {
	n := len(b.sites)
	c := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i {
			c.SetSym(i, j, math.Exp(-3*math.Sqrt(b.distance2(i, j))/(reach*b.diameter)))
		}
		c.SetSym(i, i, 1+nugget+b.sites[i].noise(lowCost))
	}
	var factor mat.Cholesky
	factor.Factorize(c)
	var inverse mat.SymDense
	_ = factor.InverseTo(&inverse) // an error is only that the matrix is badly conditioned, which the nugget prevents
	o := operator{q: make([]float64, n*n), a: make([]float64, n), nugget: nugget}
	for i := range n {
		for j := range n {
			o.q[i*n+j] = inverse.At(i, j)
			o.a[i] += o.q[i*n+j]
		}
		o.sum += o.a[i]
	}
	for i := range n {
		for j := range n {
			o.q[i*n+j] -= o.a[i] * o.a[j] / o.sum
		}
	}
	return o
}

// noise returns the error variance of a site beyond the nugget.
func (s *Site) noise(lowCost float64) float64 {
	if s.Class == ClassLowCost {
		return s.Extra + lowCost
	}
	return s.Extra
}

// prepareSkips computes, for each site i and the set N of i and its nearest, the first row of (Q_NN)⁻¹: times the
// dual weights of N it is the error of the estimate of i without N.
func (b *bank) prepareSkips(o *operator) {
	n := len(b.sites)
	for s, k := range skipped {
		if !b.skips(s) {
			continue
		}
		o.skip[s], o.unit[s], o.logs[s] = make([]float64, 0, n*(k+1)), make([]float64, n), make([]float64, n)
		for i := range n {
			left := b.left(i, k)
			sub := mat.NewSymDense(k+1, nil)
			for p := range k + 1 {
				for r := range p + 1 {
					sub.SetSym(p, r, o.q[left[p]*n+left[r]])
				}
			}
			var factor mat.Cholesky
			factor.Factorize(sub)
			unit, row := mat.NewVecDense(k+1, nil), mat.NewVecDense(k+1, nil)
			unit.SetVec(0, 1)
			_ = factor.SolveVecTo(row, unit) // see newOperator
			o.skip[s] = append(o.skip[s], row.RawVector().Data...)
			o.unit[s][i] = row.AtVec(0)
			o.logs[s][i] = math.Log(o.unit[s][i])
		}
	}
}

// skips reports whether enough sites are left for estimates of kind s.
func (b *bank) skips(s int) bool { return len(b.sites)-1-skipped[s] >= minOthers }

// left returns site i and its k nearest.
func (b *bank) left(i, k int) [maxSkipped + 1]int {
	var out [maxSkipped + 1]int
	out[0] = i
	copy(out[1:], b.neighbors[i][:k])
	return out
}

// dual returns the dual weights of values, Q·v.
func (o *operator) dual(values, out []float64) []float64 { return multiply(o.q, values, out) }

// mean returns the generalised least squares mean of values.
func (o *operator) mean(values []float64) float64 {
	sum := 0.0
	for i, v := range values {
		sum += o.a[i] * v
	}
	return sum / o.sum
}

// variance returns the unit variance of what a monitor without further noise would read at a place, from the
// covariances of the base operator between the place and the sites.
func (b *bank) variance(covariances []float64) float64 {
	o := &b.operators[base]
	explained, weights := 0.0, 0.0
	for i, ci := range covariances {
		dot := 0.0
		for j, q := range o.q[i*len(covariances):][:i] {
			dot += q * covariances[j]
		}
		explained += ci * (2*dot + o.q[i*len(covariances)+i]*ci) // q is symmetric
		weights += o.a[i] * ci
	}
	return max(o.nugget, 1+o.nugget-explained+(1-2*weights)/o.sum)
}
