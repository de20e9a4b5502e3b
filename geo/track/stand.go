package track

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
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

// noteStand notes whether the bus stands at a new place, at a position later than the previous one.
func (v *vehicle) noteStand(p *nhip.Position) {
	speed, measured := p.Speed.Get()
	v.stands = (measured && speed < standSpeed ||
		!v.time.IsZero() && v.moved < minMovement && p.Time.Sub(v.time) >= standAfter) &&
		geo.DistanceHaversine(v.stoodAt, v.point) >= standApart
	if v.stands {
		v.stoodAt = v.point
	}
}

// weighStand adds the evidence of standing here to all hypotheses.
func (v *vehicle) weighStand() {
	if !v.stands {
		return
	}
	for i := range v.hypotheses {
		h := &v.hypotheses[i]
		h.score += standScore(h.pattern, h.along)
	}
	v.normalise()
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
