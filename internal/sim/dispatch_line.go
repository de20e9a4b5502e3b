package sim

import (
	"cmp"
	"slices"
	"sort"

	"nhip/geo/gtfs"
)

// lineDispatch gives each bus of the simulated network a block of the timetable: trips of one line in both directions,
// day and night. Buses beyond the blocks run as extra service: with the times of a trip, but without its id.
type lineDispatch struct {
	w     *world
	lines []*lineSchedule
}

// lineSchedule is one line's timetable.
type lineSchedule struct {
	directions [2]directionSchedule
	blocks     [][]*gtfs.Trip // each in the order of its trips
}

type directionSchedule struct {
	pattern *pattern
	trips   []*gtfs.Trip // sorted by departure
}

func newLineDispatch(w *world, f *gtfs.Feed) *lineDispatch {
	d := &lineDispatch{w: w}
	byRoute := map[*gtfs.Route]*lineSchedule{}
	for _, r := range f.Routes {
		byRoute[r] = &lineSchedule{}
		d.lines = append(d.lines, byRoute[r])
	}
	for _, t := range f.Trips {
		byRoute[t.Route].add(t)
	}
	for _, l := range d.lines {
		for i := range l.directions {
			l.directions[i].sortTrips()
		}
	}
	return d
}

// add adds a trip. The trips of a block follow one another.
func (l *lineSchedule) add(t *gtfs.Trip) {
	x := &l.directions[t.Direction.Or(0)]
	x.trips = append(x.trips, t)
	if n := len(l.blocks); n > 0 && l.blocks[n-1][0].Block == t.Block {
		l.blocks[n-1] = append(l.blocks[n-1], t)
		return
	}
	l.blocks = append(l.blocks, []*gtfs.Trip{t})
}

func (x *directionSchedule) sortTrips() {
	slices.SortStableFunc(x.trips, func(a, b *gtfs.Trip) int { return cmp.Compare(firstDeparture(a), firstDeparture(b)) })
	x.pattern = newPattern(x.trips[0]) // all trips of a direction have the same path
}

// firstDeparture returns the departure from a trip's first stop.
func firstDeparture(t *gtfs.Trip) gtfs.Time { return t.StopTimes[0].Departure }

// check returns nil: the simulated timetable covers all days.
func (d *lineDispatch) check(int64) error { return nil }

// place distributes the buses over the blocks, evenly if there are fewer buses than blocks. The remaining buses are
// spread over the lines and their directions.
func (d *lineDispatch) place(buses []*bus, now int64) {
	all := 0
	for _, l := range d.lines {
		all += len(l.blocks)
	}
	blocks, extra := d.shares(min(len(buses), all)), d.shares(max(len(buses)-all, 0))
	for i, l := range d.lines {
		n := blocks[i] + extra[i]
		part := buses[:n]
		buses = buses[n:]
		for _, b := range part {
			b.line = l
		}
		for k, b := range part[:blocks[i]] {
			b.block = l.blocks[k*len(l.blocks)/blocks[i]]
			d.join(b, now)
		}
		d.spread(part[blocks[i]:], now)
	}
}

// shares splits n buses in proportion to the lines' blocks.
func (d *lineDispatch) shares(n int) []int {
	total, upTo, given := 0, 0, 0
	for _, l := range d.lines {
		total += len(l.blocks)
	}
	counts := make([]int, len(d.lines))
	for i, l := range d.lines {
		upTo += len(l.blocks)
		counts[i] = n*upTo/total - given
		given += counts[i]
	}
	return counts
}

// join puts a bus onto the trip of its block that runs at now, or else lets it wait for the next one.
func (d *lineDispatch) join(b *bus, now int64) {
	b.blockDay = d.w.date(now).Add(-1)
	for b.turn = 0; ; d.advance(b) {
		if j := d.journey(b); j.arrival(j.last()) > now {
			b.direction = b.block[b.turn].Direction.Or(0)
			b.join(d.w, j, now)
			return
		}
	}
}

// advance selects the next trip of the block of a bus.
func (d *lineDispatch) advance(b *bus) {
	if b.turn++; b.turn == len(b.block) {
		b.turn, b.blockDay = 0, b.blockDay.Add(1)
	}
}

// journey returns the journey that is selected in the block of a bus.
func (d *lineDispatch) journey(b *bus) journey {
	t := b.block[b.turn]
	start := b.blockDay.At(0, d.w.loc).Unix() + int64(firstDeparture(t))
	return journey{b.line.directions[t.Direction.Or(0)].pattern, t, b.blockDay, start}
}

// spread puts buses on extra service, evenly spaced over both directions.
func (d *lineDispatch) spread(buses []*bus, now int64) {
	for k, b := range buses {
		out := duration(b.line.directions[0].tripForTimes(d.w, now))
		both := out + duration(b.line.directions[1].tripForTimes(d.w, now))
		elapsed := both * (2*int64(k) + 1) / (2 * int64(len(buses)))
		if b.direction = 0; elapsed >= out {
			b.direction, elapsed = 1, elapsed-out
		}
		x := &b.line.directions[b.direction]
		b.join(d.w, journey{pattern: x.pattern, trip: x.tripForTimes(d.w, now-elapsed), start: now - elapsed}, now)
	}
}

// tripForTimes returns the trip whose times apply to a departure at unix: the last one before it.
func (x *directionSchedule) tripForTimes(w *world, unix int64) *gtfs.Trip {
	second := gtfs.Time(w.second(unix))
	i := sort.Search(len(x.trips), func(i int) bool { return firstDeparture(x.trips[i]) > second })
	return x.trips[max(i-1, 0)]
}

// Turnaround at a terminal, in seconds.
const (
	minLayover        = 180     // the driver's break
	maxLateStart      = 30 * 60 // a bus that is later leaves a trip out in each direction
	typicalTurnaround = 480     // from arrival to departure, at least
)

// next gives the bus the next trip of its block, or sends it in the opposite direction.
func (d *lineDispatch) next(b *bus, now int64) {
	ready := now + minLayover + b.rng.Int64N(120)
	if b.block == nil {
		b.direction = 1 - b.direction
		x := &b.line.directions[b.direction]
		ready += b.rng.Int64N(240) // spaces extra buses
		b.assign(journey{pattern: x.pattern, trip: x.tripForTimes(d.w, ready), start: ready}, ready)
		return
	}
	d.advance(b)
	for ready > d.journey(b).start+maxLateStart {
		d.advance(b)
		d.advance(b)
	}
	j := d.journey(b)
	b.direction = j.trip.Direction.Or(0)
	b.assign(j, max(ready, j.start))
}
