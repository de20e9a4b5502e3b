package predict

import "math"

// The paths: predictions that are made side by side and weighed by how right each was.
const (
	pathAll     = iota // mean of all earlier buses
	pathHeld           // mean of all earlier buses without holding, and the holding that is due
	pathPresent        // mean of the recent buses and the line's ratio to its timetable, and the holding that is due
	paths
)

// weights are shares by path; their sum is 1.
type weights [paths]float64

// equalWeights is what the weights are drawn towards.
var equalWeights = weights{0.5, 0.5, 0}

// stack learns the weights of the paths from their errors: those that minimise the squared error of the weighted mean
// (stacked regression with weights on the simplex, Breiman 1996).
type stack struct {
	products [paths][paths]float64 // of the errors, each by the lead of its prediction
	count    float64
	at       float64 // of the latest error, Unix s
	solveAt  float64 // count from which the weights are computed anew
	weights  weights
}

// Bounds of what the weights are learned from.
const (
	stackTime      = 3 * 3600.0 // s after which the weight of an error has fallen to 1/e
	maxStackError  = 600.0      // s
	stackRidge     = 0.1        // weight of equalWeights, in shares of the mean squared error
	firstSolve     = 50         // errors before the weights are computed first
	maxSolveAfter  = 500        // errors after which they are computed again
	lineStackPrior = 5000.0     // errors at which a line's own weights count as much as those of all lines
)

// add adds the errors in s of the paths of one prediction that was lead s ahead.
func (s *stack) add(errors *[paths]float64, lead, now float64) {
	fade := 1.0
	if now > s.at && s.count > 0 {
		fade = math.Exp((s.at - now) / stackTime)
	}
	for i := range errors {
		for k := range errors {
			e := clip(errors[i], maxStackError) * clip(errors[k], maxStackError)
			s.products[i][k] = s.products[i][k]*fade + e/(max(lead, 0)+60)
		}
	}
	s.count, s.at = s.count*fade+1, max(s.at, now)
	s.solveAt -= 1 - fade
	if s.count >= max(s.solveAt, firstSolve) {
		s.solve()
		s.solveAt = s.count + min(s.count, maxSolveAfter)
	}
}

func clip(x, limit float64) float64 { return min(max(x, -limit), limit) }

// solve minimises the squared error on the simplex by exponentiated gradients (Kivinen and Warmuth 1997).
func (s *stack) solve() {
	trace := 0.0
	for i := range s.products {
		trace += s.products[i][i]
	}
	if trace <= 0 {
		return
	}
	const steps, rate = 300, 2.0
	ridge := stackRidge * trace / paths
	w := weights{0.4, 0.4, 0.2}
	for range steps {
		next, sum := w, 0.0
		for i := range w {
			slope := ridge * (w[i] - equalWeights[i])
			for k := range w {
				slope += s.products[i][k] * w[k]
			}
			next[i] = w[i] * math.Exp(-rate*slope/trace)
			sum += next[i]
		}
		for i := range w {
			w[i] = next[i] / sum
		}
	}
	s.weights = w
}

// known reports whether the weights were learned.
func (s *stack) known() bool { return s.weights != weights{} }
