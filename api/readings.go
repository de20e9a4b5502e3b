package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// Spans of a question for readings.
const (
	defaultSpan = 24 * time.Hour
	maxSpan     = 92 * 24 * time.Hour
	flushBytes  = 32 << 10 // how much of an answer is gathered before it is sent
)

// listReadings answers GET /v1/stations/{id}/readings, streamed from the history.
func (a *API) listReadings(w http.ResponseWriter, r *http.Request) {
	ask, err := a.readingQuery(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	out := newReadingWriter(w, r, ask)
	if out == nil {
		plainProblem(w, http.StatusNotAcceptable, "Accept: application/json or text/csv")
		return
	}
	err = a.o.History.Readings(r.Context(), ask, out.write)
	if err == nil && !out.begun && !a.knowsStation(ask.Station) {
		err = unknownStation(ask.Station)
	}
	switch {
	case err == nil:
		out.end()
	case !out.begun:
		a.problem(w, r, err)
	default:
		if !errors.Is(err, context.Canceled) {
			a.log.Error("the history broke off in the middle of an answer", "error", err)
		}
		panic(http.ErrAbortHandler) // the one way to tell a client that what it got is not all
	}
}

func (a *API) knowsStation(id string) bool {
	_, ok := a.city.station(id)
	return ok
}

func (a *API) readingQuery(r *http.Request) (influx.ReadingQuery, error) {
	var ask influx.ReadingQuery
	id, err := pathID(r)
	if err != nil {
		return ask, err
	}
	q := readQuery(r, "from", "to", "quantity")
	to := q.time("to", a.o.Clock.Now())
	from := q.time("from", to.Add(-defaultSpan))
	quantity := nhip.Quantity(q.text("quantity"))
	switch {
	case quantity != "" && !quantity.Known():
		q.fail("quantity", "%q is not a known quantity", string(quantity))
	case !from.Before(to):
		q.fail("from", "must be before to")
	case to.Sub(from) > maxSpan:
		q.fail("from", "must be at most %d days before to", int(maxSpan.Hours()/24))
	}
	return influx.ReadingQuery{Station: id, Quantity: quantity, From: from, To: to}, q.err
}

// readingWriter writes readings as they come. Nothing is sent before the first, so that an error
// until then can still be told as one.
type readingWriter struct {
	w     http.ResponseWriter
	ask   influx.ReadingQuery
	csv   bool
	begun bool
	buf   []byte
}

// newReadingWriter returns nil when the client takes neither JSON nor CSV.
func newReadingWriter(w http.ResponseWriter, r *http.Request, ask influx.ReadingQuery) *readingWriter {
	csv, ok := acceptsCSV(r.Header.Get("Accept"))
	if !ok {
		return nil
	}
	return &readingWriter{w: w, ask: ask, csv: csv}
}

// acceptsCSV picks the first of the two forms that an Accept header names.
func acceptsCSV(accept string) (csv, ok bool) {
	if accept == "" {
		return false, true
	}
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(media) {
		case "text/csv":
			return true, true
		case "application/json", "application/*", "*/*":
			return false, true
		}
	}
	return false, false
}

func (o *readingWriter) begin() {
	if o.begun {
		return
	}
	o.begun = true
	o.w.Header().Set("Cache-Control", "no-cache")
	o.w.Header().Set("Vary", "Accept")
	if o.csv {
		o.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		o.buf = append(o.buf, "time,station,quantity,value,unit,period,flag\n"...)
		return
	}
	o.w.Header().Set("Content-Type", "application/json")
	o.buf = append(o.buf, `{"station":`...)
	o.buf = appendText(o.buf, o.ask.Station)
	o.buf = appendField(o.buf, "from", o.ask.From.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "to", o.ask.To.Format(time.RFC3339Nano))
	o.buf = append(o.buf, `,"readings":[`...)
}

func (o *readingWriter) write(r nhip.Reading) error {
	first := !o.begun
	o.begin()
	if o.csv {
		o.buf = appendReadingCSV(o.buf, &r)
	} else {
		if !first {
			o.buf = append(o.buf, ',')
		}
		o.buf = appendReadingJSON(o.buf, &r)
	}
	if len(o.buf) < flushBytes {
		return nil
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}

func (o *readingWriter) end() {
	o.begin()
	if !o.csv {
		o.buf = append(o.buf, "]}\n"...)
	}
	_, _ = o.w.Write(o.buf) // the client may be gone
}

func appendReadingJSON(b []byte, r *nhip.Reading) []byte {
	b = append(b, `{"quantity":`...)
	b = appendText(b, string(r.Quantity))
	b = appendTime(b, r.Time)
	b = append(b, `,"value":`...)
	b = appendFloat(b, r.Value)
	b = appendField(b, "unit", r.Quantity.Unit())
	b = appendField(b, "period", nhip.FormatPeriod(r.Period))
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(r.Flag), 10)
	return append(b, '}')
}

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
