package sim

import (
	"time"

	"nhip/geo/gtfs"
)

// world is the state that all buses share.
type world struct {
	seed     uint64
	plane    plane
	loc      *time.Location
	dispatch dispatcher
}

// second returns the local second of the day.
func (w *world) second(unix int64) float64 {
	_, offset := time.Unix(unix, 0).In(w.loc).Zone()
	return float64((unix + int64(offset)) % day)
}

// date returns the local day.
func (w *world) date(unix int64) gtfs.Date { return gtfs.DateOf(time.Unix(unix, 0).In(w.loc)) }

// dispatcher assigns journeys to buses.
type dispatcher interface {
	// place puts the buses where they would be at now if they had been running all day.
	place(buses []*bus, now int64)
	// next assigns a new journey to a bus that has completed one.
	next(b *bus, now int64)
	// check returns an error if there can be no trips at now.
	check(now int64) error
}

// journey is one ride along a pattern with a trip's stop times.
type journey struct {
	pattern *pattern
	trip    *gtfs.Trip
	day     gtfs.Date // service day; 0 for extra service, which only uses the trip's times
	start   int64     // scheduled departure, Unix seconds
}

// arrival returns the scheduled arrival at stop i in Unix seconds.
func (j *journey) arrival(i int) int64 {
	calls := j.trip.StopTimes
	return j.start + int64(calls[i].Arrival-calls[0].Departure)
}

// departure returns the scheduled departure from stop i in Unix seconds.
func (j *journey) departure(i int) int64 {
	calls := j.trip.StopTimes
	return j.start + int64(calls[i].Departure-calls[0].Departure)
}

// last returns the index of the last stop.
func (j *journey) last() int { return len(j.trip.StopTimes) - 1 }

// duration returns a trip's scheduled duration in seconds.
func duration(t *gtfs.Trip) int64 {
	return int64(t.StopTimes[len(t.StopTimes)-1].Arrival - t.StopTimes[0].Departure)
}
