package fault

// Rounds of the median polish, and the share of the daily cycle that is kept: it is known less well than the bias.
const (
	polishRounds  = 3
	dailyShare    = 0.8
	minDailyHours = 5
)

// fitBias finds each member's own bias by median polish, and its part that depends on the hour of the day.
func (f *field) fitBias() {
	n := len(f.members)
	f.bias, f.daily = make([]float64, n), make([][24]float64, n)
	level := make([]float64, f.hours)
	free := make([]float64, n) // the bias of the window, also of members with an accepted one
	for range polishRounds {
		f.networkLevel(level)
		for i := range f.x {
			free[i] = f.medianAgainst(i, level, -1)
			f.bias[i] = free[i]
			if b := f.accepted[i]; b == b {
				f.bias[i] = b
			}
		}
	}
	f.beyond = make([]float64, n)
	for i := range free {
		f.beyond[i] = free[i] - f.bias[i]
	}
	f.networkLevel(level)
	f.anomaly = make([][]float64, n)
	for i := range f.x {
		for h := range 24 {
			if m := f.medianAgainst(i, level, h); m == m {
				f.daily[i][h] = dailyShare * (m - free[i])
			}
		}
		f.anomaly[i] = make([]float64, f.hours)
		for t, x := range f.x[i] {
			f.anomaly[i][t] = x - f.bias[i] - f.daily[i][f.hourOfDay(t)]
		}
	}
}

// networkLevel sets level to the median over the members of x without bias, by hour. Members that are flagged count
// only in hours in which fewer than minOthers others speak.
func (f *field) networkLevel(level []float64) {
	good, all := make([]float64, 0, len(f.x)), make([]float64, 0, len(f.x))
	for t := range level {
		good, all = good[:0], all[:0]
		for i := range f.x {
			x := f.x[i][t]
			if x != x {
				continue
			}
			all = append(all, x-f.bias[i])
			if !f.flagged[i][t] {
				good = append(good, x-f.bias[i])
			}
		}
		if len(good) >= minOthers {
			level[t] = median(good)
		} else {
			level[t] = median(all)
		}
	}
}

// medianAgainst returns the median of a member's distance from a level: over the hours of the day from h-1 to h+1, or
// over all if h is -1. Flagged hours are left out unless fewer than minGoodHours remain.
func (f *field) medianAgainst(i int, level []float64, h int) float64 {
	all := f.goodHours(i) < minGoodHours
	buffer := make([]float64, 0, f.hours)
	for t, x := range f.x[i] {
		if x != x || level[t] != level[t] || f.flagged[i][t] && !all {
			continue
		}
		if h >= 0 {
			if apart := (f.hourOfDay(t) - h + 25) % 24; apart > 2 {
				continue
			}
		}
		buffer = append(buffer, x-level[t])
	}
	if h >= 0 && len(buffer) < minDailyHours {
		return nan
	}
	if len(buffer) == 0 {
		return 0
	}
	return median(buffer)
}

// knownHours returns the number of a member's hours with a value.
func (f *field) knownHours(i int) int {
	n := 0
	for _, x := range f.x[i] {
		if x == x {
			n++
		}
	}
	return n
}

// goodHours returns the number of a member's hours that are not flagged.
func (f *field) goodHours(i int) int {
	n := 0
	for t, x := range f.x[i] {
		if x == x && !f.flagged[i][t] {
			n++
		}
	}
	return n
}
