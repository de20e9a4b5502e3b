package fault

// The test for PM10 that is filled from PM2.5. The sum of two channels never equals one of them for long.
const (
	equalHours = 6
	// Agencies raise PM10 to PM2.5 where it is below, as in fog, and then at most monitors at once: in Beijing's winter of
	// 2016 more than half of the others did the same in 77 % of such hours. That is no fault of one monitor, unless it
	// lasts longer than weather does.
	equalOthers = 1.0 / 3 // share of the others from which on an hour is no evidence
	equalAlways = 48      // hours from which on the others do not matter
)

// equals looks for monitors whose PM10 is their PM2.5. PM10 is suspect: it is filled from PM2.5.
func equals(fine, coarse *field, yield func(segment)) {
	pairs := pairsOf(fine, coarse)
	equal, known := make([]int, fine.hours), make([]int, fine.hours)
	for _, p := range pairs {
		for t := range fine.hours {
			switch fine.compareSizes(coarse, p, t) {
			case sizesEqual:
				equal[t]++
				known[t]++
			case sizesDiffer:
				known[t]++
			}
		}
	}
	for _, p := range pairs {
		var run equalRun
		end := func() {
			if run.own >= equalHours || run.hours >= equalAlways {
				yield(segment{
					cause: Equal, from: run.from, to: run.last + 1, total: float64(run.hours), h: equalHours,
					field: coarse, member: p.coarse,
				})
			}
			run = equalRun{}
		}
		for t := range fine.hours {
			switch fine.compareSizes(coarse, p, t) {
			case sizesUnknown:
				if run.hours > 0 && t-run.last > maxGap {
					end()
				}
			case sizesEqual:
				run.add(t, float64(equal[t]-1) < equalOthers*float64(known[t]-1) || known[t] == 1)
			default:
				end()
			}
		}
		end()
	}
}

// equalRun is a run of hours in which PM10 equals PM2.5.
type equalRun struct {
	from, last, hours int
	own               int // hours in which it does so at few others
}

func (r *equalRun) add(t int, own bool) {
	if r.hours == 0 {
		r.from = t
	}
	r.hours, r.last = r.hours+1, t
	if own {
		r.own++
	}
}

// pair are the members of one monitor that measures both sizes of particles.
type pair struct{ fine, coarse int }

func pairsOf(fine, coarse *field) (out []pair) {
	for i, monitor := range fine.members {
		if j := coarse.memberOf(monitor); j >= 0 {
			out = append(out, pair{i, j})
		}
	}
	return out
}

type sizes int

const (
	sizesUnknown sizes = iota
	sizesEqual
	sizesDiffer
)

// compareSizes compares PM2.5 and PM10 of a monitor in an hour. Both zero is no evidence of anything, and ends a run.
func (f *field) compareSizes(coarse *field, p pair, t int) sizes {
	a, b := f.v[p.fine][t], coarse.v[p.coarse][t]
	switch {
	case a != a || b != b:
		return sizesUnknown
	case a == b && a > 0:
		return sizesEqual
	}
	return sizesDiffer
}
