package surface

// maxSimplexSteps bounds the search of weights in one hour; the next hour goes on from where it ended.
const maxSimplexSteps = 300

// minimise moves weights towards the minimum of ωᵀSω among weights ≥ 0 that add up to one (pairwise Frank–Wolfe,
// Lacoste-Julien & Jaggi 2015). S is symmetric and positive semidefinite.
func minimise(s *[members][members]float64, weights *[members]float64) {
	var gradient [members]float64
	for i := range gradient {
		for j, w := range weights {
			gradient[i] += s[i][j] * w
		}
	}
	for range maxSimplexSteps {
		best, worst, value := 0, -1, 0.0
		for i, g := range gradient {
			value += g * weights[i]
			if g < gradient[best] {
				best = i
			}
			if weights[i] > 0 && (worst < 0 || g > gradient[worst]) {
				worst = i
			}
		}
		gap := gradient[worst] - gradient[best]
		curvature := s[best][best] + s[worst][worst] - 2*s[best][worst]
		if best == worst || !(gap > minGap*value) || !(curvature > 0) {
			return
		}
		step := min(weights[worst], gap/curvature)
		if weights[best] += step; step == weights[worst] {
			weights[worst] = 0
		} else {
			weights[worst] -= step
		}
		for i := range gradient {
			gradient[i] += step * (s[i][best] - s[i][worst])
		}
	}
}

// minGap is the relative improvement below which the search ends.
const minGap = 1e-9
