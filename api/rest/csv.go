package rest

import (
	"net/http"
	"net/url"
	"time"

	"nhip/api/encode"
	"nhip/internal/csvrow"
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

// ByteOrderMark begins a CSV file so that spreadsheets read it as UTF-8.
const ByteOrderMark = csvrow.ByteOrderMark

// CSVRow appends the cells of one row.
type CSVRow struct{ csvrow.Row }

// NewCSVRow returns a row that appends to b.
func NewCSVRow(b []byte) *CSVRow { return &CSVRow{csvrow.Row{B: b}} }

// Number adds f rounded to steps of 1/unit; unit is a power of ten. It is faster than that of csvrow, which matters for
// exports.
func (r *CSVRow) Number(f, unit float64) { r.B = append(encode.Rounded(r.B, f, unit), ',') }

// Age adds the seconds from t to now with one decimal, 0 if t is later.
func (r *CSVRow) Age(t, now time.Time) { r.Number(max(0, now.Sub(t).Seconds()), 10) }
