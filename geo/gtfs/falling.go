package gtfs

import "sort"

// dropFalling drops the fewest times of a trip that leave none before the departure from an earlier stop. The calls
// stay; their times are interpolated like missing ones.
func (l *loader) dropFalling(r stopTimeRows) {
	if !falls(r.times) {
		return
	}
	keep := longestRising(r.times)
	for i := range r.times {
		if r.times[i].Estimated || keep[i] {
			continue
		}
		r.times[i].Estimated = true
		l.badCall(r, i, SeverityWarning, codeArrivalBeforeDeparture, "arrival_time",
			"must not be before the departure from the previous stop", "the times of the call are left out")
	}
}

// falls reports whether a call arrives before the departure from an earlier one.
func falls(times []StopTime) bool {
	last := Time(0)
	for i := range times {
		if times[i].Estimated {
			continue
		}
		if times[i].Arrival < last {
			return true
		}
		last = times[i].Departure
	}
	return false
}

// longestRising returns which calls belong to the longest sequence that does not fall. Of several it prefers one with
// the first and the last timed call, without which a trip would be shorter.
func longestRising(times []StopTime) []bool {
	first, last := -1, -1
	for i := range times {
		if !times[i].Estimated {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	keep, most := rising(times, func(int) bool { return true })
	from, to := times[first].Departure, times[last].Arrival
	between, n := rising(times, func(i int) bool {
		return i == first || i == last || from <= times[i].Arrival && times[i].Departure <= to
	})
	if from <= to && n >= most {
		return between
	}
	return keep
}

// rising returns which calls belong to the longest sequence of those that are allowed which does not fall, and how many
// they are.
func rising(times []StopTime, allowed func(i int) bool) (keep []bool, n int) {
	ends := make([]int, 0, len(times))  // ends[k] ends the sequence of k+1 calls that departs first
	previous := make([]int, len(times)) // call of the sequence, or -1
	departs := func(k int) Time { return times[ends[k]].Departure }
	for i := range times {
		if times[i].Estimated || !allowed(i) {
			continue
		}
		k := sort.Search(len(ends), func(k int) bool { return departs(k) > times[i].Arrival })
		if previous[i] = -1; k > 0 {
			previous[i] = ends[k-1]
		}
		switch {
		case k == len(ends):
			ends = append(ends, i)
		case times[i].Departure < departs(k):
			ends[k] = i
		}
	}
	keep = make([]bool, len(times))
	for i := ends[len(ends)-1]; i >= 0; i = previous[i] {
		keep[i] = true
	}
	return keep, len(ends)
}
