package nhip

import "time"

// Next returns the first time after another at which a schedule is due, in a time zone. A day that a month does not
// have is its last day. A time of day that a change of the clocks skips is as much later as they are put forward,
// and one
// that comes twice counts the first time only: so each day, week and month has one time.
func (s *Schedule) Next(after time.Time, zone *time.Location) time.Time {
	day := after.In(zone).AddDate(0, 0, -2) // whatever the clocks do, nothing of an earlier day is due
	for {
		if at := s.on(day, zone); !at.IsZero() && at.After(after) {
			return at
		}
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 12, 0, 0, 0, zone)
	}
}

// Latest returns the last time, after one and not after another, at which a schedule was due, and how many times there
// were.
func (s *Schedule) Latest(after, until time.Time, zone *time.Location) (latest time.Time, n int) {
	if limit := until.AddDate(-1, 0, 0); after.Before(limit) {
		after = limit // no more is counted
	}
	for at := s.Next(after, zone); !at.After(until); at = s.Next(at, zone) {
		latest = at
		n++
	}
	return latest, n
}

// on returns when a schedule is due on the local day of a time; zero if it is not.
func (s *Schedule) on(day time.Time, zone *time.Location) time.Time {
	year, month, date := day.Date()
	switch s.Every {
	case EveryWeek:
		if weekday := (int(day.Weekday())+6)%7 + 1; weekday != s.Day {
			return time.Time{}
		}
	case EveryMonth:
		last := time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day()
		if date != min(s.Day, last) {
			return time.Time{}
		}
	}
	clock, err := time.Parse("15:04", s.At)
	if err != nil {
		return time.Time{} // Validate has checked it
	}
	return localTime(year, month, date, clock.Hour(), clock.Minute(), zone)
}

// longestChange bounds by how much clocks are put back or forward, in steps of changeStep.
const (
	longestChange = 3 * time.Hour
	changeStep    = 15 * time.Minute
)

// localTime returns a time of a local day: the first of two, and one that is skipped as much later as clocks are put
// forward.
func localTime(year int, month time.Month, day, hour, minute int, zone *time.Location) time.Time {
	at := time.Date(year, month, day, hour, minute, 0, 0, zone)
	wall := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.UTC)
	}
	want := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	if early := want.Sub(wall(at)); early > 0 {
		return at.Add(early)
	}
	first := at
	for back := changeStep; back <= longestChange; back += changeStep {
		if before := at.Add(-back); wall(before).Equal(want) {
			first = before
		}
	}
	return first
}
