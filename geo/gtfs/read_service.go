package gtfs

import (
	"slices"
	"time"
	"unsafe"
)

// readServices reads the service days from calendar.txt, calendar_dates.txt, or both.
func (l *loader) readServices() error {
	if !l.has("calendar.txt") && !l.has("calendar_dates.txt") {
		return &Error{
			File: "calendar.txt", Rule: "the file is required without calendar_dates.txt", code: codeMissingCalendar,
		}
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

// readCalendar reads the weekly services. A service whose days are not valid keeps those of calendar_dates.txt.
func (l *loader) readCalendar(t *table) {
	id, start, end := t.require("service_id"), t.require("start_date"), t.require("end_date")
	var days [7]column
	for d, name := range weekdayNames {
		days[d] = t.expect(name, "no service runs on this day of the week")
	}
	for t.next() {
		s := &Service{ID: t.id(id), Start: t.period(start), End: t.period(end)}
		for d, c := range days {
			v, given := t.integer(c, 0, 1, codeUnexpectedEnum, "is taken as 0")
			if !given && t.text(c) == "" {
				t.blank(c, "is taken as 0")
			}
			s.Weekdays[d] = v == 1
		}
		if l.services[s.ID] != nil {
			t.leaveOut(codeDuplicateKey, id, "duplicate id %q", s.ID)
		}
		if t.rowFailed {
			continue
		}
		if s.Start != 0 && s.End != 0 && s.End < s.Start {
			t.find(SeverityError, codeOutOfOrder, end, noWeek, "must not be before start_date")
			s.Start, s.End = 0, 0
		}
		if s.Start == 0 || s.End == 0 {
			s.Start, s.End, s.Weekdays = 0, 0, [7]bool{}
		}
		l.addService(t, s)
	}
}

// noWeek is what is done with a service without a valid period.
const noWeek = "the service runs on the days of calendar_dates.txt only"

// period returns the first or the last day of a service, or 0 if it is not valid.
func (t *table) period(c column) Date {
	d, err := t.parseDate(c)
	if err != nil {
		t.find(SeverityError, codeInvalidDate, c, noWeek, "%s", err)
	}
	return d
}

// weekdayNames are the weekday columns of calendar.txt, by time.Weekday.
var weekdayNames = [7]string{
	time.Sunday: "sunday", time.Monday: "monday", time.Tuesday: "tuesday", time.Wednesday: "wednesday",
	time.Thursday: "thursday", time.Friday: "friday", time.Saturday: "saturday",
}

func (l *loader) addService(t *table, s *Service) {
	if !t.hold(unsafe.Sizeof(*s) + mapEntry + reference) {
		return
	}
	l.services[s.ID] = s
	l.feed.Services = append(l.feed.Services, s)
}

// maxExceptions bounds the exceptions of one service: more than ten years of days.
const maxExceptions = 4000

func (l *loader) readExceptions(t *table) {
	id, date, kind := t.require("service_id"), t.require("date"), t.require("exception_type")
	for t.next() {
		day, err := t.parseDate(date)
		if err != nil {
			t.leaveOut(codeInvalidDate, date, "%s", err)
		}
		added := t.requireInteger(kind, 1, 2) == 1
		if t.checkID(id); t.rowFailed {
			continue
		}
		s := l.services[t.ref(id)]
		if s == nil {
			s = &Service{ID: t.id(id)}
			l.addService(t, s)
		}
		if len(s.Added)+len(s.Removed) >= maxExceptions {
			t.leaveOut(codeTooManyRows, id, "the service %q has more than %d exceptions", s.ID, maxExceptions)
			continue
		}
		if slices.Contains(s.Added, day) || slices.Contains(s.Removed, day) {
			t.leaveOut(codeDuplicateKey, date, "duplicate date %[2]s of service %[1]q", s.ID, day)
			continue
		}
		t.hold(2 * unsafe.Sizeof(day))
		if added {
			s.Added = append(s.Added, day)
		} else {
			s.Removed = append(s.Removed, day)
		}
	}
}
