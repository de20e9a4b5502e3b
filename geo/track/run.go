package track

import (
	"math"
	"slices"
	"time"

	"nhip/geo/network"
)

// Plausible deviations from the timetable, in s, and what a minute costs: buses run late far more often
// than early, for a driver may not leave a stop before its time.
const (
	earliest    = 12 * 60.0
	waitsUpTo   = 45 * 60.0 // before its departure a bus may stand at its first stop
	latest      = 60 * 60.0
	lateMinute  = 1 / 6.0
	earlyMinute = 3 * lateMinute
	waitMinute  = lateMinute / 3
	takesOver   = 1.5 // by which a run must fit better than it fits the bus that has it
	loose       = 10. // of a frequency that promises no times, a deviation only says which run is nearest
	otherRun    = 3.0 // by which another run must be better than the one that is held
)

// offTimetable is what a deviation of that many seconds costs.
func offTimetable(deviation float64) float64 {
	if deviation < 0 {
		return -deviation / 60 * earlyMinute
	}
	return deviation / 60 * lateMinute
}

// bestRun returns the run of a pattern that a bus at that place now most likely is, and what speaks
// against it; nil when there is none.
func (t *Tracker) bestRun(v *vehicle, p *network.Pattern, along float64, now time.Time) (best *network.Run, least float64) {
	least = math.Inf(1)
	at, early := float64(now.Unix()), earliest
	waits := along <= p.Along[0]+departed && !v.started
	if waits {
		early = waitsUpTo
	}
	for _, d := range t.net.DaysAt(now) {
		runs := d.RunsOf(p)
		if len(runs) == 0 {
			continue
		}
		// All runs of a pattern take about as long, so that the place is about as long after each start.
		into := runs[0].Scheduled(along) - float64(runs[0].Departs(0))
		first, _ := slices.BinarySearchFunc(runs, at-into-latest-900, func(r *network.Run, start float64) int {
			if float64(r.Departs(0)) < start {
				return -1
			}
			return 1
		})
		for _, r := range runs[first:] {
			if float64(r.Departs(0)) > at-into+early+900 {
				break
			}
			if cost, ok := t.costOf(v, r, along, at, waits); ok && cost < least {
				best, least = r, cost
			}
		}
	}
	return best, least
}

func (t *Tracker) costOf(v *vehicle, r *network.Run, along, now float64, waits bool) (float64, bool) {
	deviation := now - r.Scheduled(along)
	switch {
	case deviation > latest:
		return 0, false
	case waits && deviation < -waitsUpTo, !waits && deviation < -earliest:
		return 0, false
	case r.Headway:
		deviation = math.Abs(deviation) / loose
	case waits && deviation < 0:
		deviation = -deviation * waitMinute / lateMinute
	}
	cost := offTimetable(deviation)
	if other := t.held[r]; other != nil && other != v && !other.ended {
		if !other.inferred || cost > other.cost(r)-takesOver {
			return 0, false
		}
	}
	if last := v.lastRun(); last != nil && last.Next == r {
		cost -= blockNext
	}
	return cost, true
}

// reconsider changes the run when another fits much better: the first guess was made early.
func (t *Tracker) reconsider(v *vehicle, now time.Time) {
	if !v.started || v.ended || v.off > 0 {
		return
	}
	own := math.Inf(1)
	if v.run != nil {
		if cost, ok := t.costOf(v, v.run, v.along, float64(now.Unix()), false); ok {
			own = cost
		}
	}
	if own < otherRun {
		return
	}
	if r, cost := t.bestRun(v, v.pattern, v.along, now); r != nil && r != v.run && cost < own-otherRun {
		v.hold(t, r)
	}
}

// cost is what speaks against the bus's running r, by its last fix.
func (v *vehicle) cost(r *network.Run) float64 {
	deviation := float64(v.time.Unix()) - r.Scheduled(v.along)
	switch {
	case r.Headway:
		return offTimetable(math.Abs(deviation) / loose)
	case !v.started && deviation < 0:
		return 0
	}
	return offTimetable(deviation)
}
