package officetable

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nhip/collector/decode"
)

// stamp is the time in a cell as it is written.
type stamp struct {
	instant   time.Time // of Unix times
	numbers   [3]int    // of the date, in the order of the text
	yearFirst bool
	shortYear bool
	clock     time.Duration // time of day, up to 24 h
	hasClock  bool
	offset    string // "Z" or as in "+07:00"; "": local time
}

var (
	dateForm  = `(\d{1,4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,4})`
	clockForm = `(\d{1,2})(?:\s*(?:[:hg]|gio)\s*(?:(\d{1,2})(?:\s*[:mp]\s*(\d{1,2})(?:[.,]\d+)?)?)?[mps]?)?` +
		`\s*(am|pm|sa|ch|a\.m\.|p\.m\.)?\s*(z|utc|[+-]\d{2}:?\d{2})?`
	dateFirst  = regexp.MustCompile(`^` + dateForm + `(?:[\st,;]+` + clockForm + `)?$`)
	clockFirst = regexp.MustCompile(`^` + clockForm + `[\s,;]+(?:ngay\s+)?` + dateForm + `$`)
	digitsOnly = regexp.MustCompile(`^\d{8,14}$`)
	unixForm   = regexp.MustCompile(`^\d{9,10}\.\d+$`)
)

// parseStamp parses a time: dates with four digits of the year first or last, with or without a time of day before or
// after, compact forms as in 202602160800, and Unix seconds or milliseconds.
func parseStamp(received string) (s stamp, err error) {
	text := fold(received)
	if digitsOnly.MatchString(text) {
		return parseDigits(text)
	}
	if unixForm.MatchString(text) {
		seconds, _, _ := strings.Cut(text, ".")
		return unixStamp(seconds, time.Second)
	}
	if m := dateFirst.FindStringSubmatch(text); m != nil {
		return newStamp(m[1:4], m[4:9])
	}
	if m := clockFirst.FindStringSubmatch(text); m != nil {
		return newStamp(m[6:9], m[1:6])
	}
	return s, errors.New("must be a date and time, as in 16/02/2026 08:00, got " + quote(received))
}

// parseDigits parses 20260216, 2026021608, 202602160800, 20260216080000, Unix seconds and milliseconds. Unix seconds
// of ten digits that begin with 20 are after 2033.
func parseDigits(text string) (stamp, error) {
	year, _ := strconv.Atoi(text[:4])
	calendar := year >= 1900 && year < 2100 && text[4:6] <= "12" && text[6:8] <= "31"
	switch n := len(text); {
	case calendar && (n == 8 || n == 10 || n == 12 || n == 14):
		clock := []string{"", "", "", "", ""}
		for i := 8; i < n; i += 2 {
			clock[(i-8)/2] = text[i : i+2]
		}
		return newStamp([]string{text[:4], text[4:6], text[6:8]}, clock)
	case n == 9 || n == 10:
		return unixStamp(text, time.Second)
	case n == 12 || n == 13:
		return unixStamp(text, time.Millisecond)
	}
	return stamp{}, errors.New("must be a date and time, as in 16/02/2026 08:00, got " + quote(text))
}

func unixStamp(text string, unit time.Duration) (stamp, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return stamp{instant: time.Unix(0, n*int64(unit)).UTC(), hasClock: true}, err
}

func newStamp(date, clock []string) (s stamp, err error) {
	for i, text := range date {
		s.numbers[i], _ = strconv.Atoi(text) // digits only
	}
	s.yearFirst = len(date[0]) == 4
	s.shortYear = !s.yearFirst && len(date[2]) <= 2
	if len(date[0]) == 3 || len(date[2]) == 3 || s.yearFirst && len(date[2]) > 2 {
		return s, errors.New("must be a date, as in 16/02/2026, got " + strings.Join(date, "/"))
	}
	if clock[0] == "" {
		return s, nil
	}
	return s, s.setClock(clock)
}

func (s *stamp) setClock(clock []string) error {
	hour, _ := strconv.Atoi(clock[0]) // digits only, or ""
	minute, _ := strconv.Atoi(clock[1])
	second, _ := strconv.Atoi(clock[2])
	if half := clock[3]; half != "" {
		if hour < 1 || hour > 12 {
			return fmt.Errorf("%d %s is not a time of day", hour, half)
		}
		hour %= 12
		if half[0] == 'p' || half == "ch" { // chiều
			hour += 12
		}
	}
	s.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if s.clock > 24*time.Hour || minute > 59 || second > 59 {
		return fmt.Errorf("%02d:%02d:%02d is not a time of day", hour, minute, second)
	}
	s.hasClock, s.offset = true, offsetOf(clock[4])
	return nil
}

func offsetOf(text string) string {
	switch {
	case text == "z" || text == "utc":
		return "Z"
	case len(text) == len("+0700"):
		return text[:3] + ":" + text[3:]
	}
	return text
}

// at returns the instant, for a date in the given order.
func (s *stamp) at(order string, zone *time.Location) (time.Time, error) {
	if !s.instant.IsZero() {
		return s.instant, nil
	}
	y, m, d := s.numbers[2], s.numbers[1], s.numbers[0]
	switch {
	case s.yearFirst || s.shortYear && order == "ymd":
		y, m, d = s.numbers[0], s.numbers[1], s.numbers[2]
	case order == "mdy":
		m, d = s.numbers[0], s.numbers[1]
	}
	if s.shortYear {
		y += 2000
	}
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if day.Day() != d || int(day.Month()) != m {
		return day, fmt.Errorf("%04d-%02d-%02d is not a date", y, m, d)
	}
	return decode.LocalTime(day.Add(s.clock).Format("2006-01-02T15:04:05")+s.offset, zone)
}

// timeText returns the time of a row, whose date and time of day may be in two columns.
func (t *Table) timeText(l *line) string {
	if t.columns.time >= 0 {
		return l.text(t.columns.time)
	}
	date := l.text(t.columns.date)
	if t.columns.hour < 0 || l.text(t.columns.hour) == "" {
		return date
	}
	if day, midnight, ok := strings.Cut(date, " "); ok && strings.Trim(midnight, "0:") == "" {
		date = day // a date of a spreadsheet, shown with its time of day
	}
	return date + " " + l.text(t.columns.hour)
}

// findOrder determines the order of the dates from all of them, whether they have times of day, and whether the zone is
// known.
func (t *Table) findOrder() error {
	var seen struct{ dayFirst, monthFirst, unclear, short, local string }
	clocks, midnights, total := 0, 0, 0
	for i := range t.rows {
		text := t.timeText(&t.rows[i])
		s, err := parseStamp(text)
		if err != nil {
			continue
		}
		total++
		if s.hasClock {
			clocks++
		}
		if s.hasClock && s.clock == 0 && s.instant.IsZero() {
			midnights++
		}
		if !s.instant.IsZero() {
			continue
		}
		if s.offset == "" {
			seen.local = text
		}
		switch a, b := s.numbers[0], s.numbers[1]; {
		case s.yearFirst:
		case s.shortYear:
			seen.short = text
		case a > 12 && b <= 12:
			seen.dayFirst = text
		case b > 12 && a <= 12:
			seen.monthFirst = text
		case a != b:
			seen.unclear = text
		}
	}
	if total == 0 && len(t.rows) > 0 {
		return fmt.Errorf("line %d: no row has a time that can be read, as in 16/02/2026 08:00: %s", t.rows[0].number,
			quote(t.timeText(&t.rows[0])))
	}
	t.daily = clocks == 0 || total > 1 && midnights == total && t.o.Period == 0 && t.rows[0].cells != nil &&
		t.allMidnight()
	switch {
	case t.o.DateOrder != "":
		t.order = t.o.DateOrder
	case seen.short != "":
		return fmt.Errorf("the year of %s has two digits: set --date-order to dmy, mdy or ymd", quote(seen.short))
	case seen.dayFirst != "" && seen.monthFirst != "":
		return fmt.Errorf("dates have two orders, as in %s and %s: set --date-order to dmy or mdy",
			quote(seen.dayFirst), quote(seen.monthFirst))
	case seen.monthFirst != "":
		t.order = "mdy"
	case seen.dayFirst == "" && seen.unclear != "":
		return fmt.Errorf("%s may be day/month or month/day: set --date-order to dmy or mdy", quote(seen.unclear))
	default:
		t.order = "dmy"
	}
	if seen.local != "" && t.o.Zone == nil {
		return fmt.Errorf("%s has no offset from UTC: set --zone, as in --zone Asia/Ho_Chi_Minh", quote(seen.local))
	}
	t.noteTimes(seen.local != "", seen.dayFirst+seen.monthFirst+seen.unclear+seen.short != "")
	return nil
}

// allMidnight reports whether the dates are those of days: different ones, at midnight, in a workbook, which shows a
// day so.
func (t *Table) allMidnight() bool {
	at := t.columns.time
	if at < 0 {
		at = t.columns.date
	}
	return t.columns.hour < 0 && t.rows[0].cell(at).numeric
}

// noteTimes notes how times are understood: whether they are local, and whether they have an order of dates.
func (t *Table) noteTimes(local, ordered bool) {
	note := "times: the end of the averaging period"
	switch {
	case t.daily:
		note = "times: whole days"
	case t.o.Beginning:
		note = "times: the beginning of the averaging period"
	}
	if ordered {
		note += ", dates in the order " + t.order
	}
	if local {
		note += ", local time of " + t.o.Zone.String()
	}
	t.notes = append(t.notes, note)
}

// end returns the END and the length of the averaging period of a row.
func (t *Table) end(l *line) (end time.Time, period time.Duration, err error) {
	s, err := parseStamp(t.timeText(l))
	if err != nil {
		return end, 0, fmt.Errorf("time: %w", err)
	}
	if t.daily && s.clock == 0 {
		s.clock, s.hasClock = 24*time.Hour, true
		end, err = s.at(t.order, t.o.Zone)
		period = 24 * time.Hour
	} else {
		if !s.hasClock {
			return end, 0, errors.New("time: has no time of day, which other rows have: " + quote(t.timeText(l)))
		}
		period = t.o.Period
		if period == 0 {
			period = time.Hour
		}
		end, err = s.at(t.order, t.o.Zone)
		if t.o.Beginning {
			end = end.Add(period)
		}
	}
	if err != nil {
		return end, 0, fmt.Errorf("time: %w", err)
	}
	return end.UTC(), period, nil
}
