package predict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestErrorsOfArrivalsAreNotTakenForHolding has arrival times with errors: one that is too early makes the bus seem
// early and its way to the next stop long.
func TestErrorsOfArrivalsAreNotTakenForHolding(t *testing.T) {
	for _, share := range []float64{0, 0.3, 1} {
		random := rand.New(rand.NewPCG(11, 12))
		var instrumented, naive holding
		for range 3000 {
			early := 60 + 240*random.Float64()
			e0, e1, e2 := 40*random.NormFloat64(), 40*random.NormFloat64(), 40*random.NormFloat64()
			took := 90 + share*early + e2 - e1
			instrumented.add(early-e0, early-e1, took)
			naive.add(early-e1, early-e1, took)
		}
		if got := instrumented.share(0.5, holdEvidence); math.Abs(got-share) > 0.05 {
			t.Errorf("held for %.2f of the earliness, learned %.2f", share, got)
		}
		if got := naive.share(0.5, holdEvidence); share < 1 && got < share+0.1 {
			t.Errorf("without an instrument %.2f was learned; then it does not matter", got)
		}
	}
}

func TestSlopeStaysAShare(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	var h holding
	for range 100_000 {
		h.add(2000*random.Float64()-500, 1800*random.Float64(), 1e5*(random.Float64()-0.5))
		if got := h.share(0.5, holdEvidence); !(got >= 0 && got <= 1) {
			t.Fatalf("a share of %v", got)
		}
	}
	if math.Abs(h.zx) > 2*maxHoldEvidence {
		t.Errorf("an evidence of %v s²", h.zx)
	}
}
