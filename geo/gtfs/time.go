package gtfs

import (
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // feeds need time zones even if the machine has no database of them
)

// Time is a time of the service day in seconds. It counts from 12 hours before local noon and may exceed 24:00
// for trips that end on the next morning.
type Time int32

// maxTimeHours is the highest hour accepted: ten days, longer than any train runs.
const maxTimeHours = 240

// ParseTime parses H:MM:SS or HH:MM:SS, the time format of GTFS.
func ParseTime(s string) (Time, error) {
	t, ok := parseTime(s)
	if !ok {
		return 0, fmt.Errorf("must be a time as HH:MM:SS up to %d:00:00, got %q", maxTimeHours, s)
	}
	return t, nil
}

// parseTime avoids the time package, because a timetable has hundreds of thousands of times.
func parseTime(s string) (Time, bool) {
	n := len(s)
	if n < 7 || n > 9 || s[n-3] != ':' || s[n-6] != ':' {
		return 0, false
	}
	h, ok1 := digits(s[:n-6])
	m, ok2 := digits(s[n-5 : n-3])
	sec, ok3 := digits(s[n-2:])
	t := h*3600 + m*60 + sec
	if !ok1 || !ok2 || !ok3 || m > 59 || sec > 59 || t > maxTimeHours*3600 {
		return 0, false
	}
	return Time(t), true
}

// digits parses decimal digits. Unlike strconv.Atoi it accepts no sign.
func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// String returns the time as HH:MM:SS; the hours may exceed 24.
func (t Time) String() string {
	return fmt.Sprintf("%02d:%02d:%02d", t/3600, t/60%60, t%60)
}

// Date is a service day as the number YYYYMMDD, so that days can be compared. The zero Date is not a day.
type Date int32

// ParseDate parses YYYYMMDD.
func ParseDate(s string) (Date, error) {
	n, ok := digits(s)
	if d := Date(n); len(s) == 8 && ok && DateOf(d.noon(time.UTC)) == d {
		return d, nil
	}
	return 0, fmt.Errorf("must be a day as YYYYMMDD, got %q", s)
}

// DateOf returns the day of t in t's own time zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// String returns YYYYMMDD.
func (d Date) String() string {
	s := strconv.Itoa(int(d))
	if len(s) < 8 {
		return "00000000"[:8-len(s)] + s
	}
	return s
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.noon(time.UTC).Weekday() }

// Add returns the day a number of days later.
func (d Date) Add(days int) Date { return DateOf(d.noon(time.UTC).AddDate(0, 0, days)) }

// At returns the instant of service time t on day d in loc. GTFS counts from noon minus 12 hours, which differs
// from midnight on the days when clocks change.
func (d Date) At(t Time, loc *time.Location) time.Time {
	return d.noon(loc).Add(time.Duration(t)*time.Second - 12*time.Hour)
}

func (d Date) noon(loc *time.Location) time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 12, 0, 0, 0, loc)
}
