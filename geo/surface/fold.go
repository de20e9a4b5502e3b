package surface

import "math"

// fold is a stack applied to the values of one hour. The members that are linear in the values are added up to one
// vector for each range of the kernels; those of logarithms share the kernels.
type fold struct {
	sites      []foldedSite
	constant   float64    // of the linear members
	logMeans   [4]float64 // generalised least squares means of the logarithms
	logWeights [4]float64 // of the members, times their corrections
	anyLog     bool
	offset     float64
	idw        float64 // weight
	scale2     float64 // of the hour
}

// foldedSite holds the coefficients of the kernels of one site: exp(−3h/(rD)) with r 1/2, 1, 4 and 8.
type foldedSite struct {
	x, y        float64
	half, one   float64
	four, eight float64
	logs        [4]float64 // with the kernels half, eight, half, four
	value       float64
}

// fold applies the stack to values.
func (s *Stack) fold(b *bank, values []float64) *fold {
	w, mean := s.blend(), Mean(values)
	f := &fold{
		sites: make([]foldedSite, len(values)), offset: s.offset(values), idw: w[idwMember],
		constant: w[meanMember] * mean,
	}
	for i := range f.sites {
		f.sites[i] = foldedSite{x: b.x[i], y: b.y[i], value: values[i]}
	}
	if w[idwMember] == 1 {
		return f
	}
	d := s.duals(b, b.valueDuals(values), values)
	f.foldLinear(b, d, values, &w, mean)
	factors := s.logFactors(values)
	for m := range 4 {
		f.logWeights[m] = w[logMembers+m] * factors[m]
		f.anyLog = f.anyLog || f.logWeights[m] > 0
		f.logMeans[m] = b.operators[m].mean(d.logValues)
		for i := range f.sites {
			f.sites[i].logs[m] = d.logs[m][i]
		}
	}
	f.scale2 = s.scale2(max(0, d.quadratic), len(values)-1, values)
	return f
}

// foldLinear adds up the members that are linear in the values.
func (f *fold) foldLinear(b *bank, d *duals, values []float64, w *[members]float64, mean float64) {
	for m := range 4 {
		f.constant += w[rawMembers+m] * b.operators[m].mean(values)
	}
	cai := w[caiMean] + w[caiSmooth]
	f.constant += cai * (b.operators[base].mean(values) - mean*b.operators[base].mean(d.bias))
	f.constant += mean * (w[caiMean]*Mean(d.bias) + w[caiSmooth]*b.operators[smooth].mean(d.bias))
	for i := range f.sites {
		p := &f.sites[i]
		p.half = w[rawMembers]*d.values[0][i] + w[rawMembers+2]*d.values[2][i]
		p.eight = w[rawMembers+smooth]*d.values[smooth][i] + w[caiSmooth]*mean*d.biases[smooth][i]
		p.four = w[rawMembers+3] * d.values[3][i]
		p.one = cai * (d.values[base][i] - mean*d.biases[base][i])
	}
}

// at returns the estimate x metres east and y metres north on the plane of the sites.
func (f *fold) at(t *kernelTable, x, y float64) float64 {
	var sum, l0, l1, l2, l3, weighted, weights float64
	for i := range f.sites {
		p := &f.sites[i]
		dx, dy := x-p.x, y-p.y
		d2 := dx*dx + dy*dy
		half, one, four, eight := t.at(d2)
		sum += p.half*half + p.one*one + p.four*four + p.eight*eight
		l0 += p.logs[0] * half
		l1 += p.logs[1] * eight
		l2 += p.logs[2] * half
		l3 += p.logs[3] * four
		k := 1 / max(d2, 1)
		weights += k
		weighted += k * p.value
	}
	v := f.constant + sum + f.idw*weighted/weights
	if f.anyLog {
		for m, l := range [4]float64{l0, l1, l2, l3} {
			if w := f.logWeights[m]; w > 0 {
				v += w * max(0, math.Exp(f.logMeans[m]+l)-f.offset)
			}
		}
	}
	return max(0, v)
}

// kernelTable holds exp(−3h/(8D)) at evenly spaced distances h, for linear interpolation.
type kernelTable struct {
	values []float64
	per    float64 // steps per metre
}

// kernelSteps is the size of the table: 60 km in steps of 15 m.
const kernelSteps = 4096

func newKernelTable(diameter, farthest float64) *kernelTable {
	t := &kernelTable{make([]float64, kernelSteps+2), kernelSteps / farthest}
	for i := range t.values {
		t.values[i] = math.Exp(-3 * float64(i) / t.per / (operatorParameters[smooth].reach * diameter))
	}
	return t
}

// at returns the kernels with r 1/2, 1, 4 and 8 at a squared distance of at most the farthest one's square.
func (t *kernelTable) at(d2 float64) (half, one, four, eight float64) {
	d := math.Sqrt(d2) * t.per
	k := int(d)
	pair := t.values[k : k+2 : k+2]
	eight = pair[0] + (d-float64(k))*(pair[1]-pair[0])
	four = eight * eight
	two := four * four
	one = two * two
	return one * one, one, four, eight
}
