package fault

// The test for exchanged channels.
const (
	swapThreshold = 10
	swapFail      = 24
	swapHours     = 6
	swapScale     = 1.5
	swapUsual     = 0.3
	swapCap       = 8
	orderScore    = 0.25  // of an hour in which PM2.5 exceeds PM10
	orderLess     = 0.125 // taken off where it does not
)

// swaps looks for monitors whose PM2.5 and PM10 are exchanged. Both must be unlikely as they are, and likely as the
// other: else one bad channel would look like an exchange.
func swaps(fine, coarse *field, factor float64, yield func(segment)) {
	for i, monitor := range fine.members {
		j := coarse.memberOf(monitor)
		if j < 0 {
			continue
		}
		scores := nanSlice(fine.hours)
		for t := range scores {
			v25, v10 := fine.v[i][t], coarse.v[j][t]
			as := min(surprise(fine.r[i][t]/fine.scale[i][t]), surprise(coarse.r[j][t]/coarse.scale[j][t]))
			other := fine.surpriseOf(i, t, v10) + coarse.surpriseOf(j, t, v25)
			worth := min(fine.worth[i], coarse.worth[j])
			scores[t] = swapScale * worth * clip(as-other-swapUsual, -swapCap, swapCap)
			switch {
			case v25 > 1.02*v10+0.5:
				scores[t] += orderScore
			case v25 < 0.98*v10:
				scores[t] -= orderLess
			}
		}
		sequential(scores, swapThreshold*factor, func(from, to int, peak, total float64) {
			if to-from < swapHours {
				return
			}
			s := segment{cause: Swap, from: from, to: to, total: total, h: swapThreshold, fail: peak >= swapFail}
			s.field, s.member = fine, i
			yield(s)
			s.field, s.member = coarse, j
			yield(s)
		})
	}
}

// memberOf returns the member of a monitor, or -1.
func (f *field) memberOf(monitor int) int {
	for i, m := range f.members {
		if m == monitor {
			return i
		}
	}
	return -1
}

// surpriseOf returns how unlikely a value would be at a member in an hour.
func (f *field) surpriseOf(i, t int, v float64) float64 {
	return surprise((f.transformed(v) - f.prediction(i, t)) / f.scale[i][t])
}
