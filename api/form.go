package api

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// The forms of lists.
const (
	formJSON = "application/json"
	formCSV  = "text/csv"
)

// form picks a list's form: what format= says ("json" or "csv", for links and address bars), else
// what the Accept header likes best; "" when it accepts neither.
func (q *query) form(r *http.Request) string {
	switch f := q.text("format"); f {
	case "":
		return acceptedForm(r.Header.Get("Accept"))
	case "json":
		return formJSON
	case "csv":
		return formCSV
	default:
		q.fail("format", "must be json or csv, got %q", f)
		return formJSON
	}
}

// acceptedForm weighs an Accept header (RFC 9110 §12.5.1). JSON wins where both are as welcome.
func acceptedForm(accept string) string {
	if strings.TrimSpace(accept) == "" {
		return formJSON
	}
	json, csv := welcome(accept, formJSON), welcome(accept, formCSV)
	switch {
	case json == 0 && csv == 0:
		return ""
	case csv > json:
		return formCSV
	}
	return formJSON
}

// welcome returns how welcome a media type is, from 0 to 1: the weight of the most specific range
// that names it.
func welcome(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	weight, rank := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		for i, of := range [...]string{"*/*", kind + "/*", media} {
			if name == of && i+1 > rank {
				weight, rank = q, i+1
			}
		}
	}
	return weight
}

// startCSV sets the headers of a CSV answer that a browser keeps as a file.
func startCSV(h http.Header, name string) {
	h.Set("Content-Type", formCSV+"; charset=utf-8")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name)+".csv")
}

// byteOrderMark tells spreadsheets that a CSV is UTF-8; without it they read µ and đ as noise.
const byteOrderMark = "\ufeff"

func appendReadingsHead(b []byte) []byte {
	return append(b, byteOrderMark+"time,station,quantity,value,unit,period,flag,origin\n"...)
}

// appendReading appends a reading as a JSON object.
func appendReading(b []byte, r *nhip.Reading) []byte {
	b = append(b, `{"quantity":`...)
	b = appendText(b, string(r.Quantity))
	b = appendTime(b, r.Time)
	b = append(b, `,"value":`...)
	b = appendFloat(b, r.Value)
	b = appendField(b, "unit", r.Quantity.Unit())
	b = appendField(b, "period", nhip.FormatPeriod(r.Period))
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(r.Flag), 10)
	b = appendOptional(b, "origin", string(r.Origin))
	return append(b, '}')
}

// appendReadingCSV appends a reading as a row.
func appendReadingCSV(b []byte, r *nhip.Reading) []byte {
	b = r.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, ',')
	b = appendCSV(b, r.Station)
	b = append(b, ',')
	b = append(b, r.Quantity...)
	b = append(b, ',')
	b = appendFloat(b, r.Value)
	b = append(b, ',')
	b = append(b, r.Quantity.Unit()...)
	b = append(b, ',')
	b = append(b, nhip.FormatPeriod(r.Period)...)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.Flag), 10)
	b = append(b, ',')
	b = append(b, r.Origin...)
	return append(b, '\n')
}

// appendCSV quotes a text where RFC 4180 asks for it. A text that a spreadsheet would take for a
// formula is quoted with an apostrophe before it: a station's name must not run on an analyst's desk.
func appendCSV(b []byte, s string) []byte {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, "\",\n\r") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
