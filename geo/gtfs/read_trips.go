package gtfs

import (
	"fmt"
	"unsafe"

	"nhip"
)

func (l *loader) readTrips() error {
	var slab []Trip // trips are allocated together
	return l.table("trips.txt", func(t *table) {
		c := tripColumns{
			id: t.require("trip_id"), route: t.require("route_id"), service: t.require("service_id"),
			shape: t.column("shape_id"), headsign: t.column("trip_headsign"), short: t.column("trip_short_name"),
			direction: t.column("direction_id"), block: t.column("block_id"),
		}
		for t.next() {
			if !t.hold(unsafe.Sizeof(Trip{}) + mapEntry + reference) {
				return
			}
			if len(slab) == 0 {
				slab = make([]Trip, tripSlab)
			}
			trip := &slab[0]
			l.trip(t, &c, trip)
			if _, twice := l.trips[trip.ID]; twice {
				t.leaveOut(codeDuplicateKey, c.id, "duplicate id %q", trip.ID)
			}
			if t.rowFailed {
				continue
			}
			slab = slab[1:]
			l.trips[trip.ID] = int32(len(l.feed.Trips))
			l.feed.Trips = append(l.feed.Trips, trip)
		}
	})
}

// tripSlab is the number of trips that are allocated together.
const tripSlab = 256

type tripColumns struct{ id, route, service, shape, headsign, short, direction, block column }

// trip reads the trip of a row.
func (l *loader) trip(t *table, c *tripColumns, trip *Trip) {
	*trip = Trip{
		ID: t.id(c.id), Route: l.routes[t.ref(c.route)], Service: l.services[t.ref(c.service)],
		Headsign: t.share(c.headsign), ShortName: t.share(c.short), Block: t.share(c.block),
	}
	if trip.Route == nil {
		t.leaveOut(codeForeignKey, c.route, "refers to the unknown route %q", clip(t.text(c.route)))
	}
	if trip.Service == nil {
		t.leaveOut(codeForeignKey, c.service, "refers to the unknown service %q", clip(t.text(c.service)))
	}
	if d, given := t.integer(c.direction, 0, 1, codeUnexpectedEnum, valueLeftOut); given {
		trip.Direction = nhip.Some(d)
	}
	if id := t.ref(c.shape); id != "" {
		if trip.Shape = l.shapes[id]; trip.Shape == nil {
			t.find(SeverityWarning, codeForeignKey, c.shape, "the trip goes from stop to stop",
				"refers to the unknown shape %q", clip(id))
		}
	}
}

// Bounds of frequencies. A departure of a day needs memory like a trip, and a frequency of a second makes 86,400.
const (
	maxFrequencies = 1000 // of a trip
	maxDepartures  = 1_000_000
)

// readFrequencies reads the repetitions of trips. A trip whose times count from 0 and that has no valid repetition
// does not run.
func (l *loader) readFrequencies() error {
	without := make(map[*Trip]bool)
	err := l.optional("frequencies.txt", func(t *table) {
		id, start, end := t.require("trip_id"), t.require("start_time"), t.require("end_time")
		headway, exact := t.require("headway_secs"), t.column("exact_times")
		departures := 0
		for t.next() {
			i, known := l.trips[t.ref(id)]
			if !known {
				t.leaveOut(codeForeignKey, id, "refers to the unknown trip %q", clip(t.text(id)))
				continue
			}
			trip := l.feed.Trips[i]
			q := t.frequency(start, end, headway, exact)
			if t.rowFailed {
				without[trip] = true
				continue
			}
			if len(trip.Frequencies) >= maxFrequencies {
				t.leaveOut(codeTooManyRows, id, "the trip %q has more than %d frequencies", trip.ID, maxFrequencies)
				continue
			}
			if departures += int((q.End - q.Start) / q.Headway); departures > maxDepartures {
				t.err = &Error{
					File: t.name, Line: t.line(), Field: "headway_secs", code: codeTooManyRows, bound: true,
					Rule: fmt.Sprintf("all frequencies together make more than %d departures", maxDepartures),
				}
				return
			}
			t.hold(2 * unsafe.Sizeof(q))
			trip.Frequencies = append(trip.Frequencies, q)
		}
	})
	for _, trip := range l.feed.Trips {
		if without[trip] && len(trip.Frequencies) == 0 && len(trip.StopTimes) > 0 && trip.StopTimes[0].Departure == 0 {
			trip.StopTimes = nil
			l.findings.Add(Finding{
				SeverityError, codeWithoutTemplate, "frequencies.txt", 0, "", "the trip " + trip.ID + " has no valid frequency",
				"the trip does not run",
			})
		}
	}
	return err
}

// frequency reads the repetition of a row.
func (t *table) frequency(start, end, headway, exact column) Frequency {
	q := Frequency{
		Start: t.requireTime(start), End: t.requireTime(end),
		Headway: Time(t.requireInteger(headway, 1, maxTimeHours*3600)), Exact: t.choice(exact, 1) == 1,
	}
	if !t.rowFailed && q.End <= q.Start {
		t.leaveOut(codeOutOfOrder, end, "must be after start_time")
	}
	return q
}
