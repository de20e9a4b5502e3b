package records

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/parquet-go/parquet-go"
)

// exportQuery is a query of all that happened on a local day of the city.
type exportQuery struct {
	query
	name string // of the file and of the list in JSON
	day  string
	influx.TravelQuery
}

// record is a row of an export: a struct with the tags of JSON and Parquet.
type record interface {
	at() time.Time
	cells(c *rest.CSVRow) // in the order of its columns
}

// listDayArrivals answers GET /v1/arrivals/{date}.
func (h *Handler) listDayArrivals(w http.ResponseWriter, r *http.Request) error {
	q, err := h.exportQuery(r, "arrivals")
	if err != nil {
		return err
	}
	return export(h, w, r, q, func(ctx context.Context, yield func(*arrivalRecord) error) error {
		return h.History.DayArrivals(ctx, q.TravelQuery, func(a nhip.Arrival) error { return yield(arrivalRecordOf(&a)) })
	})
}

// listDayPositions answers GET /v1/positions/{date}.
func (h *Handler) listDayPositions(w http.ResponseWriter, r *http.Request) error {
	q, err := h.exportQuery(r, "positions")
	if err != nil {
		return err
	}
	return export(h, w, r, q, func(ctx context.Context, yield func(*positionRecord) error) error {
		return h.History.DayPositions(ctx, q.TravelQuery, func(p nhip.Position) error { return yield(positionRecordOf(&p)) })
	})
}

// exportQuery reads the query of an export.
func (h *Handler) exportQuery(r *http.Request, name string) (*exportQuery, error) {
	date, err := rest.PathID(r, "date")
	if err != nil {
		return nil, err
	}
	p := rest.ReadQuery(r, "agency", "limit", "cursor", "format")
	q := &exportQuery{name: name, day: date}
	q.quality, q.zone, q.by = nhip.QualityReviewed, h.Live.Zone(""), byReading
	q.limit, q.format = p.Integer("limit", 0, 1, maxLimit), p.HistoryFormat(r)
	begin, err := time.ParseInLocation(time.DateOnly, date, q.zone)
	if err != nil || begin.Before(rest.FirstTime) || begin.After(h.Clock.Now()) {
		p.Fail("date", "must be a day that has begun, as in 2026-02-16, got %q", date)
	}
	// The first moment belongs to the day and the last one to the next; times are whole milliseconds.
	q.from, q.to = begin.Add(-time.Millisecond), begin.AddDate(0, 0, 1).Add(-time.Millisecond)
	if at := p.Time("cursor", q.from); at.After(q.from) {
		q.from = at
	}
	if !q.from.Before(q.to) {
		p.Fail("cursor", "must be next of the previous page")
	}
	q.From, q.To, q.Agencies = q.from, q.to, rest.ScopeOf(r).Limits().Agencies
	if agency := p.Text("agency"); agency != "" {
		if !rest.ScopeOf(r).Agency(agency) {
			return nil, nhip.Errorf(nhip.CodeNotFound, "agency", "there is no agency %q", agency)
		}
		q.Agencies = []string{agency}
	}
	return q, p.Err
}

// export answers with the records that read yields, oldest first.
func export[T any, R interface {
	*T
	record
}](h *Handler, w http.ResponseWriter, r *http.Request, q *exportQuery,
	read func(ctx context.Context, yield func(R) error) error,
) error {
	return h.withSlot(r, "", q.quality, q.format, func() error {
		release, err := h.Exports.Acquire(r.Context())
		if err != nil {
			return err
		}
		defer release()
		out := newRowWriter(w, &q.query, &exportEncoder[T, R]{q: q, license: h.License})
		return h.stream(r, out, func(ctx context.Context, _ *query, yield func(*row) error) error {
			return read(ctx, func(one R) error { return yield(&row{time: one.at(), record: one}) })
		})
	})
}

// exportEncoder encodes records in all formats.
type exportEncoder[T any, R interface {
	*T
	record
}] struct {
	q       *exportQuery
	license rest.License
	parquet *parquet.GenericWriter[T]
}

func (e *exportEncoder[T, R]) begin(o *rowWriter) {
	h, name := o.w.Header(), e.q.name+"-"+e.q.day
	switch o.q.format {
	case rest.FormatParquet:
		h.Set("Content-Type", rest.FormatParquet)
		h.Set("Content-Disposition", rest.Attachment(name, ".parquet"))
		e.parquet = parquet.NewGenericWriter[T](o, e.license.ParquetOptions()...)
	case rest.FormatCSV:
		rest.StartCSV(h, name)
		o.buf = append(o.buf, rest.ByteOrderMark...)
		for _, f := range parquet.SchemaOf(new(T)).Fields() {
			o.buf = append(append(o.buf, f.Name()...), ',')
		}
		o.buf = append(o.buf, licenseColumns...)
	default:
		h.Set("Content-Type", rest.FormatJSON)
		o.buf = append(o.buf, `{"date":`...)
		o.buf = encode.Text(o.buf, e.q.day)
		o.buf = appendLicense(o.buf, e.license)
		o.buf = append(append(append(o.buf, `,"`...), e.q.name...), `":[`...)
	}
}

func (e *exportEncoder[T, R]) row(o *rowWriter, r *row) error {
	one := r.record.(R)
	switch o.q.format {
	case rest.FormatParquet:
		if _, err := e.parquet.Write([]T{*one}); err != nil {
			return err
		}
		if o.rows%rowGroup == rowGroup-1 {
			return e.parquet.Flush()
		}
		return nil
	case rest.FormatCSV:
		c := rest.NewCSVRow(o.buf)
		one.cells(c)
		licenseCells(c, e.license, o.rows)
		o.buf = c.End()
		return nil
	}
	text, err := json.Marshal(one)
	if o.rows > 0 {
		o.buf = append(o.buf, ',')
	}
	o.buf = append(o.buf, text...)
	return err
}

func (e *exportEncoder[T, R]) end(o *rowWriter) error {
	switch o.q.format {
	case rest.FormatParquet:
		return e.parquet.Close()
	case rest.FormatCSV:
		return nil
	}
	o.buf = append(o.buf, ']')
	if o.next != "" {
		o.buf = encode.Field(o.buf, "next", o.next)
	}
	o.buf = append(o.buf, "}\n"...)
	return nil
}
