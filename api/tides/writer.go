package tides

import (
	"net/http"

	"nhip/api/rest"

	"github.com/parquet-go/parquet-go"
)

// row is a row of a table: a struct with the tags of Parquet.
type row[T any] interface {
	*T
	cells(c *rest.CSVRow) // in the order of its columns
}

// Sizes of what is held in memory.
const (
	flushBytes = 64 << 10
	rowGroup   = 50_000 // rows of Parquet
)

// writer writes the rows of a table. It sends nothing before flushBytes are there or the end, so that an error up to
// then can be answered with a problem.
type writer[T any, R row[T]] struct {
	w       http.ResponseWriter
	out     *http.ResponseController
	license rest.License
	parquet *parquet.GenericWriter[T] // nil for CSV
	headers func(http.Header)
	buf     []byte
	rows    int
	begun   bool
	failed  bool // a write failed
}

func newWriter[T any, R row[T]](w http.ResponseWriter, format, name string, l rest.License) *writer[T, R] {
	x := &writer[T, R]{w: w, out: http.NewResponseController(w), license: l}
	if format == formatParquet {
		x.parquet = parquet.NewGenericWriter[T](x, l.ParquetOptions()...)
		x.headers = func(h http.Header) {
			h.Set("Content-Type", rest.FormatParquet)
			h.Set("Content-Disposition", rest.Attachment(name, ".parquet"))
		}
		return x
	}
	x.headers = func(h http.Header) { rest.StartCSV(h, name) }
	for i, f := range parquet.SchemaOf(new(T)).Fields() {
		if i > 0 {
			x.buf = append(x.buf, ',')
		}
		x.buf = append(x.buf, f.Name()...)
	}
	x.buf = append(x.buf, '\n')
	return x
}

// add writes a row.
func (x *writer[T, R]) add(r R) error {
	x.rows++
	if x.parquet == nil {
		c := rest.NewCSVRow(x.buf)
		r.cells(c)
		x.buf = c.End()
	} else {
		if _, err := x.parquet.Write([]T{*r}); err != nil {
			return err
		}
		if x.rows%rowGroup == 0 {
			if err := x.parquet.Flush(); err != nil {
				return err
			}
		}
	}
	if len(x.buf) < flushBytes {
		return nil
	}
	return x.flush()
}

// end completes the table.
func (x *writer[T, R]) end() error {
	if x.parquet != nil {
		if err := x.parquet.Close(); err != nil {
			return err
		}
	}
	return x.flush()
}

// Write implements io.Writer for Parquet: it appends to the buffer.
func (x *writer[T, R]) Write(p []byte) (int, error) {
	x.buf = append(x.buf, p...)
	return len(p), nil
}

// flush sends the buffer. It fails after rest.ClientTimeout if the client does not read.
func (x *writer[T, R]) flush() error {
	if !x.begun {
		x.begun = true
		x.headers(x.w.Header())
	}
	err := rest.WritePart(x.w, x.out, x.buf)
	x.buf, x.failed = x.buf[:0], err != nil
	return err
}
