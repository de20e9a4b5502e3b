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
	maxProgresses    = 8    // places of one bus that await its arrival
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

// place is a bus between two stops, as it was predicted.
type place struct {
	stop             int     // the next one
	from, part, took float64 // Unix s; share of the way; s of the whole segment
}

// notePlace notes where a bus is between two stops.
func (p *Predictor) notePlace(v *vehicle, b *Bus, now float64) {
	i := b.Next
	if b.Waiting || i < 1 || i > b.Pattern.Last() || len(v.places) == maxProgresses ||
		b.Along-b.Pattern.Along[i-1] <= dwellOf {
		return
	}
	ratio := p.lineRatio(p.lines[b.Pattern.Index], now)
	all, _ := p.segments[b.Pattern.Links[i-1]].means(scheduled(b.Pattern, b.Instance, i-1) * ratio)
	v.places = append(v.places, place{stop: i, from: now, part: remaining(b, i), took: all})
}

// settlePlaces compares the arrival of a bus at a stop with its places before.
func (p *Predictor) settlePlaces(v *vehicle, stop int, now float64) {
	for _, x := range v.places {
		if x.stop == stop {
			p.progress.add(x.part, max(now-x.from, 0)/x.took)
		}
	}
	v.places = v.places[:0]
}
