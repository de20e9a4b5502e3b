package predict

import (
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// learned is what is known of the buses of a network.
type learned struct {
	segments []segment
	lines    []*line // by Pattern.Index
	city     line    // all lines together
	ranges   ranges
	stands   stands
	progress progress
}

func newLearned(n *network.Network) learned {
	k := learned{segments: make([]segment, n.LinkCount()), lines: make([]*line, len(n.Patterns)), ranges: newRanges()}
	byRoute := make(map[*gtfs.Route]*line)
	for i, pattern := range n.Patterns {
		if byRoute[pattern.Route] == nil {
			byRoute[pattern.Route] = &line{}
		}
		k.lines[i] = byRoute[pattern.Route]
	}
	return k
}

// line is what the buses of one line, or of all lines together, have in common.
type line struct {
	ratio  decayingMean // of driven to scheduled times, weighted by the latter
	holds  [holdClasses]slope
	starts Starts // of buses that were at their first stop in time
	stack  stack
}

// cityRatio returns by how much all buses together take longer than scheduled.
func (k *learned) cityRatio(now float64) float64 {
	return k.city.ratio.shrunk(1, cityPrior, now, cityTime)
}

// lineRatio returns by how much the buses of a line take longer than scheduled.
func (k *learned) lineRatio(l *line, now float64) float64 {
	return l.ratio.shrunk(k.cityRatio(now), linePrior, now, lineTime)
}

// lineHolds returns the shares by class of a line.
func (k *learned) lineHolds(l *line) (shares [holdClasses]float64) {
	for c, prior := range holdPriors {
		city := k.city.holds[c].share(prior, cityHoldEvidence)
		shares[c] = l.holds[c].share(city, lineHoldEvidence)
	}
	return shares
}

// pathWeights returns the weights of the paths of a line.
func (k *learned) pathWeights(l *line) weights {
	w := equalWeights
	if k.city.stack.known() {
		w = k.city.stack.weights
	}
	if !l.stack.known() {
		return w
	}
	own := l.stack.count / (l.stack.count + lineStackPrior)
	for i := range w {
		w[i] += own * (l.stack.weights[i] - w[i])
	}
	return w
}

// leaves returns when a bus that arrives at a time at stop i, where the timetable lets it stand, leaves it, both in
// Unix s. Without exact times it stands as long as in the timetable. lines are the shares of its line by class.
func (k *learned) leaves(
	pattern *network.Pattern, inst *network.TripInstance, i int, lines *[holdClasses]float64, arrived float64,
) float64 {
	if class, ok := holdClass(inst, i); ok {
		return arrived + k.segments[pattern.Links[i]].share(class, lines[class])*earliness(inst, i, class, arrived)
	}
	return arrived + float64(network.Wait(tripOf(pattern, inst), i))
}
