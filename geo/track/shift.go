package track

import (
	"math"
	"time"

	"nhip/geo/network"
)

// The positions of a whole agency may be hours off the timetable: a clock that missed the change to summer time, or
// times in another zone. Then all buses that report their trips deviate by about the same number of hours.
// The constants
// are such that no city's delays look like that: journeys of a quarter of an hour's spread about a full
// hour, and hardly
// any other one.
const (
	shiftStep       = 3600.0        // s
	maxShift        = 14            // steps: from UTC to the farthest zone
	shiftTolerance  = 15 * 60.0     // s about a full hour
	minShiftShare   = 0.8           // of the journeys
	shiftJourneys   = 16            // the latest ones, which are compared
	minShiftBuses   = 6             // of which they must be
	shiftMemory     = 6 * time.Hour // an older journey does not count
	maxShiftWatches = 64            // agencies
)

// Shift is how much the positions of an agency are off the timetable.
type Shift struct {
	Agency string
	By     time.Duration // positive if buses seem to be late
}

// shiftWatch compares the journeys of an agency with the timetable.
type shiftWatch struct {
	journeys [shiftJourneys]shiftSample // a ring
	next     int
	fresh    bool // there is a journey that has not been looked at
	by       time.Duration
}

// shiftSample is the first deviation of a bus on a journey whose trip it reports.
type shiftSample struct {
	vehicle   string
	deviation float64 // s, from the timetable as it is
	at        time.Time
}

// watch returns the watch of an agency, nil if there are too many.
func (t *Tracker) watch(agency string) *shiftWatch {
	w := t.watches[agency]
	if w == nil && len(t.watches) < maxShiftWatches {
		w = &shiftWatch{}
		t.watches[agency] = w
	}
	return w
}

// sampleShift notes the first deviation of a bus on a journey whose trip it reports.
func (t *Tracker) sampleShift(v *vehicle, inst *network.TripInstance, m *network.Match, now time.Time) {
	if inst == nil || inst == v.sampled || inst.HeadwayBased || m.HeadingMismatch(v.heading) > 1 {
		return
	}
	w := t.watches[v.agency]
	if w == nil {
		return
	}
	v.sampled = inst
	deviation := float64(now.Unix()) - inst.Scheduled(m.Along)
	w.journeys[w.next] = shiftSample{v.id, deviation + w.by.Seconds(), now.Add(w.by)}
	w.next, w.fresh = (w.next+1)%shiftJourneys, true
}

// changed returns the shift that the latest journeys show, which rarely is another one than before.
func (w *shiftWatch) changed(now time.Time) time.Duration {
	if !w.fresh {
		return w.by
	}
	w.fresh = false
	return w.seen(now)
}

// seen returns the shift that the latest journeys show. It is the present one unless they agree on another one.
func (w *shiftWatch) seen(now time.Time) time.Duration {
	var count [2*maxShift + 1]int
	best := maxShift
	for i := range w.journeys {
		s := &w.journeys[i]
		step := math.Round(s.deviation / shiftStep)
		if s.vehicle == "" || now.Sub(s.at) > shiftMemory || math.Abs(step) > maxShift ||
			math.Abs(s.deviation-step*shiftStep) > shiftTolerance {
			continue
		}
		k := int(step) + maxShift
		if count[k]++; count[k] > count[best] {
			best = k
		}
	}
	by := time.Duration(float64(best-maxShift)*shiftStep) * time.Second
	if float64(count[best]) < minShiftShare*shiftJourneys || w.buses() < minShiftBuses {
		return w.by
	}
	return by
}

// buses returns of how many buses the journeys are.
func (w *shiftWatch) buses() int {
	n := 0
	for i := range w.journeys {
		first := w.journeys[i].vehicle != ""
		for k := range i {
			first = first && w.journeys[k].vehicle != w.journeys[i].vehicle
		}
		if first {
			n++
		}
	}
	return n
}

// setShift matches the buses of an agency by a clock that is off by a duration from now on. Sign-ons that were rejected
// because of the time are looked at again.
func (t *Tracker) setShift(agency string, w *shiftWatch, by time.Duration) {
	change := w.by - by
	w.by = by
	for _, v := range t.vehicles {
		if v.agency != agency {
			continue
		}
		for _, at := range []*time.Time{&v.time, &v.stillSince, &v.matched, &v.serves.when} {
			if !at.IsZero() {
				*at = at.Add(change)
			}
		}
		v.rejected, v.fitting = signOn{}, 0
	}
	if t.OnShift != nil {
		t.OnShift(Shift{agency, by})
	}
}

// moveTimes moves the times of a state that was determined by a shifted clock back to that of the positions.
func (s *State) moveTimes(by time.Duration) {
	s.Shift = by
	s.Time = s.Time.Add(by)
	for i := range s.StopEvents {
		e := &s.StopEvents[i]
		if !e.Arrived.IsZero() {
			e.Arrived = e.Arrived.Add(by)
		}
		if !e.Departed.IsZero() {
			e.Departed = e.Departed.Add(by)
		}
	}
}
