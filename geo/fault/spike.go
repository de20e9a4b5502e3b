package fault

// The test for a single hour.
const (
	spikeUp, spikeDown = 6.5, 5.5
	spikeAbove         = 0.75 // of the limit: by so much it differs from the hours beside it

	// Spikes that recur every few hours widen what is usual for the monitor. So many of one direction within some hours
	// are measured by the scatter of the hours between them.
	recurringSpikes = 5
	recurringHours  = 48
)

// spikes looks for single hours that differ from the others and from the hours beside them.
func (f *field) spikes(i int, yield func(segment)) {
	for _, side := range []struct{ sign, limit float64 }{{1, spikeUp}, {-1, spikeDown}} {
		var hours []int // of all that exceed the limit by the scatter of the hours between them, the last few
		for t := range f.hours {
			spike := func(at int) {
				yield(segment{
					field: f, member: i, cause: Spike, level: side.sign, from: at, to: at + 1,
					total: max(side.sign*f.r[i][at]/f.scale[i][at], side.limit), h: side.limit,
				})
			}
			if f.isSpike(i, t, side.sign, side.limit) {
				spike(t)
			}
			if !f.isSpike(i, t, side.sign, side.limit*f.core[i]) {
				continue
			}
			for hours = append(hours, t); t-hours[0] >= recurringHours; {
				hours = hours[1:]
			}
			if len(hours) == recurringSpikes {
				for _, at := range hours {
					spike(at)
				}
			} else if len(hours) > recurringSpikes {
				spike(t)
			}
		}
	}
}

// isSpike reports whether a member exceeds a limit in an hour, in usual deviations, and differs from the hours beside
// it, which must be known.
func (f *field) isSpike(i, t int, sign, limit float64) bool {
	if t == 0 || t+1 >= f.hours {
		return false
	}
	z := func(t int) float64 { return sign * f.r[i][t] / f.scale[i][t] }
	own := z(t)
	return own >= limit && own-max(z(t-1), z(t+1)) >= spikeAbove*limit
}
