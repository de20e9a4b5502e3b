package sim

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb/geo"
)

// feedDispatch drives the trips of a given feed: each bus gets the next trip whose first stop it can reach in time.
// With fewer buses than trips some trips are not driven.
type feedDispatch struct {
	w        *world
	feed     *gtfs.Feed
	patterns map[string]*pattern // by shape and stops
	entries  []*scheduledTrip    // sorted by departure
	loaded   gtfs.Date           // last service day in entries
}

// scheduledTrip is a trip instance and whether a bus drives it.
type scheduledTrip struct {
	instance   gtfs.TripInstance
	start, end int64 // Unix seconds
	assigned   bool
}

func newFeedDispatch(w *world, f *gtfs.Feed) *feedDispatch {
	return &feedDispatch{w: w, feed: f, patterns: map[string]*pattern{}}
}

// check returns an error if now is outside the feed's calendar.
func (d *feedDispatch) check(now int64) error {
	first, last := d.feed.Period()
	if today := d.w.date(now); today < first || today > last {
		return nhip.Errorf(nhip.CodeInvalid, "feed", "calendar covers %s to %s, but the clock is at %s", first, last, today)
	}
	return nil
}

// Assignment of trips.
const (
	lookAhead      = 2 * hour  // s, maximum time before a departure at which a trip is assigned
	maxStopWait    = 40 * 60   // s, maximum wait for a trip that starts at the bus's stop
	sameStopRadius = 300.0     // m
	deadheadSpeed  = 7.0       // m/s, 25 km/h
	visibleBefore  = 120       // s before departure from which a bus from another stop sends positions
	retryAfter     = 10 * 60   // s until the next attempt if there is no trip
	minTurnaround  = int64(60) // s
)

// loadDays loads the service days that are relevant at now.
func (d *feedDispatch) loadDays(now int64) {
	if d.loaded == 0 {
		d.loaded = d.w.date(now).Add(-2) // yesterday's trips may still be running
	}
	if d.w.date(now+lookAhead) <= d.loaded {
		return
	}
	for d.loaded < d.w.date(now+lookAhead) {
		d.loaded = d.loaded.Add(1)
		d.load(d.loaded)
	}
	d.entries = slices.DeleteFunc(d.entries, func(e *scheduledTrip) bool { return e.end <= now })
	slices.SortStableFunc(d.entries, func(a, b *scheduledTrip) int { return cmp.Compare(a.start, b.start) })
}

func (d *feedDispatch) load(day gtfs.Date) {
	base := day.At(0, d.w.loc).Unix()
	for _, trip := range d.feed.TripInstances(day) {
		d.entries = append(d.entries, &scheduledTrip{
			instance: trip, start: base + int64(trip.Start), end: base + int64(trip.End()),
		})
	}
}

// place assigns buses to the running trips, evenly selected if there are more trips than buses. The other buses get the
// next departures.
func (d *feedDispatch) place(buses []*bus, now int64) {
	d.loadDays(now)
	var running []*scheduledTrip
	for _, e := range d.entries {
		if e.start <= now && now < e.end {
			running = append(running, e)
		}
	}
	n := min(len(running), len(buses))
	for k, b := range buses[:n] {
		e := running[k*len(running)/n]
		e.assigned = true
		b.join(d.w, d.journey(e), now)
	}
	for _, b := range buses[n:] {
		d.next(b, now)
	}
}

// next assigns the next trip: of the same block if it starts here, otherwise from the same stop, otherwise from any
// stop that the bus can reach in time.
func (d *feedDispatch) next(b *bus, now int64) {
	d.loadDays(now)
	if e := d.nextOfBlock(b, now); e != nil {
		e.assigned = true
		b.assign(d.journey(e), max(e.start, now+minTurnaround))
		return
	}
	var best *scheduledTrip
	bestRank := unreachable
	for i := d.firstAfter(now + minTurnaround); i < len(d.entries) && d.entries[i].start <= now+lookAhead; i++ {
		e := d.entries[i]
		if r := rank(b, e, now); !e.assigned && r < bestRank {
			best, bestRank = e, r
		}
	}
	if best == nil {
		b.park(now + retryAfter)
		return
	}
	best.assigned = true
	b.assign(d.journey(best), best.start)
	if bestRank == elsewhere {
		b.hiddenUntil = best.start - visibleBefore
	}
}

// nextOfBlock returns the next trip of the block of a bus, for which it may be late, or nil if it has none here.
func (d *feedDispatch) nextOfBlock(b *bus, now int64) *scheduledTrip {
	if b.trip == nil || b.trip.Block == "" {
		return nil
	}
	from := max(b.journey.start+1, now-maxLateStart)
	for i := d.firstAfter(from); i < len(d.entries) && d.entries[i].start <= now+lookAhead; i++ {
		e := d.entries[i]
		if t := e.instance.Trip; e.assigned || t.Block != b.trip.Block || e.instance.Day != b.day {
			continue
		}
		if geo.Distance(b.last, e.instance.Trip.StopTimes[0].Stop.Point) > sameStopRadius {
			return nil
		}
		return e
	}
	return nil
}

// firstAfter returns the index of the first trip that departs at or after a time.
func (d *feedDispatch) firstAfter(unix int64) int {
	return sort.Search(len(d.entries), func(i int) bool { return d.entries[i].start >= unix })
}

// Ranks of trips, best first. Among equal ranks the earliest departure is chosen.
const (
	sameStop = iota
	elsewhere
	unreachable
)

func rank(b *bus, e *scheduledTrip, now int64) int {
	if b.trip == nil { // a bus without a previous trip may start anywhere
		return elsewhere
	}
	away := geo.Distance(b.last, e.instance.Trip.StopTimes[0].Stop.Point)
	switch wait := float64(e.start - now); {
	case away <= sameStopRadius && wait <= maxStopWait:
		return sameStop
	case wait >= visibleBefore+away/deadheadSpeed:
		return elsewhere
	}
	return unreachable
}

func (d *feedDispatch) journey(e *scheduledTrip) journey {
	return journey{pattern: d.pattern(e.instance.Trip), trip: e.instance.Trip, day: e.instance.Day, start: e.start}
}

// pattern returns a trip's pattern. Trips with the same shape and stops share one.
func (d *feedDispatch) pattern(t *gtfs.Trip) *pattern {
	var key strings.Builder
	if t.Shape != nil {
		key.WriteString(t.Shape.ID)
	}
	for i := range t.StopTimes {
		key.WriteByte('\n')
		key.WriteString(t.StopTimes[i].Stop.ID)
	}
	p := d.patterns[key.String()]
	if p == nil {
		p = newPattern(t)
		d.patterns[key.String()] = p
	}
	return p
}
