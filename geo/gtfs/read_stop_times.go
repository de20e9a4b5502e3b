package gtfs

import (
	"cmp"
	"math"
	"sort"
	"unsafe"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// stopTimeRows are stop times with their lines in the file. Parallel arrays need less memory than rows.
type stopTimeRows struct {
	times []StopTime
	lines []int32
}

// stopTimeSize is the memory of a stop time in bytes.
const stopTimeSize = unsafe.Sizeof(StopTime{}) + unsafe.Sizeof(int32(0))

type stopTimeColumns struct {
	trip, stop, sequence, arrival, departure, dist, pickup, dropOff, timepoint, window,
	area, group column
}

// readStopTimes counts the stop times of each trip, reads each to its place in one array, and sorts them trip by trip.
func (l *loader) readStopTimes() error {
	counts, total := make([]int32, len(l.feed.Trips)), 0
	err := l.readTable("stop_times.txt", nil, func(t *table) {
		trip := t.require("trip_id")
		for t.next() {
			if i, known := l.trips[t.ref(trip)]; known && t.hold(stopTimeSize) {
				counts[i]++
				total++
			}
		}
	})
	if err != nil {
		return err
	}
	rows := stopTimeRows{make([]StopTime, total), make([]int32, total)}
	places := newPlaces(counts)
	if err := l.readStopTimeRows(places, &rows); err != nil {
		return err
	}
	for i, trip := range l.feed.Trips {
		from, to := places.of(i)
		part := stopTimeRows{rows.times[from:to:to], rows.lines[from:to:to]}
		if trip.StopTimes = l.calls(part); len(trip.StopTimes) < 2 {
			severity := SeverityWarning
			if l.onDemand[trip] {
				severity = SeverityNote
			}
			l.findings.Add(Finding{
				severity, codeUnusableTrip, "stop_times.txt", 0, "", "the trip " + trip.ID + " has no two valid calls",
				"the trip does not run",
			})
		}
	}
	return nil
}

func (l *loader) readStopTimeRows(places *places, rows *stopTimeRows) error {
	return l.table("stop_times.txt", func(t *table) {
		c := stopTimeColumns{
			trip: t.require("trip_id"), stop: t.require("stop_id"), sequence: t.require("stop_sequence"),
			arrival:   t.expect("arrival_time", "departures are used for both"),
			departure: t.expect("departure_time", "arrivals are used for both"),
			dist:      t.column("shape_dist_traveled"), pickup: t.column("pickup_type"), dropOff: t.column("drop_off_type"),
			timepoint: t.column("timepoint"), window: t.column("start_pickup_drop_off_window"),
			area: t.column("location_id"), group: t.column("location_group_id"),
		}
		for t.next() {
			if c.flexible(t) {
				t.find(SeverityNote, codeFlexible, absent, leftOut, "is a call on demand, within a time or an area")
				if i, known := l.trips[t.ref(c.trip)]; known && t.hold(mapEntry) {
					l.onDemand[l.feed.Trips[i]] = true
				}
				continue
			}
			trip, known := l.trips[t.ref(c.trip)]
			if !known {
				t.leaveOut(codeForeignKey, c.trip, "refers to the trip %q, which is unknown or left out", clip(t.text(c.trip)))
				continue
			}
			row := l.stopTime(t, &c)
			if t.rowFailed {
				continue
			}
			at, ok := places.next(trip)
			if !ok {
				t.err = &Error{File: t.name, Rule: "the file changed while it was read"}
				return
			}
			rows.times[at], rows.lines[at] = row, int32(t.line())
		}
	})
}

// flexible reports whether a row is a call on demand.
func (c *stopTimeColumns) flexible(t *table) bool {
	timed := t.text(c.arrival) != "" || t.text(c.departure) != ""
	return !timed && t.text(c.window) != "" || t.text(c.stop) == "" && t.text(c.area)+t.text(c.group) != ""
}

// Len, Less and Swap sort the stop times of one trip.
func (r stopTimeRows) Len() int { return len(r.times) }

// Less orders by sequence number and then by line.
func (r stopTimeRows) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(r.times[i].Sequence, r.times[j].Sequence), cmp.Compare(r.lines[i], r.lines[j])) < 0
}

// Swap exchanges two stop times.
func (r stopTimeRows) Swap(i, j int) {
	r.times[i], r.times[j] = r.times[j], r.times[i]
	r.lines[i], r.lines[j] = r.lines[j], r.lines[i]
}

// stopTime reads a row, but its trip.
func (l *loader) stopTime(t *table, c *stopTimeColumns) StopTime {
	r := StopTime{
		Stop:     l.stopOf(t, c.stop),
		Sequence: int32(t.requireInteger(c.sequence, 0, math.MaxInt32)),
		Dist:     t.dist(c.dist),
		Pickup:   Boarding(t.choice(c.pickup, 3)), DropOff: Boarding(t.choice(c.dropOff, 3)),
	}
	if exact, given := t.integer(c.timepoint, 0, 1, codeUnexpectedEnum, valueLeftOut); given {
		r.Timepoint = TimepointApproximate + Timepoint(exact)
	}
	r.setTimes(t, c)
	return r
}

func (l *loader) stopOf(t *table, c column) *Stop {
	s := l.stops[t.ref(c)]
	switch {
	case s == nil:
		t.leaveOut(codeForeignKey, c, "refers to the stop %q, which is unknown or left out", clip(t.text(c)))
	case s.Point == (orb.Point{}):
		t.leaveOut(codeUnexpectedLocation, c, "the stop %q is no platform (location_type 0)", s.ID)
	case s.LocationType != LocationPlatform:
		t.find(SeverityWarning, codeUnexpectedLocation, c, "it is taken as a platform",
			"the stop %q is no platform (location_type 0)", s.ID)
		s.LocationType = LocationPlatform
	}
	return s
}

// setTimes sets both times; if only one is given it is used for both.
func (r *StopTime) setTimes(t *table, c *stopTimeColumns) {
	arrival, ok1 := t.time(c.arrival)
	departure, ok2 := t.time(c.departure)
	switch {
	case ok1 && !ok2:
		departure = arrival
	case ok2 && !ok1:
		arrival = departure
	case ok1 && departure < arrival:
		t.find(SeverityWarning, codeArrivalBeforeDeparture, c.departure, "is taken as the arrival_time",
			"must not be before arrival_time")
		departure = arrival
	}
	r.Arrival, r.Departure = arrival, departure
	r.Estimated = !ok1 && !ok2
}

// calls sorts the stop times of one trip, leaves out what is wrong, and interpolates times between timed stops, which
// GTFS allows feeds to omit. Most feeds are sorted already, which takes only one pass to check.
func (l *loader) calls(r stopTimeRows) []StopTime {
	if !sort.IsSorted(r) {
		sort.Sort(r)
	}
	r = l.withoutTwins(r)
	l.dropFalling(r)
	r = l.withoutUntimedEnds(r)
	timed := 0
	for i := 1; i < len(r.times); i++ {
		if !r.times[i].Estimated {
			interpolate(r.times[timed : i+1])
			timed = i
		}
	}
	return r.times
}

// withoutTwins leaves out calls with the sequence number of another one.
func (l *loader) withoutTwins(r stopTimeRows) stopTimeRows {
	kept := 0
	for i := range r.times {
		if i > 0 && r.times[i].Sequence == r.times[kept-1].Sequence {
			l.badCall(r, i, SeverityWarning, codeDuplicateKey, "stop_sequence", "duplicate sequence number in the trip", leftOut)
			continue
		}
		r.times[kept], r.lines[kept] = r.times[i], r.lines[i]
		kept++
	}
	return stopTimeRows{r.times[:kept:kept], r.lines[:kept:kept]}
}

// withoutUntimedEnds leaves out the calls before the first time of a trip and after the last one.
func (l *loader) withoutUntimedEnds(r stopTimeRows) stopTimeRows {
	from, to := 0, len(r.times)
	for from < to && r.times[from].Estimated {
		from++
	}
	for to > from && r.times[to-1].Estimated {
		to--
	}
	for i := range r.times {
		if i < from || i >= to {
			l.badCall(r, i, SeverityError, codeMissingTripEdge, "arrival_time",
				"is required at the first and the last stop of a trip", leftOut)
		}
	}
	return stopTimeRows{r.times[from:to:to], r.lines[from:to:to]}
}

func (l *loader) badCall(r stopTimeRows, i int, severity Severity, code, field, message, done string) {
	l.findings.Add(Finding{severity, code, "stop_times.txt", int(r.lines[i]), field, message, done})
}

// interpolate distributes the time between two timed stops by the distance between the stops.
func interpolate(times []StopTime) {
	last := len(times) - 1
	if last < 2 {
		return
	}
	along := make([]float64, len(times))
	for i := 1; i <= last; i++ {
		along[i] = along[i-1] + geo.DistanceHaversine(times[i-1].Stop.Point, times[i].Stop.Point)
	}
	start, span := times[0].Departure, float64(times[last].Arrival-times[0].Departure)
	for i := 1; i < last; i++ {
		share := float64(i) / float64(last) // all stops may be at one place
		if along[last] > 0 {
			share = along[i] / along[last]
		}
		t := start + Time(share*span)
		times[i].Arrival, times[i].Departure = t, t
	}
}
