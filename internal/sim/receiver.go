package sim

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"
)

// Errors of a GPS receiver between buildings: about 5 m, drifting.
const (
	gpsError    = 3.5  // m in each axis, one standard deviation: 5 m in the plane
	gpsDrift    = 45.0 // s, correlation time of the error
	gpsMaxError = 14.0 // m in each axis
)

// The connection of a bus fails about every 40 minutes for 20 to 70 s, which is too short for the bus to be considered
// gone.
const (
	outageEvery  = 2400.0
	outageMin    = 20
	outageSpread = 50
)

// receiver is the state of a bus's device: its errors and outages.
type receiver struct {
	east, north float64 // m, the current error
	heading     float64 // degrees; unchanged while the bus stands
	updatedAt   int64   // time of the current error, Unix seconds
	outageFrom  int64   // the next outage, Unix seconds
	outageTo    int64
}

// drift updates the error to now.
func (r *receiver) drift(rng *rand.Rand, now int64) {
	keep := math.Exp(-float64(now-r.updatedAt) / gpsDrift)
	fresh := gpsError * math.Sqrt(1-keep*keep)
	r.east = clampAbs(r.east*keep+fresh*rng.NormFloat64(), gpsMaxError)
	r.north = clampAbs(r.north*keep+fresh*rng.NormFloat64(), gpsMaxError)
	r.updatedAt = now
}

// inOutage reports whether the connection is down at now, and plans the next outage.
func (r *receiver) inOutage(rng *rand.Rand, now int64) bool {
	if now >= r.outageTo {
		r.planOutage(rng, now)
	}
	return now >= r.outageFrom
}

// planOutage draws the next outage, which begins after a minute at the earliest.
func (r *receiver) planOutage(rng *rand.Rand, now int64) {
	r.outageFrom = now + 60 + int64(outageEvery*rng.ExpFloat64())
	r.outageTo = r.outageFrom + outageMin + rng.Int64N(outageSpread)
}

// minHeadingSpeed is the minimum speed, in m/s, at which a receiver can determine its heading.
const minHeadingSpeed = 1.0

// fix is a measured position.
type fix struct {
	at      orb.Point // WGS84 lon, lat
	speed   float64   // m/s
	bearing float64   // degrees clockwise from north, [0, 360)
}

// fix returns the device's measurement at b.now.
func (b *bus) fix() fix {
	at := b.position()
	r := &b.receiver
	r.drift(b.rng, b.now)
	course := b.pattern.path.bearing[b.segment]
	if b.speed >= minHeadingSpeed || r.heading < 0 {
		r.heading = normalizeDegrees(course + 3*b.rng.NormFloat64()) // degrees; receivers smooth their course
	}
	speed := b.speed
	if speed > 0 {
		speed = max(0, speed+0.2*b.rng.NormFloat64()) // m/s, noise of the Doppler measurement
	}
	f := newPlane(at)
	return fix{at: f.toWGS84(orb.Point{r.east, r.north}), speed: speed, bearing: r.heading}
}

func clampAbs(v, limit float64) float64 { return min(max(v, -limit), limit) }
