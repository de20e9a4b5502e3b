package decode

import "time"

// parseTime parses RFC 3339 strictly, which time.Parse does not, and without the memory that time.Parse allocates for
// each offset other than Z.
func parseTime(b []byte) (time.Time, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	century, year, month, day := digits2(b), digits2(b[2:]), digits2(b[5:]), digits2(b[8:])
	hour, minute, second := digits2(b[11:]), digits2(b[14:]), digits2(b[17:])
	if min(century, year, month-1, day-1, hour, minute, second) < 0 {
		return time.Time{}, false
	}
	year += 100 * century
	if month > 12 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	millis, rest, ok1 := fraction(b[19:])
	offset, ok2 := offset(rest)
	t := time.Date(year, time.Month(month), day, hour, minute, second, millis*int(time.Millisecond), time.UTC)
	return t.Add(-offset), ok1 && ok2
}

// digits2 parses two decimal digits, and returns -1 for other characters. b must have at least two bytes.
func digits2(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return -1
	}
	return int(tens)*10 + int(ones)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// fraction parses the fraction of a second, if there is one, truncated to milliseconds.
func fraction(b []byte) (millis int, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	n, weight := 1, 100
	for ; n < len(b) && b[n]-'0' <= 9; n++ {
		millis += weight * int(b[n]-'0')
		weight /= 10
	}
	return millis, b[n:], n > 1
}

// offset parses "Z" or an offset from UTC such as "+07:00".
func offset(b []byte) (time.Duration, bool) {
	if len(b) == 1 {
		return 0, b[0] == 'Z'
	}
	if len(b) != len("+07:00") || b[3] != ':' || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, minutes := digits2(b[1:]), digits2(b[4:])
	if min(hours, minutes) < 0 || hours > 23 || minutes > 59 {
		return 0, false
	}
	ahead := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if b[0] == '-' {
		ahead = -ahead
	}
	return ahead, true
}
