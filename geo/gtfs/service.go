package gtfs

import (
	"cmp"
	"slices"
	"time"
)

// Service is a set of days: a weekly pattern between two days, and exceptions to it.
type Service struct {
	ID         string
	Weekdays   [7]bool // by time.Weekday
	Start, End Date    // both days belong; zero when only calendar_dates.txt names the service
	Added      []Date  // sorted
	Removed    []Date  // sorted
}

// Active reports whether the service runs on day d.
func (s *Service) Active(d Date) bool {
	if has(s.Removed, d) {
		return false
	}
	weekly := s.Start != 0 && s.Start <= d && d <= s.End && s.Weekdays[d.Weekday()]
	return weekly || has(s.Added, d)
}

func has(days []Date, d Date) bool {
	_, found := slices.BinarySearch(days, d)
	return found
}

// Period returns the first and the last day that any service names, or zeros when none does.
func (f *Feed) Period() (first, last Date) {
	for _, s := range f.Services {
		days := slices.Clone(s.Added)
		if s.Start != 0 {
			days = append(days, s.Start, s.End)
		}
		for _, d := range days {
			if first == 0 || d < first {
				first = d
			}
			last = max(last, d)
		}
	}
	return first, last
}

// TripsOn returns the trips whose service runs on day d, in the feed's order.
func (f *Feed) TripsOn(d Date) []*Trip {
	active := make(map[*Service]bool, len(f.Services))
	for _, s := range f.Services {
		active[s] = s.Active(d)
	}
	var trips []*Trip
	for _, t := range f.Trips {
		if active[t.Service] {
			trips = append(trips, t)
		}
	}
	return trips
}

// Run is one journey on one day: a trip, or one of the departures that its frequencies make of it.
type Run struct {
	Trip  *Trip
	Day   Date
	Start Time // departure from the first stop
}

// shift is how much later than its stop times say the run goes.
func (r *Run) shift() Time { return r.Start - r.Trip.StopTimes[0].Departure }

// Arrival returns when the run reaches its i-th stop, as a time of its service day.
func (r *Run) Arrival(i int) Time { return r.Trip.StopTimes[i].Arrival + r.shift() }

// Departure returns when the run leaves its i-th stop, as a time of its service day.
func (r *Run) Departure(i int) Time { return r.Trip.StopTimes[i].Departure + r.shift() }

// End returns the arrival at the last stop.
func (r *Run) End() Time { return r.Arrival(len(r.Trip.StopTimes) - 1) }

// Time returns the instant of service time t on the run's day.
func (r *Run) Time(t Time) time.Time { return r.Day.At(t, r.Trip.Route.Agency.Location) }

// Runs returns every journey of day d by departure. Trips with fewer than two stops go nowhere and
// are left out.
func (f *Feed) Runs(d Date) []Run {
	var runs []Run
	for _, t := range f.TripsOn(d) {
		if len(t.StopTimes) >= 2 {
			runs = t.appendRuns(runs, d)
		}
	}
	slices.SortStableFunc(runs, func(a, b Run) int { return cmp.Compare(a.Start, b.Start) })
	return runs
}

func (t *Trip) appendRuns(runs []Run, d Date) []Run {
	if len(t.Frequencies) == 0 {
		return append(runs, Run{Trip: t, Day: d, Start: t.StopTimes[0].Departure})
	}
	for _, q := range t.Frequencies {
		for start := q.Start; start < q.End; start += q.Headway {
			runs = append(runs, Run{Trip: t, Day: d, Start: start})
		}
	}
	return runs
}
