package network

import "nhip/geo/gtfs"

// minWait is the shortest stay at a stop, in s, for which vehicles wait; a shorter one is the time of boarding.
const minWait gtfs.Time = 60

// Wait returns how long the timetable lets the vehicle stand at its i-th stop, in s: 0 at the ends and where it only
// boards riders.
func Wait(t *gtfs.Trip, i int) gtfs.Time {
	if i <= 0 || i >= len(t.StopTimes)-1 || t.StopTimes[i].Estimated {
		return 0
	}
	if stay := t.StopTimes[i].Departure - t.StopTimes[i].Arrival; stay >= minWait {
		return stay
	}
	return 0
}

// timedStops returns at which stops between its ends a trip does not leave before its departure, nil if at none: where
// the timetable lets it wait, and at time points. A trip whose given times are all exact has no time points.
func timedStops(t *gtfs.Trip) []bool {
	approximate := false
	for i := range t.StopTimes {
		approximate = approximate || t.StopTimes[i].Timepoint == gtfs.TimepointApproximate
	}
	var timed []bool
	for i := 1; i < len(t.StopTimes)-1; i++ {
		s := &t.StopTimes[i]
		if Wait(t, i) == 0 && (!approximate || s.Estimated || s.Timepoint != gtfs.TimepointExact) {
			continue
		}
		if timed == nil {
			timed = make([]bool, len(t.StopTimes))
		}
		timed[i] = true
	}
	return timed
}

// Timed reports whether the vehicle does not leave the i-th stop, between the ends, before its departure.
func (t *TripInstance) Timed(i int) bool { return t.timed != nil && t.timed[i] }

// stopArea is how far beyond a stop a vehicle that stands there may seem to be, in m: the error of its receiver.
const stopArea = 80.0

// AtStop reports whether a vehicle that has reached stop i is still there, by its place along the line in m.
func (p *Pattern) AtStop(i int, along float64) bool {
	if i < 0 || along < p.Along[i] {
		return false
	}
	reach := stopArea
	if i < p.Last() {
		reach = min(reach, (p.Along[i+1]-p.Along[i])/2)
	}
	return along-p.Along[i] <= reach
}

// Deviation returns how far behind its timetable a vehicle is along metres along the line at a time in Unix s, in s,
// negative if it is ahead. At a stop it is on time from its arrival until its departure.
func (t *TripInstance) Deviation(along, now float64) float64 {
	off := now - t.Scheduled(along)
	i := t.Pattern.NextStop(along) - 1
	if off < 0 && i > 0 && t.Pattern.AtStop(i, along) {
		return min(now-float64(t.Arrives(i)), 0)
	}
	return off
}
