package predict

import "math"

// progress is the share of the time of a segment that is left to a bus, by the share of the way that is left. A bus is
// slower near stops than between them, and its place is known to some metres only, so the two differ. It is learned as
// the median, by stochastic approximation (Robbins and Monro 1951), between some shares of the way linearly.
type progress struct {
	shares [progressKnots]float64 // of the time, less the share of the way
	count  float64
}

// Bounds and speed of what is learned.
const (
	progressKnots    = 5
	progressStart    = 50.0 // the first steps are 1/progressStart
	progressPower    = 0.7  // of the count, by which steps become smaller
	maxProgressCount = 1e5  // buses from which on steps stay alike
	maxProgress      = 0.3  // by which the two shares differ at most
)

// knot returns the knots around a share, and the weight of the second one.
func knot(part float64) (i int, weight float64) {
	x := min(max(part, 0), 1) * (progressKnots - 1)
	i = min(int(x), progressKnots-2)
	return i, x - float64(i)
}

// left returns the share of the time that is left.
func (p *progress) left(part float64) float64 {
	i, w := knot(part)
	return max(part+(1-w)*p.shares[i]+w*p.shares[i+1], 0)
}

// add corrects the share of the time by the one that was left to a bus.
func (p *progress) add(part, left float64) {
	i, w := knot(part)
	p.count = min(p.count+1, maxProgressCount)
	step := 1 / (progressStart + math.Pow(p.count, progressPower))
	if left < p.left(part) {
		step = -step
	}
	p.shares[i] = clip(p.shares[i]+(1-w)*step, maxProgress)
	p.shares[i+1] = clip(p.shares[i+1]+w*step, maxProgress)
}
