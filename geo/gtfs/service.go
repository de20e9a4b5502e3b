package gtfs

import (
	"cmp"
	"slices"
	"time"
)

// Active reports whether the service operates on day d.
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

// Period returns the first and the last day of all services, or zeros if there are none.
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

// last returns the last day on which the service operates, or 0 if it never does.
func (s *Service) last() Date {
	last := Date(0)
	for _, d := range s.Added {
		if !has(s.Removed, d) {
			last = d
		}
	}
	if s.Start == 0 || s.Weekdays == [7]bool{} {
		return last
	}
	for d := s.End; d >= s.Start && d > last; d = d.Add(-1) { // at most a week for each day that is removed
		if s.Active(d) {
			return d
		}
	}
	return last
}

// LastService returns the last day on which a trip runs, or 0 if none ever does. It may be much earlier than the end
// of the calendars: they may have no days of the week, or all of their last days removed, or no trips.
func (f *Feed) LastService() Date {
	last := Date(0)
	seen := make(map[*Service]bool, len(f.Services))
	for _, t := range f.Trips {
		if len(t.StopTimes) < 2 || seen[t.Service] {
			continue
		}
		seen[t.Service] = true
		last = max(last, t.Service.last())
	}
	return last
}

// Expires returns the last day on which the timetable is valid: the end date of feed_info.txt or the last day with
// service, whichever is earlier. Of merged feeds it is the first of their last days.
func (f *Feed) Expires() Date {
	if f.ends != 0 {
		return f.ends
	}
	last := f.LastService()
	if last == 0 { // it runs on demand, or never
		_, last = f.Period()
	}
	if f.Info != nil && f.Info.End != 0 && (last == 0 || f.Info.End < last) {
		return f.Info.End
	}
	return last
}

// TripsOn returns the trips that operate on day d, in the feed's order.
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

// TripInstance is one journey on one day: a trip, or one departure of a trip with frequencies.
type TripInstance struct {
	Trip  *Trip
	Day   Date
	Start Time // departure from the first stop
}

// offset is the difference between the instance's times and the trip's stop times.
func (r *TripInstance) offset() Time { return r.Start - r.Trip.StopTimes[0].Departure }

// Arrival returns when the vehicle reaches the i-th stop, as a time of the service day.
func (r *TripInstance) Arrival(i int) Time { return r.Trip.StopTimes[i].Arrival + r.offset() }

// Departure returns when the vehicle leaves the i-th stop, as a time of the service day.
func (r *TripInstance) Departure(i int) Time { return r.Trip.StopTimes[i].Departure + r.offset() }

// End returns the arrival time at the last stop.
func (r *TripInstance) End() Time { return r.Arrival(len(r.Trip.StopTimes) - 1) }

// Time returns the instant of service time t on the instance's day.
func (r *TripInstance) Time(t Time) time.Time { return r.Day.At(t, r.Trip.Route.Agency.Location) }

// TripInstances returns all journeys of day d, sorted by departure. Trips with fewer than two stops are left out.
func (f *Feed) TripInstances(d Date) []TripInstance {
	var instances []TripInstance
	for _, t := range f.TripsOn(d) {
		if len(t.StopTimes) >= 2 {
			instances = t.appendInstances(instances, d)
		}
	}
	slices.SortStableFunc(instances, func(a, b TripInstance) int { return cmp.Compare(a.Start, b.Start) })
	return instances
}

func (t *Trip) appendInstances(instances []TripInstance, d Date) []TripInstance {
	if len(t.Frequencies) == 0 {
		return append(instances, TripInstance{Trip: t, Day: d, Start: t.StopTimes[0].Departure})
	}
	for _, q := range t.Frequencies {
		for start := q.Start; start < q.End; start += q.Headway {
			instances = append(instances, TripInstance{Trip: t, Day: d, Start: start})
		}
	}
	return instances
}
