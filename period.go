package nhip

import (
	"strconv"
	"time"
)

// ParsePeriod reads an averaging period: a whole number and one of s, m, h, d ("30s", "5m", "1h",
// "1d"). The error is an *Error for the field "period".
func ParsePeriod(s string) (time.Duration, error) {
	if len(s) >= 2 {
		unit := periodUnit(s[len(s)-1])
		n, err := strconv.Atoi(s[:len(s)-1])
		if unit > 0 && err == nil && n > 0 && n <= int(MaxPeriod/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, Errorf(OutOfRange, "period", `must be a whole number of s, m, h or d up to 366 days, as in "1h", got %q`, s)
}

// FormatPeriod writes a period in the largest of h, m, s that divides it, as ParsePeriod reads it;
// days are written in hours. It is the one spelling of a period in tags and answers.
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
