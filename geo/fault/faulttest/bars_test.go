package faulttest

import (
	"testing"
	"time"

	"nhip/internal/suitetest"
)

// bars are the least and greatest per cents of a Score.
type bars struct {
	net, recall, failNet     float64 // least
	untouched, untouchedFail float64 // greatest
	named                    float64 // least share of faults found that have the right name
	beside                   float64 // how much more of other monitors may be flagged than without faults
}

// measure puts faults into a network with some seeds and compares what is found with the bars.
func measure(t *testing.T, n *Network, kinds func() []Kind, seeds int, want bars) {
	t.Helper()
	without := Assess(n)
	var y Tally
	for seed := range seeds {
		x, injected, labels := n.Inject(uint64(seed+1), kinds())
		y.Add(x, injected, labels, Assess(x), without)
	}
	s := y.Score()
	t.Log(s)
	for _, c := range []struct {
		name        string
		value, want float64
		atMost      bool
	}{
		{"precision of flagged values", s.Net, want.net, false},
		{"recall of flagged values", s.Recall, want.recall, false},
		{"precision of failed values", s.FailNet, want.failNet, false},
		{"untouched values flagged", s.Untouched, want.untouched, true},
		{"untouched values failed", s.UntouchedFail, want.untouchedFail, true},
		{"right names", share(s.Right, s.Named), want.named, false},
		{"values beside faults flagged", s.NeighboursWith - s.NeighboursOut, want.beside, true},
	} {
		if c.atMost && !(c.value <= c.want) {
			t.Errorf("%s: %.2f %%, want at most %.2f", c.name, c.value, c.want)
		} else if !c.atMost && !(c.value >= c.want) {
			t.Errorf("%s: %.2f %%, want at least %.2f", c.name, c.value, c.want)
		}
	}
}

// Aberdeen: what is flagged of the record itself counts against precision, too.
func TestFaultsInAberdeen(t *testing.T) {
	suitetest.Only(t)
	measure(t, Aberdeen(t), LowCostKinds, 4, bars{
		net: 90, recall: 72, failNet: 97, untouched: 0.5, untouchedFail: 0.05, named: 80, beside: 0.5,
	})
}

// Beijing: the record itself has faults, so that precision is net of what is flagged without ours.
func TestFaultsInBeijing(t *testing.T) {
	suitetest.Only(t)
	measure(t, Beijing(t), ReferenceKinds, 2, bars{
		net: 90, recall: 68, failNet: 98, untouched: 2, untouchedFail: 0.5, named: 80, beside: 0.5,
	})
}

// Kolkata is the small form: low-cost monitors of PM2.5 only.
func TestFaultsInKolkata(t *testing.T) {
	n := Recording(t, "kolkata-winter", true)
	from, _ := n.span()
	start := time.Unix(from*3600, 0)
	n = n.Cut(start, start.AddDate(0, 0, suitetest.Pick(30, 90)))
	measure(t, n, func() []Kind { return Scaled(ReferenceKinds(), suitetest.Pick(0.2, 0.4)) }, suitetest.Pick(1, 2), bars{
		net: 90, recall: 65, failNet: 97, untouched: 0.5, untouchedFail: 0.05, named: 60, beside: 0.5,
	})
}
