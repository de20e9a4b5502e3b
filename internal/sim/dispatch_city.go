package sim

import (
	"cmp"
	"slices"
	"sort"

	"nhip/geo/gtfs"
)

// cityDispatch keeps every bus on one line of the own city, back and forth, all day and night. A bus
// that is ready takes the timetable's next trip; where there is none to take it runs as extra
// service, with the times of a trip and without its name.
type cityDispatch struct {
	w     *world
	lines []*lineWork
}

// lineWork is one line's timetable and who drives what of it.
type lineWork struct {
	ways [2]wayWork
	work int64 // seconds of driving and turning a day: what decides how many buses it gets
}

type wayWork struct {
	pattern *pattern
	trips   []*gtfs.Trip // by departure
	taken   []gtfs.Date  // the last day on which each was taken
}

func newCityDispatch(w *world, f *gtfs.Feed) *cityDispatch {
	d := &cityDispatch{w: w}
	byRoute := map[*gtfs.Route]*lineWork{}
	for _, r := range f.Routes {
		byRoute[r] = &lineWork{}
		d.lines = append(d.lines, byRoute[r])
	}
	for _, t := range f.Trips {
		byRoute[t.Route].add(t)
	}
	for _, l := range d.lines {
		for i := range l.ways {
			l.ways[i].prepare()
		}
	}
	return d
}

func (l *lineWork) add(t *gtfs.Trip) {
	x := &l.ways[t.Direction.Or(0)]
	x.trips = append(x.trips, t)
	l.work += duration(t) + usualTurn
}

func (x *wayWork) prepare() {
	slices.SortStableFunc(x.trips, func(a, b *gtfs.Trip) int { return cmp.Compare(leaves(a), leaves(b)) })
	x.taken = make([]gtfs.Date, len(x.trips))
	x.pattern = newPattern(x.trips[0]) // all trips of a way take the same streets
}

// leaves returns a trip's departure from its first stop.
func leaves(t *gtfs.Trip) gtfs.Time { return t.StopTimes[0].Departure }

// check never finds anything: the city's buses run always.
func (d *cityDispatch) check(int64) error { return nil }

// place shares the buses out by the lines' work. On each line the trips that are on the road come
// first; the rest of the buses is spread over the way out and back.
func (d *cityDispatch) place(buses []*bus, now int64) {
	for i, n := range d.shares(len(buses)) {
		l := d.lines[i]
		part := buses[:n]
		buses = buses[n:]
		for _, b := range part {
			b.line = l
		}
		running := l.running(d.w, now)
		onTrips := min(len(running), n)
		for k, b := range part[:onTrips] {
			d.join(b, running[k*len(running)/onTrips], now)
		}
		d.spread(part[onTrips:], now)
	}
}

// shares splits n buses by the lines' work; what rounding leaves goes to the first lines.
func (d *cityDispatch) shares(n int) []int {
	var all, given int64
	for _, l := range d.lines {
		all += l.work
	}
	counts := make([]int, len(d.lines))
	var work int64
	for i, l := range d.lines {
		work += l.work
		upTo := int64(n) * work / all
		counts[i] = int(upTo - given)
		given = upTo
	}
	return counts
}

// slot is one trip on one day.
type slot struct {
	way, trip int
	day       gtfs.Date
	start     int64
}

// running lists the trips that the timetable has on the road at now, and those that buses already wait
// for at the terminals.
func (l *lineWork) running(w *world, now int64) []slot {
	var list []slot
	for i := range l.ways {
		for _, day := range [...]gtfs.Date{w.date(now).Add(-1), w.date(now)} {
			base := day.At(0, w.loc).Unix()
			for k, t := range l.ways[i].trips {
				start := base + int64(leaves(t))
				if start <= now+usualTurn && now < start+duration(t) {
					list = append(list, slot{i, k, day, start})
				}
			}
		}
	}
	return list
}

func (d *cityDispatch) join(b *bus, s slot, now int64) {
	x := &b.line.ways[s.way]
	x.taken[s.trip] = s.day
	b.way = s.way
	b.join(d.w, journey{x.pattern, x.trips[s.trip], s.day, s.start}, now)
}

// spread puts buses in extra service evenly along the way out and back.
func (d *cityDispatch) spread(buses []*bus, now int64) {
	for k, b := range buses {
		out := duration(b.line.ways[0].like(d.w, now))
		both := out + duration(b.line.ways[1].like(d.w, now))
		elapsed := both * (2*int64(k) + 1) / (2 * int64(len(buses)))
		if b.way = 0; elapsed >= out {
			b.way, elapsed = 1, elapsed-out
		}
		x := &b.line.ways[b.way]
		b.join(d.w, journey{pattern: x.pattern, trip: x.like(d.w, now-elapsed), start: now - elapsed}, now)
	}
}

// like returns the trip whose times hold for a departure at that moment: the last before it.
func (x *wayWork) like(w *world, unix int64) *gtfs.Trip {
	second := gtfs.Time(w.second(unix))
	i := sort.Search(len(x.trips), func(i int) bool { return leaves(x.trips[i]) > second })
	return x.trips[max(i-1, 0)]
}

// How a bus turns round at a terminal, in seconds.
const (
	shortestLayover = 180 // the driver's break
	latestStart     = 240 // behind its departure a trip is no longer taken
	longestWait     = 600 // for a departure
	usualTurn       = 360 // from arrival to departure, waiting and all
)

// next sends the bus back the other way.
func (d *cityDispatch) next(b *bus, now int64) {
	b.way = 1 - b.way
	x := &b.line.ways[b.way]
	ready := now + shortestLayover + b.rng.Int64N(120)
	if s, ok := x.take(d.w, ready-latestStart, ready+longestWait); ok {
		b.assign(journey{x.pattern, x.trips[s.trip], s.day, s.start}, max(ready, s.start))
		return
	}
	ready += b.rng.Int64N(240) // extra buses don't leave one right behind the other
	b.assign(journey{pattern: x.pattern, trip: x.like(d.w, ready), start: ready}, ready)
}

// take takes the first trip between two moments that nobody drives yet.
func (x *wayWork) take(w *world, from, to int64) (slot, bool) {
	for day := w.date(from); day <= w.date(to); day = day.Add(1) {
		base := day.At(0, w.loc).Unix()
		i := sort.Search(len(x.trips), func(i int) bool { return base+int64(leaves(x.trips[i])) >= from })
		for ; i < len(x.trips) && base+int64(leaves(x.trips[i])) <= to; i++ {
			if x.taken[i] < day {
				x.taken[i] = day
				return slot{trip: i, day: day, start: base + int64(leaves(x.trips[i]))}, true
			}
		}
	}
	return slot{}, false
}
