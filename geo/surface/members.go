package surface

import "math"

// The members of a stack, by position in its weights.
const (
	rawMembers = 0  // ordinary kriging with each of the first four operators
	logMembers = 4  // the same on logarithms
	caiMean    = 8  // climatology-aided: kriging of what differs from the sites' lasting biases, plus their mean
	caiSmooth  = 9  // the same, plus their interpolation
	idwMember  = 10 // inverse distances, power 2
	meanMember = 11
	members    = 12
)

// estimates are the estimates of each site by each member, site by site.
type estimates struct {
	by     [][members]float64
	raw    [4][]float64 // back-transformed logarithms before their correction
	means  []float64    // of the other sites
	unit   []float64    // unit variances of the base operator
	logs   []float64    // of unit
	scale2 []float64    // of the base operator without the site
}

// valueDuals are what stacks need of an hour's values that depends on the bank alone.
type valueDuals struct {
	values    [operators][]float64 // dual weights for each operator
	inverse   []float64            // sums of the values by their inverse distances from each site
	quadratic float64              // vᵀQv of the base operator
}

func (b *bank) valueDuals(values []float64) *valueDuals {
	n := len(values)
	d := &valueDuals{inverse: multiply(b.inverse, values, make([]float64, n))}
	for k := range b.operators {
		d.values[k] = b.operators[k].dual(values, make([]float64, n))
	}
	for i, w := range d.values[base] {
		d.quadratic += w * values[i]
	}
	return d
}

// duals are the dual weights of an hour's values, logarithms and lasting biases for each operator.
type duals struct {
	*valueDuals
	logs      [operators][]float64
	biases    [operators][]float64 // of the two operators that estimate biases
	logValues []float64
	bias      []float64 // lasting bias of each site, relative to the city's mean
}

// duals computes the dual weights of values.
func (s *Stack) duals(b *bank, of *valueDuals, values []float64) *duals {
	n, logs, c := len(values), make([]float64, len(values)), s.offset(values)
	d := &duals{valueDuals: of, bias: s.biases(b.sites), logValues: logs}
	for i, v := range values {
		logs[i] = math.Log(max(0, v) + c)
	}
	for k := range b.operators {
		o := &b.operators[k]
		if k < 4 {
			d.logs[k] = o.dual(logs, make([]float64, n))
		}
		if k == smooth || k == base {
			d.biases[k] = o.dual(d.bias, make([]float64, n))
		}
	}
	return d
}

// leaveOut estimates each site from the others without its nearest ones; kind is an index of skipped.
func (s *Stack) leaveOut(b *bank, d *duals, values []float64, kind int) *estimates {
	n, k := len(values), skipped[kind]
	e := &estimates{
		by: make([][members]float64, n), means: make([]float64, n), unit: b.operators[base].unit[kind],
		logs: b.operators[base].logs[kind], scale2: make([]float64, n),
	}
	for m := range e.raw {
		e.raw[m] = make([]float64, n)
	}
	total, bias := sumOf(values), sumOf(d.bias)
	c, factors := s.offset(values), s.logFactors(values)
	others := float64(n - 1 - k)
	for i := range n {
		left := b.left(i, k)
		sum, biases := total, bias
		for _, j := range left[:k+1] {
			sum -= values[j]
			biases -= d.bias[j]
		}
		mean, bias := sum/others, biases/others
		out := &e.by[i]
		for m := range 4 {
			row := b.operators[m].skip[kind][i*(k+1):][:k+1]
			out[rawMembers+m] = values[i] - dot(row, d.values[m], &left)
			v := math.Exp(d.logValues[i]-dot(row, d.logs[m], &left)) - c
			e.raw[m][i] = max(0, v)
			out[logMembers+m] = max(0, v) * factors[m]
		}
		row := b.operators[base].skip[kind][i*(k+1):][:k+1]
		plain, krigedBias := values[i]-dot(row, d.values[base], &left), d.bias[i]-dot(row, d.biases[base], &left)
		smoothRow := b.operators[smooth].skip[kind][i*(k+1):][:k+1]
		smoothBias := d.bias[i] - dot(smoothRow, d.biases[smooth], &left)
		out[caiMean] = plain + mean*(bias-krigedBias)
		out[caiSmooth] = plain + mean*(smoothBias-krigedBias)
		out[idwMember] = b.inverseDistance(d, values, i, left[:k+1])
		out[meanMember] = mean
		e.means[i] = mean
		e.scale2[i] = s.scale2(b.withoutSite(d, i), n-2, values)
	}
	return e
}

// dot returns the product of a row of (Q_NN)⁻¹ and the dual weights of N.
func dot(row, dual []float64, left *[maxSkipped + 1]int) float64 {
	sum := 0.0
	for p, r := range row {
		sum += r * dual[left[p]]
	}
	return sum
}

// withoutSite returns vᵀQv of the base operator without site i.
func (b *bank) withoutSite(d *duals, i int) float64 {
	w := d.values[base][i]
	return max(0, d.quadratic-w*w/b.operators[base].q[i*len(d.bias)+i])
}

// inverseDistance estimates site i from the values of all but the ones left out.
func (b *bank) inverseDistance(d *duals, values []float64, i int, left []int) float64 {
	row, sum, weights := b.inverse[i*len(values):][:len(values)], d.inverse[i], b.inverses[i]
	for _, j := range left {
		sum -= row[j] * values[j]
		weights -= row[j]
	}
	return sum / weights
}
