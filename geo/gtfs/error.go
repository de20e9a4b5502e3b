package gtfs

import (
	"strconv"
	"strings"
)

// Error is one fault of a feed.
type Error struct {
	File  string // "stop_times.txt"
	Line  int    // 1 is the header; 0 means the whole file
	Field string // column; empty means the whole row
	Rule  string // the violated rule, one clause without a full stop

	code  string // of the finding
	bound bool   // a bound of memory or size, which refuses the timetable whatever the file
}

// Error returns "file:line: field: rule" with the parts that are set.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s + ": " + e.Rule
}

// maxShown bounds the part of a text that a fault repeats, bytes.
const maxShown = 300

// clip returns the beginning of a text.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
