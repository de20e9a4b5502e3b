package nhip

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParsePeriod parses an averaging period: a whole number and one of s, m, h, d ("30s", "5m", "1h", "1d"). The error is
// an *Error for the field "period".
func ParsePeriod(s string) (time.Duration, error) {
	if len(s) >= 2 {
		unit := periodUnit(s[len(s)-1])
		n, err := strconv.Atoi(s[:len(s)-1])
		if unit > 0 && err == nil && n > 0 && n <= int(MaxPeriod/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, Errorf(CodeOutOfRange, "period", `must be a whole number of s, m, h or d up to 366 days, as in "1h", got %q`,
		s)
}

// FormatPeriod formats a period in the largest of h, m, s that divides it; days are written in hours. Tags and answers
// use this spelling only.
func FormatPeriod(d time.Duration) string {
	for _, u := range [...]byte{'h', 'm'} {
		if d%periodUnit(u) == 0 {
			return strconv.FormatInt(int64(d/periodUnit(u)), 10) + string(u)
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

func periodUnit(c byte) time.Duration {
	switch c {
	case 's':
		return time.Second
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	}
	return 0
}

// FormatDuration formats a duration for people without units that are zero: "5m", "1h30m", "90ms"; "0s" for none.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// formatDays formats whole days as days and anything else as FormatDuration does.
func formatDays(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return FormatDuration(d)
}

// MaxPeriod is the longest accepted averaging period.
const MaxPeriod = 366 * 24 * time.Hour
