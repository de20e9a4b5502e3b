package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/encode"
)

// StartCSV sets the headers of a CSV answer that browsers save under a name.
func StartCSV(h http.Header, name string) {
	h.Set("Content-Type", FormatCSV+"; charset=utf-8")
	h.Set("Content-Disposition", Attachment(name, ".csv"))
}

// Attachment returns a Content-Disposition with which browsers save an answer as a file. ext includes the dot.
func Attachment(name, ext string) string {
	return "attachment; filename*=UTF-8''" + url.PathEscape(name) + ext
}

// ByteOrderMark begins a CSV file so that spreadsheets read it as UTF-8. Without it they garble µ and đ.
const ByteOrderMark = "\ufeff"

// CSVRow appends the cells of one row.
type CSVRow struct{ b []byte }

// NewCSVRow returns a row that appends to b.
func NewCSVRow(b []byte) *CSVRow { return &CSVRow{b} }

// Raw adds a cell that needs no quoting.
func (r *CSVRow) Raw(s string) { r.b = append(append(r.b, s...), ',') }

// Text adds a cell and quotes it where necessary.
func (r *CSVRow) Text(s string) { r.b = append(appendCSV(r.b, s), ',') }

// Number adds f rounded to steps of 1/unit; unit is a power of ten.
func (r *CSVRow) Number(f, unit float64) { r.b = append(encode.Rounded(r.b, f, unit), ',') }

// Optional adds the shortest decimal form of v, or an empty cell if v is unknown.
func (r *CSVRow) Optional(v nhip.Opt[float64]) {
	if f, ok := v.Get(); ok {
		r.b = encode.Float(r.b, f)
	}
	r.b = append(r.b, ',')
}

// Integer appends a whole number.
func (r *CSVRow) Integer(n int64) { r.b = append(strconv.AppendInt(r.b, n, 10), ',') }

// csvTime is the one form of times in CSV: RFC 3339 in UTC with milliseconds, which facts have at most. A column with
// several forms or zones is one that spreadsheets and data frames do not read as times.
const csvTime = "2006-01-02T15:04:05.000Z"

// Time adds a time in UTC, as in 2026-02-16T12:00:00.000Z.
func (r *CSVRow) Time(t time.Time) { r.b = append(t.UTC().AppendFormat(r.b, csvTime), ',') }

// Age adds the seconds from t to now with one decimal, 0 if t is later.
func (r *CSVRow) Age(t, now time.Time) { r.Number(max(0, now.Sub(t).Seconds()), 10) }

// End ends the row, which must have a cell, and returns the extended slice.
func (r *CSVRow) End() []byte {
	r.b[len(r.b)-1] = '\n'
	return r.b
}

// appendCSV appends a text, quoted where RFC 4180 requires it, and where it holds a semicolon: spreadsheets of
// countries with a decimal comma (Vietnamese ones among them) split lines at semicolons. A text that a spreadsheet
// would execute as a formula gets a leading apostrophe, because names come from outside.
func appendCSV(b []byte, s string) []byte {
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
