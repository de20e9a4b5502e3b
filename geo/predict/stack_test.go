package predict

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestStackFollowsThePathThatIsRight(t *testing.T) {
	for right := range paths {
		var s stack
		random := rand.New(rand.NewPCG(1, uint64(right)))
		now := 1e9
		for range 2000 {
			errors := [paths]float64{}
			for k := range errors {
				errors[k] = 60 + 60*random.NormFloat64()
			}
			errors[right] = 5 * random.NormFloat64()
			now++
			s.add(&errors, 600, now)
		}
		if s.weights[right] < 0.8 {
			t.Errorf("path %d is right: weights %v", right, s.weights)
		}
	}
}

func TestStackStaysOnTheSimplex(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 3))
	for _, scale := range []float64{0, 1e-12, 1, 1e6, math.Inf(1)} {
		var s stack
		for i := range 600 {
			errors := [paths]float64{}
			for k := range errors {
				errors[k] = scale * (random.Float64() - 0.5)
				if math.IsInf(scale, 0) {
					errors[k] = scale
				}
			}
			s.add(&errors, random.Float64()*1000-100, 1e9+float64(i%7)) // times may go back
		}
		p := learned{city: line{stack: s}}
		sum := 0.0
		for _, x := range p.pathWeights(&line{}) {
			if !(x >= 0 && x <= 1) {
				t.Errorf("errors of %v: weights %v", scale, s.weights)
			}
			sum += x
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("errors of %v: the weights add up to %v", scale, sum)
		}
	}
}

func TestLineWithFewErrorsUsesTheWeightsOfAll(t *testing.T) {
	var p learned
	p.city.stack = stack{weights: weights{0, 1, 0}}
	l := line{stack: stack{weights: weights{1, 0, 0}, count: 50}}
	if w := p.pathWeights(&l); w[pathHeld] < 0.98 {
		t.Errorf("50 errors: %v", w)
	}
	l.stack.count = 50_000
	if w := p.pathWeights(&l); w[pathAll] < 0.9 {
		t.Errorf("50,000 errors: %v", w)
	}
}
