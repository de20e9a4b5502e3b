package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// Spans of a question for readings, and how many such questions may be under way: each holds a
// sort in the database's memory.
const (
	defaultSpan  = 24 * time.Hour
	maxSpan      = 92 * 24 * time.Hour
	maxQuestions = 16
	questionWait = 2 * time.Second // for one of them to end
)

// errHistoryAway is what the public is told of a database that does not answer; why goes to the log.
var errHistoryAway = nhip.Errorf(nhip.Unavailable, "", "the history does not answer now; the live city does")

// listReadings answers GET /v1/stations/{id}/readings, streamed from the history.
func (a *API) listReadings(w http.ResponseWriter, r *http.Request) {
	ask, form, err := a.readingQuery(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	if form == "" {
		noForm(w)
		return
	}
	if !a.mayAsk(r.Context()) {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "too many questions to the history are under way"))
		return
	}
	defer func() { <-a.questions }()
	a.answerReadings(w, r, newReadingWriter(w, ask, form))
}

// mayAsk takes one of the places of questions to the history; whoever got one gives it back.
func (a *API) mayAsk(ctx context.Context) bool {
	wait := time.NewTimer(questionWait)
	defer wait.Stop()
	select {
	case a.questions <- struct{}{}:
		return true
	case <-wait.C:
	case <-ctx.Done():
	}
	return false
}

func (a *API) answerReadings(w http.ResponseWriter, r *http.Request, out *readingWriter) {
	err := a.o.History.Readings(r.Context(), out.ask, out.write)
	if err == nil && !out.begun && a.city.complete() && !a.knowsStation(out.ask.Station) {
		a.problem(w, r, unknownStation(out.ask.Station))
		return
	}
	if err == nil {
		err = out.end()
	}
	switch {
	case err == nil:
	case out.failed || r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the client is gone or does not read
	case out.begun:
		a.log.Warn("the history broke off in the middle of an answer", "error", err)
		panic(http.ErrAbortHandler) // the one way to tell a client that what it got is not all
	default:
		a.log.Warn("the history does not answer", "error", err)
		a.problem(w, r, errHistoryAway)
	}
}

func (a *API) knowsStation(id string) bool {
	_, ok := a.city.station(id)
	return ok
}

// readingQuery reads what is asked for and in which form; the form is "" when none that is accepted
// can be had.
func (a *API) readingQuery(r *http.Request) (ask influx.ReadingQuery, form string, err error) {
	id, err := pathID(r, "id")
	if err != nil {
		return ask, "", err
	}
	q := readQuery(r, "from", "to", "quantity", "format")
	latest := a.o.Clock.Now().Add(nhip.FutureTolerance)
	to := q.time("to", a.o.Clock.Now())
	if to.After(latest) {
		to = latest // nothing is known beyond it
	}
	from := q.time("from", to.Add(-defaultSpan))
	quantity := nhip.Quantity(q.text("quantity"))
	switch {
	case quantity != "" && !quantity.Known():
		q.fail("quantity", "%q is not a known quantity", string(quantity))
	case !from.Before(to):
		q.fail("from", "must be before to and not in the future")
	case to.Sub(from) > maxSpan:
		q.fail("from", "must be at most %d days before to", int(maxSpan.Hours()/24))
	}
	form = q.form(r)
	return influx.ReadingQuery{Station: id, Quantity: quantity, From: from, To: to}, form, q.err
}

// readingWriter writes readings as they come. Nothing is sent before the first, so that an error
// until then can still be told as one.
type readingWriter struct {
	w      http.ResponseWriter
	out    *http.ResponseController
	ask    influx.ReadingQuery
	form   string
	begun  bool
	failed bool // the client does not take what is written
	buf    []byte
}

// flushBytes is how much of an answer is gathered before it is sent.
const flushBytes = 32 << 10

func newReadingWriter(w http.ResponseWriter, ask influx.ReadingQuery, form string) *readingWriter {
	return &readingWriter{w: w, out: http.NewResponseController(w), ask: ask, form: form}
}

func (o *readingWriter) begin() {
	if o.begun {
		return
	}
	o.begun = true
	h := o.w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	if o.form == formCSV {
		startCSV(h, o.ask.Station)
		o.buf = append(o.buf, byteOrderMark+readingColumns...)
		return
	}
	h.Set("Content-Type", formJSON)
	o.buf = append(o.buf, `{"station":`...)
	o.buf = appendText(o.buf, o.ask.Station)
	o.buf = appendField(o.buf, "from", o.ask.From.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "to", o.ask.To.Format(time.RFC3339Nano))
	o.buf = append(o.buf, `,"readings":[`...)
}

func (o *readingWriter) write(r nhip.Judged) error {
	first := !o.begun
	o.begin()
	if o.form == formCSV {
		o.buf = appendReadingCSV(o.buf, &r.Reading)
	} else {
		if !first {
			o.buf = append(o.buf, ',')
		}
		o.buf = appendReading(o.buf, &r.Reading)
	}
	if len(o.buf) < flushBytes {
		return nil
	}
	return o.flush()
}

func (o *readingWriter) end() error {
	o.begin()
	if o.form != formCSV {
		o.buf = append(o.buf, "]}\n"...)
	}
	return o.flush()
}

// flush sends what is gathered. A client that does not read is not waited for: behind it stands an
// answer that the database holds open.
func (o *readingWriter) flush() error {
	err := o.out.SetWriteDeadline(time.Now().Add(readTimeout))
	if errors.Is(err, http.ErrNotSupported) {
		err = nil // a test's recorder has no line to wait for
	}
	if err == nil {
		_, err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	o.failed = err != nil
	return err
}
