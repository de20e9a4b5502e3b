// Package csvrow writes rows of CSV that spreadsheets of all countries read alike.
package csvrow

import (
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// ByteOrderMark begins a CSV file so that spreadsheets read it as UTF-8. Without it they garble µ and đ.
const ByteOrderMark = "\ufeff"

// Row appends the cells of one row to B.
type Row struct{ B []byte }

// Raw adds a cell that needs no quoting.
func (r *Row) Raw(s string) { r.B = append(append(r.B, s...), ',') }

// Text adds a cell and quotes it where necessary.
func (r *Row) Text(s string) { r.B = append(appendText(r.B, s), ',') }

// Number adds f rounded to steps of 1/unit; unit is a power of ten.
func (r *Row) Number(f, unit float64) { r.float(math.Round(f*unit) / unit) }

// Optional adds the shortest decimal form of v, or an empty cell if v is unknown.
func (r *Row) Optional(v nhip.Opt[float64]) {
	if f, ok := v.Get(); ok {
		r.float(f)
		return
	}
	r.B = append(r.B, ',')
}

func (r *Row) float(f float64) { r.B = append(strconv.AppendFloat(r.B, f, 'f', -1, 64), ',') }

// Integer appends a whole number.
func (r *Row) Integer(n int64) { r.B = append(strconv.AppendInt(r.B, n, 10), ',') }

// timeForm is the one form of times in CSV: RFC 3339 in UTC with milliseconds, which facts have at most. A column with
// several forms or zones is one that spreadsheets and data frames do not read as times.
const timeForm = "2006-01-02T15:04:05.000Z"

// Time adds a time in UTC, as in 2026-02-16T12:00:00.000Z.
func (r *Row) Time(t time.Time) { r.B = append(t.UTC().AppendFormat(r.B, timeForm), ',') }

// End ends the row, which must have a cell, and returns the extended slice.
func (r *Row) End() []byte {
	r.B[len(r.B)-1] = '\n'
	return r.B
}

// appendText appends a text, quoted where RFC 4180 requires it, and where it holds a semicolon: spreadsheets of
// countries with a decimal comma (Vietnamese ones among them) split lines at semicolons. A text that a spreadsheet
// would execute as a formula gets a leading apostrophe, because names come from outside.
func appendText(b []byte, s string) []byte {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, "\",;\t\n\r") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
