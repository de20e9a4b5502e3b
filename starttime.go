package nhip

import "strings"

// maxStartHour is the largest hour of a start time: GTFS counts on after midnight of the service day.
const maxStartHour = 99

// ParseStartTime returns the hour and the minute of a trip's start time, which is written as HH:MM or HH:MM:SS (GTFS
// allows H:MM:SS, too). ok is false if s is something else, such as "".
func ParseStartTime(s string) (hour, minute int, ok bool) {
	hours, rest, found := strings.Cut(s, ":")
	minutes, seconds, hasSeconds := strings.Cut(rest, ":")
	hour, okHour := parseDigits(hours, 1, maxStartHour)
	minute, okMinute := parseDigits(minutes, 2, 59)
	_, okSecond := parseDigits(seconds, 2, 59)
	return hour, minute, found && okHour && okMinute && (okSecond || !hasSeconds)
}

// parseDigits parses a number of one or two ASCII digits, at least as many as given.
func parseDigits(s string, digits, highest int) (n int, ok bool) {
	if len(s) < digits || len(s) > 2 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n <= highest
}
