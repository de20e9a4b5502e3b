package track

import (
	"math"
	"time"

	"nhip/geo/network"
)

// A bus stands at stops more often than elsewhere, so where it stands tells lines on the same street apart.
const (
	standShare  = 0.5 // of the stands that are at a stop of the line; the others are anywhere
	standWeight = 0.5 // of the likelihood: traffic lights are near stops
	standSpeed  = 0.5 // m/s; a slower bus stands
	standAfter  = 10 * time.Second
	standApart  = 30.0  // m; a nearer stand is the same one
	minSpacing  = 100.0 // m from stop to stop
)

// weighStand adds the evidence of standing where they are to all hypotheses.
func weighStand(all []hypothesis) {
	for i := range all {
		all[i].score += standScore(all[i].pattern, all[i].along)
	}
}

// standScore returns the log likelihood of standing at a place along a line, relative to standing anywhere.
func standScore(p *network.Pattern, along float64) float64 {
	next := p.NextStop(along)
	d := math.Inf(1)
	if next <= p.Last() {
		d = p.Along[next] - along
	}
	if next > 0 {
		d = min(d, along-p.Along[next-1])
	}
	spacing := max(p.Length()/float64(p.Last()), minSpacing)
	atStop := spacing * math.Exp(-d*d/(2*noise*noise)) / (math.Sqrt(2*math.Pi) * noise)
	return standWeight * math.Log(standShare*atStop+1-standShare)
}
