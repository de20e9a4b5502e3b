package sim

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/paulmach/orb/geo"

	"nhip"
	"nhip/geo/gtfs"
)

// feedDispatch drives a given feed's trips: each of its buses takes the next trip that it can get to
// in time. With fewer buses than trips some trips are not driven.
type feedDispatch struct {
	w        *world
	feed     *gtfs.Feed
	patterns map[string]*pattern // by shape and stops
	entries  []*entry            // by departure
	loaded   gtfs.Date           // the last service day in entries
}

// entry is one run and whether somebody drives it.
type entry struct {
	run        gtfs.Run
	start, end int64 // Unix seconds
	taken      bool
}

func newFeedDispatch(w *world, f *gtfs.Feed) *feedDispatch {
	return &feedDispatch{w: w, feed: f, patterns: map[string]*pattern{}}
}

// check refuses a clock outside the feed's calendar.
func (d *feedDispatch) check(now int64) error {
	first, last := d.feed.Period()
	if today := d.w.date(now); today < first || today > last {
		return nhip.Errorf(nhip.Invalid, "feed", "its calendar runs from %s to %s and the clock says %s", first, last, today)
	}
	return nil
}

// How buses find work under a feed.
const (
	lookAhead = 2 * hour  // s, how early a bus takes a trip
	hereFor   = 40 * 60   // s, how long a bus waits for a trip that begins where it stands
	hereReach = 300.0     // m
	emptyRun  = 7.0       // m/s, 25 km/h, between terminals
	shownFor  = 120       // s, how long before its departure a bus that came from afar is seen
	askAgain  = 10 * 60   // s, when there was no work
	soonest   = int64(60) // s, the least time to turn round
)

// ensure loads the service days that matter at now.
func (d *feedDispatch) ensure(now int64) {
	if d.loaded == 0 {
		d.loaded = d.w.date(now).Add(-2) // yesterday's trips may still be on the road
	}
	if d.w.date(now+lookAhead) <= d.loaded {
		return
	}
	for d.loaded < d.w.date(now+lookAhead) {
		d.loaded = d.loaded.Add(1)
		d.load(d.loaded)
	}
	d.entries = slices.DeleteFunc(d.entries, func(e *entry) bool { return e.end <= now })
	slices.SortStableFunc(d.entries, func(a, b *entry) int { return cmp.Compare(a.start, b.start) })
}

func (d *feedDispatch) load(day gtfs.Date) {
	base := day.At(0, d.w.loc).Unix()
	for _, r := range d.feed.Runs(day) {
		d.entries = append(d.entries, &entry{run: r, start: base + int64(r.Start), end: base + int64(r.End())})
	}
}

// place puts buses on the trips that are on the road, evenly chosen when there are more trips than
// buses; the other buses take the next departures.
func (d *feedDispatch) place(buses []*bus, now int64) {
	d.ensure(now)
	var running []*entry
	for _, e := range d.entries {
		if e.start <= now && now < e.end {
			running = append(running, e)
		}
	}
	n := min(len(running), len(buses))
	for k, b := range buses[:n] {
		e := running[k*len(running)/n]
		e.taken = true
		b.join(d.w, d.journey(e), now)
	}
	for _, b := range buses[n:] {
		d.next(b, now)
	}
}

// next finds the bus its next trip: of the same block, else where it stands, else wherever it can
// get to in time.
func (d *feedDispatch) next(b *bus, now int64) {
	d.ensure(now)
	var best *entry
	bestRank := unreachable
	for i := d.from(now + soonest); i < len(d.entries) && d.entries[i].start <= now+lookAhead; i++ {
		e := d.entries[i]
		if r := rank(b, e, now); !e.taken && r < bestRank {
			best, bestRank = e, r
		}
	}
	if best == nil {
		b.park(now + askAgain)
		return
	}
	best.taken = true
	b.assign(d.journey(best), best.start)
	if bestRank == elsewhere {
		b.hidden = best.start - shownFor
	}
}

// from returns the first entry that departs at or after a moment.
func (d *feedDispatch) from(moment int64) int {
	return sort.Search(len(d.entries), func(i int) bool { return d.entries[i].start >= moment })
}

// Ranks of work, best first. Among equals the earliest departure wins.
const (
	sameBlock = iota
	here
	elsewhere
	unreachable
)

func rank(b *bus, e *entry, now int64) int {
	if b.trip == nil { // a bus that has not driven yet can come from anywhere
		return elsewhere
	}
	if t := e.run.Trip; t.Block != "" && t.Block == b.trip.Block && e.run.Day == b.day {
		return sameBlock
	}
	away := geo.Distance(b.last, e.run.Trip.StopTimes[0].Stop.Point)
	switch wait := float64(e.start - now); {
	case away <= hereReach && wait <= hereFor:
		return here
	case wait >= shownFor+away/emptyRun:
		return elsewhere
	}
	return unreachable
}

func (d *feedDispatch) journey(e *entry) journey {
	return journey{pattern: d.pattern(e.run.Trip), trip: e.run.Trip, day: e.run.Day, start: e.start}
}

// pattern returns a trip's pattern; trips of the same shape and stops share one.
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
