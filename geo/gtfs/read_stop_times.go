package gtfs

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb/geo"
)

// callRow is a stop time before it is with its trip.
type callRow struct {
	StopTime
	trip  int32
	line  int32
	timed bool
}

type callColumns struct{ trip, stop, sequence, arrival, departure, dist, pickup, dropOff column }

// readStopTimes reads all rows in the order they come and then lays them out trip by trip in one
// array: two passes, but no trip grows a slice of its own.
func (l *loader) readStopTimes() error {
	var rows []callRow
	err := l.table("stop_times.txt", func(t *table) {
		c := callColumns{
			trip: t.need("trip_id"), stop: t.need("stop_id"), sequence: t.need("stop_sequence"),
			arrival: t.need("arrival_time"), departure: t.need("departure_time"), dist: t.column("shape_dist_traveled"),
			pickup: t.column("pickup_type"), dropOff: t.column("drop_off_type"),
		}
		for t.next() {
			rows = append(rows, l.call(t, &c))
		}
	})
	if err != nil {
		return err
	}
	sortCalls(rows)
	return l.layOut(rows)
}

// sortCalls orders by trip and sequence; most feeds come so, which one pass finds out.
func sortCalls(rows []callRow) {
	order := func(a, b callRow) int {
		return cmp.Or(cmp.Compare(a.trip, b.trip), cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.line, b.line))
	}
	if !slices.IsSortedFunc(rows, order) {
		slices.SortFunc(rows, order)
	}
}

func (l *loader) call(t *table, c *callColumns) callRow {
	r := callRow{line: int32(t.line())}
	r.trip, r.Stop = l.tripOf(t, c.trip), l.stopOf(t, c.stop)
	r.Sequence = int32(t.integerNeeded(c.sequence, 0, math.MaxInt32))
	r.Dist = t.dist(c.dist)
	r.Pickup, r.DropOff = t.choice(c.pickup, 3), t.choice(c.dropOff, 3)
	r.setTimes(t, c)
	return r
}

func (l *loader) tripOf(t *table, c column) int32 {
	i, known := l.trips[t.text(c)]
	if !known {
		t.fail(c, "names the unknown trip %q", t.text(c))
	}
	return i
}

func (l *loader) stopOf(t *table, c column) *Stop {
	s := l.stops[t.text(c)]
	switch {
	case s == nil:
		t.fail(c, "names the unknown stop %q", t.text(c))
	case s.Kind != Platform:
		t.fail(c, "stop %q is no platform (location_type 0)", s.ID)
	}
	return s
}

// setTimes takes one time for both where only one is given.
func (r *callRow) setTimes(t *table, c *callColumns) {
	arrival, ok1 := t.time(c.arrival)
	departure, ok2 := t.time(c.departure)
	switch {
	case ok1 && !ok2:
		departure = arrival
	case ok2 && !ok1:
		arrival = departure
	case ok1 && departure < arrival:
		t.fail(c.departure, "must not be before arrival_time")
	}
	r.Arrival, r.Departure = arrival, departure
	r.timed, r.Estimated = ok1 || ok2, !ok1 && !ok2
}

// layOut gives every trip its part of one array.
func (l *loader) layOut(rows []callRow) error {
	all := make([]StopTime, len(rows))
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].trip == rows[from].trip {
			to++
		}
		if err := finishTrip(rows[from:to]); err != nil {
			return err
		}
		for i := from; i < to; i++ {
			all[i] = rows[i].StopTime
		}
		l.feed.Trips[rows[from].trip].StopTimes = all[from:to:to]
		from = to
	}
	return nil
}

// finishTrip checks one trip's rows, which are in order, and fills in the times that GTFS lets a
// feed leave out between timed stops.
func finishTrip(rows []callRow) error {
	last := len(rows) - 1
	for _, i := range [...]int{0, last} {
		if !rows[i].timed {
			return rows[i].bad("arrival_time", "is required at the first and the last stop of a trip")
		}
	}
	timed := 0
	for i := 1; i <= last; i++ {
		if rows[i].Sequence == rows[i-1].Sequence {
			return rows[i].bad("stop_sequence", "is there twice in its trip")
		}
		if !rows[i].timed {
			continue
		}
		if rows[i].Arrival < rows[timed].Departure {
			return rows[i].bad("arrival_time", "must not be before the departure from the stop before")
		}
		interpolate(rows[timed : i+1])
		timed = i
	}
	return nil
}

// interpolate spreads the time between the two timed ends by distance from stop to stop.
func interpolate(rows []callRow) {
	last := len(rows) - 1
	if last < 2 {
		return
	}
	along := make([]float64, len(rows))
	for i := 1; i <= last; i++ {
		along[i] = along[i-1] + geo.DistanceHaversine(rows[i-1].Stop.Point, rows[i].Stop.Point)
	}
	start, span := rows[0].Departure, float64(rows[last].Arrival-rows[0].Departure)
	for i := 1; i < last; i++ {
		share := float64(i) / float64(last) // for stops that all stand at one place
		if along[last] > 0 {
			share = along[i] / along[last]
		}
		t := start + Time(share*span)
		rows[i].Arrival, rows[i].Departure = t, t
	}
}

func (r *callRow) bad(field, rule string) error {
	return &Error{File: "stop_times.txt", Line: int(r.line), Field: field, Rule: rule}
}
