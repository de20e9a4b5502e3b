package records

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
)

// rowWriter writes an answer row by row. It sends nothing before the first row, so that an error up to then can be
// answered with a problem.
type rowWriter struct {
	w       http.ResponseWriter
	out     *http.ResponseController
	q       *query
	encoder encoder
	begun   bool
	failed  bool // a write failed: the client is gone or too slow
	buf     []byte

	rows int
	last time.Time // of the newest row
	of   string    // station of the newest row
	next string    // start of the next page; "" if this page is the last
}

// encoder encodes an answer in one format. It appends to the buffer of the writer.
type encoder interface {
	begin(o *rowWriter)
	row(o *rowWriter, r *row) error
	end(o *rowWriter) error
}

// flushBytes is the size of the buffer at which it is sent.
const flushBytes = 32 << 10

// nextTrailer is the HTTP trailer with the start of the next page, for formats without a field for it.
const nextTrailer = "Nhip-Next"

func newRowWriter(w http.ResponseWriter, q *query, e encoder) *rowWriter {
	return &rowWriter{w: w, out: http.NewResponseController(w), q: q, encoder: e}
}

// newEncoder returns the encoder of readings in a format; JSON by default.
func newEncoder(format string) encoder {
	switch format {
	case rest.FormatCSV:
		return csvEncoder{}
	case rest.FormatParquet:
		return &parquetEncoder{}
	}
	return jsonEncoder{}
}

// begin sets the headers and encodes the start of the answer, once.
func (o *rowWriter) begin() {
	if o.begun {
		return
	}
	o.begun = true
	h := o.w.Header()
	h.Set("Cache-Control", rest.Revalidate)
	if o.q.quality == nhip.QualityRaw {
		h.Set("Cache-Control", rest.NoStore)
	}
	h.Add("Vary", "Accept")
	if o.hasTrailer() {
		h.Set("Trailer", nextTrailer)
	}
	o.encoder.begin(o)
}

// hasTrailer reports whether the start of the next page is sent as a trailer.
func (o *rowWriter) hasTrailer() bool { return o.q.limit > 0 && o.q.format != rest.FormatJSON }

// add writes a row, or returns errPageFull if it belongs to the next page. A page ends only between two times, because
// the next one starts after the last time of this one.
func (o *rowWriter) add(r *row) error {
	if o.q.limit > 0 && o.rows >= o.q.limit && (r.time.After(o.last) || o.q.station != o.of) {
		if o.next = o.last.Format(time.RFC3339Nano); o.q.several {
			o.next += "/" + o.of
		}
		return errPageFull
	}
	o.begin()
	if err := o.encoder.row(o, r); err != nil {
		return err
	}
	o.rows++
	o.last, o.of = r.time, o.q.station
	if len(o.buf) < flushBytes {
		return nil
	}
	return o.flush()
}

// end completes the answer.
func (o *rowWriter) end() error {
	o.begin()
	if err := o.encoder.end(o); err != nil {
		return err
	}
	if err := o.flush(); err != nil {
		return err
	}
	if o.hasTrailer() && o.next != "" {
		o.w.Header().Set(nextTrailer, o.next)
	}
	return nil
}

// flush sends the buffer. It fails after rest.ClientTimeout if the client does not read, because the query of the
// database stays open meanwhile.
func (o *rowWriter) flush() error {
	err := rest.WritePart(o.w, o.out, o.buf)
	o.buf = o.buf[:0]
	o.failed = err != nil
	return err
}

// Write implements io.Writer for encoders: it appends to the buffer.
func (o *rowWriter) Write(p []byte) (int, error) {
	o.buf = append(o.buf, p...)
	return len(p), nil
}
