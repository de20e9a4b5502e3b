package gtfs

import (
	"slices"
	"time"
)

// readServices reads the days: calendar.txt, calendar_dates.txt or both.
func (l *loader) readServices() error {
	if !l.has("calendar.txt") && !l.has("calendar_dates.txt") {
		return &Error{File: "calendar.txt", Rule: "the file is required where there is no calendar_dates.txt"}
	}
	if err := l.optional("calendar.txt", l.readCalendar); err != nil {
		return err
	}
	if err := l.optional("calendar_dates.txt", l.readExceptions); err != nil {
		return err
	}
	for _, s := range l.feed.Services {
		slices.Sort(s.Added)
		slices.Sort(s.Removed)
	}
	return nil
}

func (l *loader) readCalendar(t *table) {
	id, start, end := t.need("service_id"), t.need("start_date"), t.need("end_date")
	var days [7]column
	for d, name := range weekdayNames {
		days[d] = t.need(name)
	}
	for t.next() {
		s := &Service{ID: t.id(id), Start: t.date(start), End: t.date(end)}
		for d, c := range days {
			s.Weekdays[d] = t.integerNeeded(c, 0, 1) == 1
		}
		if s.End < s.Start {
			t.fail(end, "must not be before start_date")
		}
		if l.services[s.ID] != nil {
			t.fail(id, "%q is there twice", s.ID)
		}
		l.addService(s)
	}
}

// weekdayNames are the columns of calendar.txt by time.Weekday.
var weekdayNames = [7]string{
	time.Sunday: "sunday", time.Monday: "monday", time.Tuesday: "tuesday", time.Wednesday: "wednesday",
	time.Thursday: "thursday", time.Friday: "friday", time.Saturday: "saturday",
}

func (l *loader) addService(s *Service) {
	l.services[s.ID] = s
	l.feed.Services = append(l.feed.Services, s)
}

func (l *loader) readExceptions(t *table) {
	id, date, kind := t.need("service_id"), t.need("date"), t.need("exception_type")
	for t.next() {
		name, day := t.id(id), t.date(date)
		if l.services[name] == nil {
			l.addService(&Service{ID: name})
		}
		s := l.services[name]
		if slices.Contains(s.Added, day) || slices.Contains(s.Removed, day) {
			t.fail(date, "service %q has %s twice", name, day)
		}
		if t.integerNeeded(kind, 1, 2) == 1 {
			s.Added = append(s.Added, day)
		} else {
			s.Removed = append(s.Removed, day)
		}
	}
}

func (l *loader) readTrips() error {
	return l.table("trips.txt", func(t *table) {
		c := tripColumns{
			id: t.need("trip_id"), route: t.need("route_id"), service: t.need("service_id"),
			shape: t.column("shape_id"), headsign: t.column("trip_headsign"), short: t.column("trip_short_name"),
			direction: t.column("direction_id"), block: t.column("block_id"),
		}
		for t.next() {
			trip := l.trip(t, &c)
			if _, twice := l.trips[trip.ID]; twice {
				t.fail(c.id, "%q is there twice", trip.ID)
			}
			l.trips[trip.ID] = int32(len(l.feed.Trips))
			l.feed.Trips = append(l.feed.Trips, trip)
		}
	})
}

func (l *loader) readFrequencies() error {
	return l.optional("frequencies.txt", func(t *table) {
		id, start, end := t.need("trip_id"), t.need("start_time"), t.need("end_time")
		headway, exact := t.need("headway_secs"), t.column("exact_times")
		for t.next() {
			q := Frequency{
				Start: t.timeNeeded(start), End: t.timeNeeded(end),
				Headway: Time(t.integerNeeded(headway, 1, maxTimeHours*3600)), Exact: t.choice(exact, 1) == 1,
			}
			if q.End <= q.Start {
				t.fail(end, "must be after start_time")
			}
			i, known := l.trips[t.text(id)]
			if !known {
				t.fail(id, "names the unknown trip %q", t.text(id))
				return
			}
			trip := l.feed.Trips[i]
			trip.Frequencies = append(trip.Frequencies, q)
		}
	})
}
