package gtfs

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

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

// hold takes memory of the feed's budget. Beyond it the table fails.
func (t *table) hold(bytes uintptr) bool {
	if t.held.take(int64(bytes)) {
		return true
	}
	if t.err == nil {
		t.err = &Error{
			File: t.name, Line: t.line(),
			Rule: fmt.Sprintf("the timetable needs more than %d bytes of memory up to this row, too much for its size",
				t.held.limit),
			code: codeTooManyRows, bound: true,
		}
	}
	return false
}

// clone returns a copy of a text, which counts as held.
func (t *table) clone(s string) string {
	if s == "" || !t.hold(uintptr(len(s)+textUnit-1)&^(textUnit-1)) {
		return ""
	}
	return string([]byte(s))
}

// textUnit is what the size of a text in memory is a multiple of, bytes.
const textUnit = 16

// intern returns a copy of a text, the same one for all rows with that text.
func (t *table) intern(s string) string {
	if s == "" || t.texts == nil {
		return t.clone(s)
	}
	if known, ok := t.texts[s]; ok {
		return known
	}
	own := t.clone(s)
	if own != "" && t.hold(mapEntry) {
		t.texts[own] = own
	}
	return own
}
