package predict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drivenDay lets buses arrive actual(lead) s after a prediction of lead s, and returns by bin of real lead the shares
// that came before and after the range in the second half of n predictions.
func drivenDay(r *ranges, state busState, n int, actual func(lead float64) float64) (before, after [4]float64) {
	random := rand.New(rand.NewPCG(4, 5))
	var all [4]float64
	for i := range n {
		lead := random.Float64() * 1200
		lo, hi := r.around(state, lead)
		real := actual(lead)
		r.add(state, lead, real, 1e9+float64(i))
		r.settle(state, real, real < lo, real > hi)
		b := 0
		for b < len(levelEdges) && real > levelEdges[b] {
			b++
		}
		if b == len(levelEdges) || i < n/2 {
			continue
		}
		all[b]++
		if real < lo {
			before[b]++
		} else if real > hi {
			after[b]++
		}
	}
	for b := range all {
		before[b], after[b] = before[b]/all[b], after[b]/all[b]
	}
	return before, after
}

// noisy returns times that differ from the lead by a share that is normally distributed, and some s.
func noisy(seed uint64, share float64) func(lead float64) float64 {
	random := rand.New(rand.NewPCG(seed, 6))
	return func(lead float64) float64 {
		return max(lead+share*lead*random.NormFloat64()+20*random.ExpFloat64(), 0)
	}
}

func TestOneBusInTenComesBeforeTheRangeAndOneAfter(t *testing.T) {
	for name, actual := range map[string]func(float64) float64{
		"steady": noisy(1, 0.05), "wild": noisy(2, 0.15),
	} {
		r := newRanges()
		before, after := drivenDay(&r, stateMoving, 60_000, actual)
		for b := range before {
			if before[b] < 0.06 || before[b] > 0.14 || after[b] < 0.06 || after[b] > 0.14 {
				t.Errorf("%s, bin %d: %.3f before, %.3f after", name, b, before[b], after[b])
			}
		}
	}
}

func TestRangesRecoverFromAnotherDay(t *testing.T) {
	r := newRanges()
	drivenDay(&r, stateMoving, 60_000, noisy(3, 0.02))
	before, after := drivenDay(&r, stateMoving, 60_000, noisy(4, 0.25))
	for b := range before {
		if before[b] > 0.15 || after[b] > 0.15 {
			t.Errorf("bin %d: %.3f before, %.3f after", b, before[b], after[b])
		}
	}
}

func TestStatesHaveTheirOwnRanges(t *testing.T) {
	r := newRanges()
	drivenDay(&r, stateMoving, 20_000, noisy(5, 0.02))
	_, alike := r.around(stateStanding, 300)
	if _, moving := r.around(stateMoving, 300); math.Abs(alike-moving) > 20 {
		t.Errorf("a state of which nothing is known: %v, not %v", alike, moving)
	}
	drivenDay(&r, stateStanding, 20_000, noisy(6, 0.5))
	_, moving := r.around(stateMoving, 300)
	if _, standing := r.around(stateStanding, 300); standing < moving+60 {
		t.Errorf("until %v s standing, %v s moving", standing, moving)
	}
}

// TestRangesStayBounded feeds what no bus can do.
func TestRangesStayBounded(t *testing.T) {
	r := newRanges()
	for i := range 5000 {
		lead := float64(i%3000) - 500
		actual := []float64{-1e9, 0, 1e12}[i%3]
		r.add(busState(i%int(busStates)), lead, actual, 1e9-float64(i%50)) // times may go back
		r.settle(busState(i%int(busStates)), actual, i%2 == 0, i%2 == 1)
	}
	for s := range busStates {
		for lead := -60.0; lead < 4000; lead += 7 {
			lo, hi := r.around(s, lead)
			if math.IsNaN(lo) || math.IsNaN(hi) || lo < 0 || hi < lo {
				t.Fatalf("%v s in state %d: %v to %v", lead, s, lo, hi)
			}
		}
		for _, l := range []levels{r.before[s], r.after[s]} {
			for _, x := range l.values {
				if x < minLevel || x > maxLevel {
					t.Errorf("level %v", x)
				}
			}
		}
		for b := range r.rings[s] {
			if n := len(r.rings[s][b].values); n > ringSize {
				t.Errorf("%d errors kept", n)
			}
		}
	}
}

func TestRingSpansHours(t *testing.T) {
	r := newRanges()
	for i := range 100_000 { // 14 errors a second, as in a large city
		r.add(stateMoving, 300, 300, 1e9+float64(i)/14)
	}
	if n := len(r.rings[stateMoving][leadBin(300)].values); float64(n) > 100_000/14/ringEvery+20 {
		t.Errorf("%d errors of two hours", n)
	}
}
