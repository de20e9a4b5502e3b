package gtfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"nhip"
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

// table reads one file row by row. An error of the file as a whole ends the loop: next returns false. A flaw of a row
// or a value is a finding, and reading continues without it.
type table struct {
	name      string
	rows      *rowReader
	held      *budget
	texts     map[string]string // texts that many rows share
	findings  *Findings         // nil if another pass reports them
	header    []string
	record    []string
	err       error // of the whole file
	rowFailed bool  // the current row is left out
}

// column is the index of a column, or absent.
type column int

const absent column = -1

// byteOrderMark is the UTF-8 byte order mark that Windows programs write.
const byteOrderMark = "\xef\xbb\xbf"

// newTable reads the header of a file. findings may be nil.
func newTable(name string, r io.Reader, findings *Findings) *table {
	t := &table{name: name, rows: newRowReader(r), findings: findings}
	t.rows.begin()
	t.readHeader()
	return t
}

func (t *table) readHeader() {
	row, flaws, err := t.rows.next(nil)
	if err != nil {
		t.failRead(err)
		if errors.Is(err, io.EOF) {
			t.err = &Error{File: t.name, Rule: "is empty, a header is required", code: codeEmptyFile}
		}
		return
	}
	if len(row) > maxColumns {
		t.err = &Error{
			File: t.name, Line: 1, Rule: fmt.Sprintf("must have at most %d columns, got %d", maxColumns, len(row)),
			code: codeInvalidRowLength,
		}
		return
	}
	t.rows.columns = len(row)
	seen := make(map[string]bool, len(row))
	for _, name := range row {
		name = strings.ToLower(strings.Clone(strings.TrimSpace(name)))
		t.header = append(t.header, name)
		if seen[name] && name != "" {
			t.find(SeverityWarning, codeDuplicateColumn, column(len(t.header)-1), "the first one is used", "duplicate column")
		}
		seen[name] = true
	}
	t.reportFlaws(flaws)
	if t.rows.utf16 {
		t.find(SeverityNote, codeInvalidCharacter, absent, "the file is read as UTF-16", "must be UTF-8")
	}
	if c := t.rows.comma; c != ',' {
		t.find(SeverityNote, codeParsing, absent, fmt.Sprintf("the file is read with %q between values", c),
			"commas must separate the values")
	}
}

// reportFlaws reports what is odd in a row that can be read.
func (t *table) reportFlaws(flaws rowFlaws) {
	if flaws.quotes {
		t.find(SeverityNote, codeParsing, absent, "quotes are taken as part of the text",
			"a quote in a quoted value must be doubled, and the value must end with one")
	}
	if flaws.encoding {
		t.find(SeverityNote, codeInvalidCharacter, absent, "the bytes are taken as Windows-1252 (Latin-1)", "must be UTF-8")
	}
}

// column returns the index of the named column, or absent.
func (t *table) column(name string) column {
	for i, have := range t.header {
		if have == name {
			return column(i)
		}
	}
	return absent
}

// require is like column, for a column without which the file is of no use.
func (t *table) require(name string) column {
	c := t.column(name)
	if c == absent && t.err == nil {
		t.err = &Error{File: t.name, Line: 1, Field: name, Rule: "the column is required", code: codeMissingColumn}
	}
	return c
}

// expect is like column, for a required column that the file can do without.
func (t *table) expect(name, done string) column {
	c := t.column(name)
	if c == absent && t.err == nil && t.findings != nil {
		t.findings.Add(Finding{
			SeverityWarning, codeMissingColumn, t.name, 1, name, "the column is required", done,
		})
	}
	return c
}

// next advances to the next row that has values.
func (t *table) next() bool {
	for t.err == nil {
		row, flaws, err := t.rows.next(t.record)
		if errors.Is(err, errLongRecord) {
			t.record = nil
			t.find(SeverityError, codeParsing, absent, leftOut, "%s", err)
			continue
		}
		if err != nil {
			t.failRead(err)
			return false
		}
		t.record, t.rowFailed = row, false
		t.reportFlaws(flaws)
		if t.fit() {
			return true
		}
	}
	return false
}

// fit makes the row as long as the header. It returns false for a row without any value.
func (t *table) fit() bool {
	blank := func(values []string) bool {
		for _, v := range values {
			if strings.TrimSpace(v) != "" {
				return false
			}
		}
		return true
	}
	have, want := len(t.record), len(t.header)
	switch {
	case want > 1 && blank(t.record):
		t.find(SeverityNote, codeEmptyRow, absent, leftOut, "has no value")
		return false
	case have > want && blank(t.record[want:]):
		t.find(SeverityNote, codeInvalidRowLength, absent, "the blank ones are passed over", "has %d values for %d columns",
			have, want)
	case have > want:
		t.find(SeverityWarning, codeInvalidRowLength, absent, "the last ones are left out", "has %d values for %d columns",
			have, want)
	case have < want:
		t.find(SeverityNote, codeInvalidRowLength, absent, "the missing ones are taken as blank",
			"has %d values for %d columns", have, want)
	}
	for len(t.record) < want {
		t.record = append(t.record, "")
	}
	t.record = t.record[:want]
	return true
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

// failRead records a read error; the end of the file is not an error.
func (t *table) failRead(err error) {
	switch {
	case errors.Is(err, io.EOF):
	case errors.Is(err, errLongRecord):
		t.err = &Error{File: t.name, Line: t.line(), Rule: errLongRecord.Error(), code: codeParsing}
	default:
		t.err = fmt.Errorf("%s: %w", t.name, err)
	}
}

// line returns the line number of the current row.
func (t *table) line() int { return t.rows.line }

// What is done with a flaw.
const (
	leftOut      = "the row is left out"
	valueLeftOut = "the value is left out"
)

// find reports a flaw of the current row, or of a value in it.
func (t *table) find(s Severity, code string, c column, done, format string, args ...any) {
	if t.findings == nil {
		return
	}
	found := Finding{Severity: s, Code: code, File: t.name, Line: t.line(), Done: done}
	if c != absent {
		found.Field = t.header[c]
	}
	found.Message = fmt.Sprintf(format, args...)
	t.findings.Add(found)
}

// leaveOut reports a flaw for which the current row is left out, unless it is already.
func (t *table) leaveOut(code string, c column, format string, args ...any) {
	if !t.rowFailed {
		t.rowFailed = true
		t.find(SeverityError, code, c, leftOut, format, args...)
	}
}

// text returns a value without surrounding spaces. It is valid until the next row only.
func (t *table) text(c column) string {
	if c == absent {
		return ""
	}
	return strings.TrimSpace(t.record[c])
}

// keep returns a copy of a value that may be kept.
func (t *table) keep(c column) string { return t.clone(t.text(c)) }

// share is like keep, for a text that many rows have.
func (t *table) share(c column) string { return t.intern(t.text(c)) }

// requireText is like keep, for a value without which the row is of no use.
func (t *table) requireText(c column) string {
	s := t.keep(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return s
}

// requireShared is like share, for a value without which the row is of no use.
func (t *table) requireShared(c column) string {
	s := t.share(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return s
}

// ref returns an id. One that is too long for topics and tags is shortened, the same one in all files alike.
func (t *table) ref(c column) string { return ShortID(t.text(c)) }

// id is like ref, for the id of the row, of which it returns a copy.
func (t *table) id(c column) string {
	t.checkID(c)
	if t.rowFailed {
		return ""
	}
	if len(t.text(c)) > nhip.MaxText {
		t.find(SeverityNote, codeLongID, c, "the id is shortened", "must be at most %d bytes", nhip.MaxText)
	}
	return t.clone(t.ref(c))
}

// checkID leaves the row out if an id can't be used in topics, tags and URLs.
func (t *table) checkID(c column) {
	s := t.ref(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	} else if err := nhip.CheckText("", s); err != nil {
		t.leaveOut(codeNonPrintable, c, "%s", err)
	}
}

// number returns a finite number. given is false if there is no valid value.
func (t *table) number(c column) (v float64, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	if whole, decimals, comma := strings.Cut(s, ","); comma && !strings.ContainsAny(whole+decimals, ".,") {
		s = whole + "." + decimals
		t.find(SeverityNote, codeInvalidFloat, c, "is taken as "+clip(s), "must have a decimal point, got %q",
			clip(t.text(c)))
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		t.find(SeverityWarning, codeInvalidFloat, c, valueLeftOut, "must be a number, got %q", clip(s))
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
	if v < 0 || v > math.MaxFloat32 {
		t.find(SeverityWarning, codeOutOfRange, c, valueLeftOut, "must not be negative or huge, got %v", v)
		return NoDist
	}
	return float32(v)
}

// whole returns a whole number, also one as 2.0 or 2,0.
func (t *table) whole(c column) (int, bool) {
	s := t.text(c)
	if v, err := strconv.Atoi(s); err == nil {
		return v, true
	}
	digits, zeros, point := strings.Cut(s, ".")
	if !point {
		digits, zeros, point = strings.Cut(s, ",")
		point = point && len(zeros) != 3 // 1,000 may be a thousand
	}
	if !point || strings.Trim(zeros, "0") != "" {
		return 0, false
	}
	v, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false
	}
	t.find(SeverityNote, codeInvalidInteger, c, "is taken as "+digits, "must be a whole number, got %q", clip(s))
	return v, true
}

// integer returns a whole number from low to high. given is false if there is no valid value.
func (t *table) integer(c column, low, high int, code, done string) (v int, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, ok := t.whole(c)
	if !ok || v < low || v > high {
		t.find(SeverityWarning, code, c, done, "must be a whole number from %d to %d, got %q", low, high, clip(s))
		return 0, false
	}
	return v, true
}

// requireInteger returns a whole number from low to high, without which the row is of no use.
func (t *table) requireInteger(c column, low, high int) int {
	s := t.text(c)
	v, ok := t.whole(c)
	switch {
	case s == "":
		t.leaveOut(codeMissingField, c, "is required")
	case !ok:
		t.leaveOut(codeInvalidInteger, c, "must be a whole number from %d to %d, got %q", low, high, clip(s))
	case v < low || v > high:
		t.leaveOut(codeOutOfRange, c, "must be a whole number from %d to %d, got %q", low, high, clip(s))
	default:
		return v
	}
	return low
}

// choice returns an enumerated value from 0 to high, and 0 if there is no valid value.
func (t *table) choice(c column, high int) uint8 {
	v, _ := t.integer(c, 0, high, codeUnexpectedEnum, "is taken as 0")
	return uint8(v)
}

// time returns a time of the service day. given is false if there is no valid value.
func (t *table) time(c column) (v Time, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, err := ParseTime(s)
	if err == nil {
		return v, true
	}
	if v, ok := otherTime(s); ok {
		t.find(SeverityNote, codeInvalidTime, c, "is taken as "+v.String(), "must be a time as HH:MM:SS, got %q", s)
		return v, true
	}
	t.find(SeverityWarning, codeInvalidTime, c, valueLeftOut, "%s", err)
	return 0, false
}

// halfDayTime matches a time of a half of the day, as spreadsheets write it: 7:05:00 AM, 7.05 p.m.
var halfDayTime = regexp.MustCompile(`^(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?\s*([AaPp])\.?[Mm]\.?$`)

// otherTime returns a time without seconds or of a half of the day.
func otherTime(s string) (Time, bool) {
	if v, err := ParseTime(s + ":00"); err == nil {
		return v, true
	}
	m := halfDayTime.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	hour, _ := strconv.Atoi(m[1])
	if hour < 1 || hour > 12 {
		return 0, false
	}
	hour %= 12
	if m[4] == "P" || m[4] == "p" {
		hour += 12
	}
	return parseTime(fmt.Sprintf("%02d:%s:%s", hour, m[2], cmp.Or(m[3], "00")))
}

// requireTime is like time, for a value without which the row is of no use.
func (t *table) requireTime(c column) Time {
	v, given := t.time(c)
	if !given {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return v
}

// date returns a date, or 0 if there is no valid one.
func (t *table) date(c column) Date {
	s := t.text(c)
	if s == "" {
		return 0
	}
	d, err := t.parseDate(c)
	if err != nil {
		t.find(SeverityWarning, codeInvalidDate, c, valueLeftOut, "%s", err)
	}
	return d
}

// otherDate matches days with the year first, as spreadsheets and programs write them: 2026-02-16, 2026/2/16, also with
// the time of midnight.
var otherDate = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})(?:[ T]0?0:00(?::00(?:\.0+)?)?)?$`)

// decimalDate matches a day that was taken as a number: 20260216.0.
var decimalDate = regexp.MustCompile(`^(\d{8})\.0*$`)

// parseDate returns a date, also in other forms of which there is no doubt. A day as 01/02/2026 is not one of them.
func (t *table) parseDate(c column) (Date, error) {
	s := t.text(c)
	d, err := ParseDate(s)
	if err == nil {
		return d, nil
	}
	plain := ""
	if m := otherDate.FindStringSubmatch(s); m != nil && m[2] == m[4] {
		plain = fmt.Sprintf("%s%02s%02s", m[1], m[3], m[5])
	} else if m := decimalDate.FindStringSubmatch(s); m != nil {
		plain = m[1]
	}
	if d, other := ParseDate(plain); other == nil {
		t.find(SeverityNote, codeInvalidDate, c, "is taken as "+d.String(), "must be a day as YYYYMMDD, got %q", clip(s))
		return d, nil
	}
	return 0, err
}
