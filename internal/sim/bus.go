package sim

import (
	"math"
	"math/rand/v2"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// activity is what a bus is doing.
type activity uint8

const (
	parked   activity = iota // out of service, with the device off
	waiting                  // at the first stop of the next journey
	standing                 // at a stop or a red light
	riding
)

// bus is one vehicle. It moves in steps of one second; its fixes have full seconds.
type bus struct {
	id           string
	topic        string
	sendsTrip    bool // the device sends route and trip; others send only positions
	rng          *rand.Rand
	driverFactor float64 // factor of the driver on ride times, about 1

	line      *lineSchedule // the line of the bus with lineDispatch; otherwise nil
	direction int           // index of the direction on line
	block     []*gtfs.Trip  // the trips of the bus on each day; nil for extra service
	turn      int           // index in block
	blockDay  gtfs.Date     // service day of the trip

	journey
	activity    activity
	now         int64 // time of the simulated state, Unix seconds
	until       int64 // end of parked, waiting or standing, Unix seconds
	hiddenUntil int64 // no positions before this time: the bus is on a deadhead to another terminal

	next    int     // the stop that it rides to or, while waiting, stands at
	d       float64 // metres along the path
	segment int     // segment of the path that contains d
	speed   float64 // m/s
	cruise  float64 // m/s, until the next stop
	light   float64 // metres along the path of a red light ahead; 0 for none
	atStop  bool    // standing at a stop, not at a light
	last    orb.Point

	receiver receiver
}

// advance moves the bus up to a time, in Unix seconds.
func (b *bus) advance(w *world, to int64) {
	for b.now < to {
		if b.activity == riding {
			b.now++
			b.ride(w)
			continue
		}
		if b.now = min(to, max(b.until, b.now)); b.now >= b.until {
			b.resume(w)
		}
	}
}

// resume ends parked, waiting or standing.
func (b *bus) resume(w *world) {
	switch b.activity {
	case parked:
		w.dispatch.next(b, b.now)
	case waiting:
		b.d, b.segment, b.next = b.pattern.stops[0], 0, 0
		b.depart(w)
	case standing:
		if b.atStop {
			b.depart(w)
		}
		b.activity = riding
	}
}

// arrivalTolerance is the distance, in metres, at which a bus has arrived.
const arrivalTolerance = 1.5

// ride moves the bus by one second: it accelerates to its cruising speed and brakes for the next stop or light.
func (b *bus) ride(w *world) {
	target := b.pattern.stops[b.next]
	if b.light > b.d {
		target = b.light
	}
	left := max(target-b.d, 0)
	b.speed = min(b.speed+accelerate, b.cruise, math.Sqrt(2*brake*left))
	b.d += min(b.speed, left)
	if target-b.d > arrivalTolerance {
		return
	}
	b.d, b.speed = target, 0
	switch {
	case target == b.light:
		b.light = 0
		b.stop(b.now+8+b.rng.Int64N(25), false) // 8–32 s, 20 s on average: typicalLightDelay/lightShare
	case b.next == b.journey.last():
		b.last = b.position()
		w.dispatch.next(b, b.now)
	default:
		b.stop(b.dwellUntil(), true)
	}
}

func (b *bus) stop(until int64, atStop bool) {
	b.activity, b.until, b.atStop = standing, until, atStop
}

// dwellUntil returns when the bus departs from its stop: after 10 to 40 s, 20 s on average, and up to 90 s later if it
// is more than a minute ahead of the timetable.
func (b *bus) dwellUntil() int64 {
	r := b.rng.Float64()
	until := b.now + 10 + int64(30*r*r)
	if early := b.departure(b.next) - b.now; early > 60 {
		until = max(until, b.now+min(early-30, 90))
	}
	return until
}

// depart plans the ride to the next stop: the scheduled time, multiplied by factors for congestion, the driver and the
// bus's delay.
func (b *bus) depart(w *world) {
	from := b.next
	b.next++
	b.activity = riding
	distance := b.pattern.stops[b.next] - b.d
	at, _ := b.pattern.path.at(b.d, b.segment)
	seconds := b.scheduled(from) * jam(w.seed, w.plane.toPlane(at), b.now) * b.driverFactor
	switch late := b.now - b.departure(from); {
	case late > 300:
		seconds *= 0.88
	case late > 60:
		seconds *= 0.94
	}
	b.cruise = cruiseFor(distance, seconds)
	b.light = 0
	if distance > 150 && b.rng.Float64() < lightShare { // nearer stops have no light between them
		b.light = b.d + distance*(0.3+0.4*b.rng.Float64())
	}
}

// scheduled returns the timetable's seconds for the ride from stop i to the next.
func (b *bus) scheduled(i int) float64 {
	seconds := float64(b.arrival(i+1) - b.departure(i))
	if b.departure(i+1) == b.arrival(i+1) && i+1 < b.journey.last() { // the feed includes the dwell in the ride
		seconds -= min(typicalDwell, 0.4*seconds)
	}
	return max(seconds-typicalLightDelay, 1)
}

// assign gives the bus a journey that it starts at a time.
func (b *bus) assign(j journey, at int64) {
	b.journey, b.activity, b.until, b.hiddenUntil = j, waiting, at, 0
	b.next, b.d, b.segment, b.speed = 0, j.pattern.stops[0], 0, 0
}

// park takes the bus out of service. At until, the bus asks the dispatcher again.
func (b *bus) park(until int64) {
	b.activity, b.until, b.speed = parked, until, 0
}

// join puts the bus on a journey, at the scheduled position at now.
func (b *bus) join(w *world, j journey, now int64) {
	b.assign(j, j.start)
	b.now = now
	if j.start >= now {
		return
	}
	for i := 0; i < j.last(); i++ {
		switch {
		case now < j.departure(i):
			b.next, b.d = i, j.pattern.stops[i]
			b.stop(j.departure(i), true)
			return
		case now < j.arrival(i+1):
			fraction := float64(now-j.departure(i)) / float64(j.arrival(i+1)-j.departure(i))
			b.next, b.d = i, lerp(j.pattern.stops[i], j.pattern.stops[i+1], fraction)
			b.depart(w)
			b.cruise = cruiseFor(j.pattern.stops[i+1]-j.pattern.stops[i], b.scheduled(i))
			b.speed, b.light = b.cruise, 0
			return
		}
	}
	b.next, b.d, b.activity = j.last(), j.pattern.stops[j.last()], riding // just arrived
}

// position returns the true position of the bus.
func (b *bus) position() orb.Point {
	p, segment := b.pattern.path.at(b.d, b.segment)
	b.segment = segment
	return p
}

// inService reports whether the bus's device is on.
func (b *bus) inService() bool {
	return b.activity != parked && (b.activity != waiting || b.now >= b.hiddenUntil)
}
