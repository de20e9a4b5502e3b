package track

import (
	"math"

	"nhip/geo/network"
)

// A bus changes its line where a trip ends, and begins the next one at its first stop.
const (
	endArea   = 400.0 // m before the last stop from which on a bus may have ended its trip: terminals are areas
	entryArea = 320.0 // m from the first stop within which it may begin one: four times terminalRadius

	switchMidway   = -8.0 // log likelihood of changing to another pattern between terminals, which is rare
	switchTerminal = -2.0 // of changing at a terminal
)

// tops are the best scores of the hypotheses from which a bus may change its pattern.
type tops struct {
	any      float64          // of all
	ends     float64          // of those near their last stop
	pattern  *network.Pattern // of that one
	endsElse float64          // of those near the last stop of another pattern
	none     float64          // of being on no pattern
}

// topsOf finds them once for all candidates of a position; none is the score of being on no pattern.
func topsOf(all []hypothesis, none float64) tops {
	t := tops{any: math.Inf(-1), ends: math.Inf(-1), endsElse: math.Inf(-1), none: none}
	for i := range all {
		h := &all[i]
		t.any = max(t.any, h.score)
		if h.along < h.pattern.Along[h.pattern.Last()]-endArea {
			continue
		}
		switch {
		case h.pattern == t.pattern:
			t.ends = max(t.ends, h.score)
		case h.score > t.ends:
			t.endsElse, t.ends, t.pattern = t.ends, h.score, h.pattern
		default:
			t.endsElse = max(t.endsElse, h.score)
		}
	}
	return t
}

// change returns the log likelihood of leaving the present pattern for a candidate: from its end, or rarely from
// anywhere else. From the end of a trip the next one of the same pattern begins at its first stop only.
func (t *tops) change(c *network.Candidate) float64 {
	end := t.ends
	if c.Pattern == t.pattern && c.Along > c.Pattern.Along[0]+entryArea {
		end = t.endsElse
	}
	return max(end+switchTerminal, t.any+switchMidway, t.none+switchTerminal)
}
