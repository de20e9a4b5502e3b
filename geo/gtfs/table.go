package gtfs

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"nhip"
)

// Error is one thing that is wrong with a feed.
type Error struct {
	File  string // "stop_times.txt"
	Line  int    // 1 is the header; 0 when it is the whole file
	Field string // the column; empty when it is the whole row
	Rule  string // one clause without a full stop
}

// Error returns "file:line: field: rule" with the parts that are known.
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

// table reads one file row by row. What is wrong with the file as a whole ends it: next returns false. What
// is wrong with a row is kept, its first fault only, and the next row is read all the same: whoever has to
// mend a timetable wants to know everything at once. Either way a loader asks for the error at its end.
type table struct {
	name   string
	csv    *csv.Reader
	header []string
	record []string
	err    error   // of the file
	faults []error // of rows
	bad    bool    // the present row has a fault
}

// maxFaults is how many faults of one file are told.
const maxFaults = 50

// failed returns everything that is wrong, or nil.
func (t *table) failed() error {
	if t.err == nil && len(t.faults) == 1 {
		return t.faults[0]
	}
	return errors.Join(append(slices.Clone(t.faults), t.err)...)
}

// column is the place of a column in the rows, or absent.
type column int

const absent column = -1

// byteOrderMark is what Windows programs put before UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// newTable reads the header.
func newTable(name string, r io.Reader) *table {
	br := bufio.NewReaderSize(r, 64<<10)
	if mark, _ := br.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = br.Discard(len(byteOrderMark)) // it was just peeked
	}
	t := &table{name: name, csv: csv.NewReader(br)}
	t.csv.ReuseRecord = true
	t.readHeader()
	return t
}

func (t *table) readHeader() {
	row, err := t.csv.Read()
	if err != nil {
		t.failRead(err)
		if errors.Is(err, io.EOF) {
			t.err = &Error{File: t.name, Rule: "is empty: it must have a header"}
		}
		return
	}
	seen := make(map[string]bool, len(row))
	for _, name := range row {
		name = strings.Clone(strings.TrimSpace(name))
		if seen[name] && name != "" {
			t.err = &Error{File: t.name, Line: 1, Field: name, Rule: "the column is there twice"}
			return
		}
		seen[name] = true
		t.header = append(t.header, name)
	}
}

// column returns where the named column is, or absent.
func (t *table) column(name string) column {
	for i, have := range t.header {
		if have == name {
			return column(i)
		}
	}
	return absent
}

// need is column for one that must be there.
func (t *table) need(name string) column {
	c := t.column(name)
	if c == absent && t.err == nil {
		t.err = &Error{File: t.name, Line: 1, Field: name, Rule: "the column is required"}
	}
	return c
}

// next moves to the next row.
func (t *table) next() bool {
	if t.err != nil || len(t.faults) >= maxFaults {
		return false
	}
	row, err := t.csv.Read()
	if err != nil {
		t.failRead(err)
		return false
	}
	t.record, t.bad = row, false
	return true
}

// failRead keeps what went wrong while reading; the end of the file is no error.
func (t *table) failRead(err error) {
	var parse *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
	case errors.As(err, &parse):
		t.err = &Error{File: t.name, Line: parse.StartLine, Rule: parse.Err.Error()}
	default:
		t.err = fmt.Errorf("%s: %w", t.name, err)
	}
}

// line is where the present row begins.
func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// fail keeps the first broken rule of the present row.
func (t *table) fail(c column, format string, args ...any) {
	if t.bad {
		return
	}
	t.bad = true
	e := &Error{File: t.name, Line: t.line(), Rule: fmt.Sprintf(format, args...)}
	if c != absent {
		e.Field = t.header[c]
	}
	t.faults = append(t.faults, e)
}

// text returns the value without the spaces around it; it is valid until the next row only.
func (t *table) text(c column) string {
	if c == absent {
		return ""
	}
	return strings.TrimSpace(t.record[c])
}

// keep returns a value to be kept. The copy sets it free from the rest of its row.
func (t *table) keep(c column) string {
	s := t.text(c)
	if !utf8.ValidString(s) {
		t.fail(c, "must be UTF-8, got %q", s)
	}
	return strings.Clone(s)
}

// keepNeeded is keep for a value that must be there.
func (t *table) keepNeeded(c column) string {
	s := t.keep(c)
	if s == "" {
		t.fail(c, "is required")
	}
	return s
}

// id is keepNeeded for a name that travels on in topics, tags and addresses.
func (t *table) id(c column) string {
	s := t.keepNeeded(c)
	if err := nhip.CheckText("", s); err != nil {
		t.fail(c, "%s", err)
	}
	return s
}

// number returns a finite number; given is false when the value is not there.
func (t *table) number(c column) (v float64, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v-v != 0 { // v-v is not 0 for infinities and NaN
		t.fail(c, "must be a number, got %q", s)
		return 0, false
	}
	return v, true
}

// dist returns a distance in the feed's own unit, or NoDist.
func (t *table) dist(c column) float32 {
	v, given := t.number(c)
	if !given {
		return NoDist
	}
	if v < 0 {
		t.fail(c, "must not be negative, got %v", v)
	}
	return float32(v)
}

// integer returns a whole number of low to high; given is false when the value is not there.
func (t *table) integer(c column, low, high int) (v int, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < low || v > high {
		t.fail(c, "must be a whole number from %d to %d, got %q", low, high, s)
		return 0, false
	}
	return v, true
}

// integerNeeded is integer for a value that must be there.
func (t *table) integerNeeded(c column, low, high int) int {
	v, given := t.integer(c, low, high)
	if !given {
		t.fail(c, "is required")
	}
	return v
}

// choice returns an enumerated value of 0 to high; 0 when it is not there.
func (t *table) choice(c column, high int) uint8 {
	v, _ := t.integer(c, 0, high)
	return uint8(v)
}

// time returns a time of the service day; given is false when the value is not there.
func (t *table) time(c column) (v Time, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, err := ParseTime(s)
	if err != nil {
		t.fail(c, "%s", err)
		return 0, false
	}
	return v, true
}

// timeNeeded is time for a value that must be there.
func (t *table) timeNeeded(c column) Time {
	v, given := t.time(c)
	if !given {
		t.fail(c, "is required")
	}
	return v
}

// date returns a day, which must be there.
func (t *table) date(c column) Date {
	d, err := ParseDate(t.text(c))
	if err != nil {
		t.fail(c, "%s", err)
	}
	return d
}

// optionalDate is date for one that may be left out.
func (t *table) optionalDate(c column) Date {
	if t.text(c) == "" {
		return 0
	}
	return t.date(c)
}
