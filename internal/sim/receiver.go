package sim

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"
)

// A GPS receiver among houses: off by about 5 m, and the error drifts.
const (
	gpsError = 3.5  // m in each axis, one deviation: 5 m together
	gpsDrift = 45.0 // s over which the error changes
	gpsWorst = 14.0 // m in each axis
)

// The line to a bus breaks every 40 minutes or so, for 20 to 70 s: short enough that a bus on the
// road is never taken for gone.
const (
	silenceEvery    = 2400.0
	silenceShortest = 20
	silenceSpread   = 50
)

// receiver is what a bus's box adds to the truth.
type receiver struct {
	east, north float64 // m, the present error
	heading     float64 // degrees; a standing bus keeps its last one
	fixed       int64   // when the error was last drawn, Unix seconds
	mutedFrom   int64   // the next silence, Unix seconds
	mutedTo     int64
}

// drift moves the error on to now.
func (r *receiver) drift(rng *rand.Rand, now int64) {
	keep := math.Exp(-float64(now-r.fixed) / gpsDrift)
	fresh := gpsError * math.Sqrt(1-keep*keep)
	r.east = within(r.east*keep+fresh*rng.NormFloat64(), gpsWorst)
	r.north = within(r.north*keep+fresh*rng.NormFloat64(), gpsWorst)
	r.fixed = now
}

// muted reports whether the line is broken at now, and plans the next break.
func (r *receiver) muted(rng *rand.Rand, now int64) bool {
	if now >= r.mutedTo {
		r.plan(rng, now)
	}
	return now >= r.mutedFrom
}

// plan draws the next break; the first minute is always clear.
func (r *receiver) plan(rng *rand.Rand, now int64) {
	r.mutedFrom = now + 60 + int64(silenceEvery*rng.ExpFloat64())
	r.mutedTo = r.mutedFrom + silenceShortest + rng.Int64N(silenceSpread)
}

// headingFrom is the least speed in m/s at which a receiver knows where it heads.
const headingFrom = 1.0

// fix is what the box says of where it is.
type fix struct {
	at      orb.Point // WGS84 lon, lat
	speed   float64   // m/s
	bearing float64   // degrees clockwise from north, [0, 360)
}

// fix returns what the bus's box measures now.
func (b *bus) fix() fix {
	at := b.place()
	r := &b.receiver
	r.drift(b.rng, b.now)
	way := b.pattern.path.bearing[b.piece]
	if b.speed >= headingFrom || r.heading < 0 {
		r.heading = turn(way + 3*b.rng.NormFloat64()) // degrees; receivers smooth their course
	}
	speed := b.speed
	if speed > 0 {
		speed = max(0, speed+0.2*b.rng.NormFloat64()) // m/s, the Doppler's noise
	}
	f := newPlane(at)
	return fix{at: f.globe(orb.Point{r.east, r.north}), speed: speed, bearing: r.heading}
}

func within(v, most float64) float64 { return min(max(v, -most), most) }
