package fault

import "math"

// The test for a monitor that differs from all others however long it has done so. It needs no history, so it also sees
// faults since installation.
const (
	contradictionParticles = 1.5 // in ln: × 4.5; hourly PM at places of one city rarely differs more
	contradictionGases     = 2.3 // × 10: gases with sources in the street, or with none in the hills
	contradictionSpread    = 4   // and in deviations of the others
	contradictionShare     = 0.8 // of the limit, above which hours are evidence
	contradictionThreshold = 2   // evidence: at least two hours
	contradictionAccuracy  = 5   // differences that matter, in multiples of the accuracy
)

// contradictions looks for members that differ from the level of all others by a factor that no place explains.
func (f *field) contradictions(i int, yield func(segment)) {
	up, down := nanSlice(f.hours), nanSlice(f.hours)
	buffer := make([]float64, 0, len(f.x))
	least := contradictionGases
	if _, particles := lowCostAccuracies[f.quantity]; particles {
		least = contradictionParticles
	}
	for t, x := range f.x[i] {
		buffer = buffer[:0]
		for _, n := range f.others[i] {
			if o := f.x[n.member][t]; o == o && !f.flagged[n.member][t] {
				buffer = append(buffer, o)
			}
		}
		if x != x || len(buffer) < minMembers-1 {
			continue
		}
		middle := median(buffer)
		for k, o := range buffer {
			buffer[k] = o - middle
		}
		apart := (x - middle) / max(least, contradictionSpread*deviation(buffer))
		if math.Abs(f.v[i][t]-f.back(middle)) < contradictionAccuracy*f.accuracy[i] {
			apart = 0
		}
		up[t], down[t] = clip(apart-contradictionShare, -1, 1), clip(-apart-contradictionShare, -1, 1)
	}
	for _, scores := range [][]float64{up, down} {
		sequential(scores, contradictionThreshold, func(from, to int, _, total float64) {
			yield(segment{field: f, member: i, cause: Contradic, from: from, to: to, total: total, h: contradictionThreshold})
		})
	}
}
