package sim

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"
)

// doing is what a bus does now.
type doing uint8

const (
	parked   doing = iota // somewhere out of service: the box is off
	waiting               // at the first stop of its next journey
	standing              // at a stop or a red light
	riding
)

// bus is one vehicle. It moves in whole seconds, which are also the seconds of its fixes.
type bus struct {
	id     string
	topic  string
	speaks bool // its box knows route and trip; the others send only where they are
	rng    *rand.Rand
	driver float64 // how slow its driver is: about 1

	line *lineWork // where the city's dispatcher keeps it; nil under a feed's
	way  int       // its direction on line

	journey
	doing  doing
	now    int64 // how far it has been moved, Unix seconds
	until  int64 // when it goes on from parked, waiting or standing
	hidden int64 // out of sight before this second: on its way to a far terminal

	next   int     // the stop it rides to, or stands at while it waits
	d      float64 // metres along the path
	piece  int     // of the path, where d is
	speed  float64 // m/s
	cruise float64 // m/s, until the next stop
	light  float64 // metres along where a red light is ahead; 0 without
	atStop bool    // it stands at a stop, not at a light
	last   orb.Point

	receiver receiver
}

// advance moves the bus up to a moment.
func (b *bus) advance(w *world, to int64) {
	for b.now < to {
		if b.doing == riding {
			b.now++
			b.ride(w)
			continue
		}
		if b.now = min(to, max(b.until, b.now)); b.now >= b.until {
			b.resume(w)
		}
	}
}

// resume ends a stand.
func (b *bus) resume(w *world) {
	switch b.doing {
	case parked:
		w.dispatch.next(b, b.now)
	case waiting:
		b.d, b.piece, b.next = b.pattern.stops[0], 0, 0
		b.leave(w)
	case standing:
		if b.atStop {
			b.leave(w)
		}
		b.doing = riding
	}
}

// arriveWithin is how near is there, in metres.
const arriveWithin = 1.5

// ride moves the bus by a second: it speeds up to its cruise and brakes in time for what is ahead.
func (b *bus) ride(w *world) {
	target := b.pattern.stops[b.next]
	if b.light > b.d {
		target = b.light
	}
	left := max(target-b.d, 0)
	b.speed = min(b.speed+accelerate, b.cruise, math.Sqrt(2*brake*left))
	b.d += min(b.speed, left)
	if target-b.d > arriveWithin {
		return
	}
	b.d, b.speed = target, 0
	switch {
	case target == b.light:
		b.light = 0
		b.stand(b.now+8+b.rng.Int64N(25), false) // 8–32 s, 20 on average: usualLight/lightShare
	case b.next == b.journey.last():
		b.last = b.place()
		w.dispatch.next(b, b.now)
	default:
		b.stand(b.dwellUntil(), true)
	}
}

func (b *bus) stand(until int64, atStop bool) {
	b.doing, b.until, b.atStop = standing, until, atStop
}

// dwellUntil returns when the bus leaves its stop: after 10 to 40 s, 20 on average, and a little
// later when it is ahead of its timetable by more than a minute.
func (b *bus) dwellUntil() int64 {
	r := b.rng.Float64()
	until := b.now + 10 + int64(30*r*r)
	if early := b.departure(b.next) - b.now; early > 60 {
		until = max(until, b.now+min(early-30, 90))
	}
	return until
}

// leave plans the ride to the next stop: what the timetable gives, stretched by the jam, the driver
// and how late the bus is.
func (b *bus) leave(w *world) {
	from := b.next
	b.next++
	b.doing = riding
	distance := b.pattern.stops[b.next] - b.d
	at, _ := b.pattern.path.at(b.d, b.piece)
	seconds := b.scheduled(from) * jam(w.seed, w.plane.flat(at), b.now) * b.driver
	switch late := b.now - b.departure(from); {
	case late > 300:
		seconds *= 0.88
	case late > 60:
		seconds *= 0.94
	}
	b.cruise = cruiseFor(distance, seconds)
	b.light = 0
	if distance > 150 && b.rng.Float64() < lightShare { // no room for a light between nearer stops
		b.light = b.d + distance*(0.3+0.4*b.rng.Float64())
	}
}

// scheduled returns the seconds that the timetable leaves for driving from stop i to the next.
func (b *bus) scheduled(i int) float64 {
	seconds := float64(b.arrival(i+1) - b.departure(i))
	if b.departure(i+1) == b.arrival(i+1) && i+1 < b.journey.last() { // the feed counts the dwell as driving
		seconds -= min(usualDwell, 0.4*seconds)
	}
	return max(seconds-usualLight, 1)
}

// assign gives the bus a journey that it begins at a moment.
func (b *bus) assign(j journey, at int64) {
	b.journey, b.doing, b.until, b.hidden = j, waiting, at, 0
	b.next, b.d, b.piece, b.speed = 0, j.pattern.stops[0], 0, 0
}

// park takes the bus out of service until the dispatcher is asked again.
func (b *bus) park(until int64) {
	b.doing, b.until, b.speed = parked, until, 0
}

// join puts the bus into the middle of a journey, where the timetable has it at now.
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
			b.stand(j.departure(i), true)
			return
		case now < j.arrival(i+1):
			share := float64(now-j.departure(i)) / float64(j.arrival(i+1)-j.departure(i))
			b.next, b.d = i, blend(j.pattern.stops[i], j.pattern.stops[i+1], share)
			b.leave(w)
			b.cruise = cruiseFor(j.pattern.stops[i+1]-j.pattern.stops[i], b.scheduled(i))
			b.speed, b.light = b.cruise, 0
			return
		}
	}
	b.next, b.d, b.doing = j.last(), j.pattern.stops[j.last()], riding // it has just arrived
}

// place returns where the bus truly is.
func (b *bus) place() orb.Point {
	p, piece := b.pattern.path.at(b.d, b.piece)
	b.piece = piece
	return p
}

// inService reports whether the bus's box is on.
func (b *bus) inService() bool {
	return b.doing != parked && (b.doing != waiting || b.now >= b.hidden)
}
