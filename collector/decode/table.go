package decode

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"nhip"

	"github.com/paulmach/orb"
)

// Table reads a CSV file (RFC 4180) with a header line. Faulty rows are rejected alone.
type Table struct {
	in     *csv.Reader
	names  []string
	faults Faults
	row    []string
	line   int
}

// maxColumns bounds the columns of a table, which are compared with one another.
const maxColumns = 1000

// NewTable reads the header line. The required columns must be present, the optional ones may be; other columns are
// an error unless allowOthers is true.
func NewTable(in *Input, required, optional []string, allowOthers bool) (*Table, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(in.Payload, []byte("\xef\xbb\xbf"))))
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nhip.Errorf(nhip.CodeMissing, "line 1",
			"must contain the names of the columns: %s", strings.Join(required, ","))
	}
	if err != nil {
		return nil, nhip.Errorf(nhip.CodeMalformed, "line 1", "%s", csvReason(err))
	}
	if len(names) > maxColumns {
		return nil, nhip.Errorf(nhip.CodeOutOfRange, "line 1", "must have at most %d columns, got %d", maxColumns, len(names))
	}
	t := &Table{in: r, faults: in.Faults()}
	for _, name := range names {
		name = strings.TrimSpace(name)
		switch {
		case slices.Contains(t.names, name):
			return nil, nhip.Errorf(nhip.CodeMalformed, "line 1", "the column %q occurs twice", Clip(name))
		case !allowOthers && !slices.Contains(required, name) && !slices.Contains(optional, name):
			return nil, nhip.Errorf(nhip.CodeUnknownField, "line 1", "%q is not a column of this format", Clip(name))
		}
		t.names = append(t.names, name)
	}
	for _, name := range required {
		if !slices.Contains(t.names, name) {
			return nil, nhip.Errorf(nhip.CodeMissing, "line 1", "the column %q is required", name)
		}
	}
	return t, nil
}

// Each calls read for each row with the right number of fields; read appends the facts of the row to out. An error of
// read rejects the row.
func (t *Table) Each(out *nhip.Facts, read func() error) {
	for {
		row, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if t.line++; err == nil {
			t.line, _ = t.in.FieldPos(0)
			t.row = row
			if len(row) != len(t.names) {
				err = nhip.Errorf(nhip.CodeMalformed, "", "has %d fields, want %d as in the first line", len(row), len(t.names))
			} else {
				out.BeginRow("line ", t.line, "")
				err = read()
			}
		} else {
			var broken *csv.ParseError
			if errors.As(err, &broken) {
				t.line = broken.StartLine
			}
			err = nhip.Errorf(nhip.CodeMalformed, "", "%s", csvReason(err))
		}
		if err != nil {
			t.faults.Reject(InRow("line "+strconv.Itoa(t.line), err))
		}
	}
}

// Text returns a field of the current row, or "" if there is no such column.
func (t *Table) Text(name string) string {
	if i := slices.Index(t.names, name); i >= 0 {
		return strings.TrimSpace(t.row[i])
	}
	return ""
}

// Has reports whether the table has a column.
func (t *Table) Has(name string) bool { return slices.Contains(t.names, name) }

// Number returns a field that must be a number or, as for ParseMeasured, "none".
func (t *Table) Number(name string) (nhip.Opt[float64], error) {
	v, err := ParseMeasured([]byte(t.Text(name)))
	if err != nil {
		return v, InRow(name, err)
	}
	return v, nil
}

// Place returns the place in two columns. A value can do without it: if a coordinate is faulty or alone, the place is
// dropped.
func (t *Table) Place(in *Input, latColumn, lonColumn string) nhip.Opt[orb.Point] {
	none := nhip.Opt[orb.Point]{}
	row := "line " + strconv.Itoa(t.line)
	lat, err := ParseMeasured([]byte(t.Text(latColumn)))
	if err != nil {
		in.DropField(row, latColumn, err)
		return none
	}
	lon, err := ParseMeasured([]byte(t.Text(lonColumn)))
	switch {
	case err != nil:
		in.DropField(row, lonColumn, err)
		return none
	case lat.Known() && !lon.Known():
		in.DropField(row, lonColumn, nhip.Errorf(nhip.CodeMissing, "", "is required with %s", latColumn))
		return none
	case lon.Known() && !lat.Known():
		in.DropField(row, latColumn, nhip.Errorf(nhip.CodeMissing, "", "is required with %s", lonColumn))
		return none
	case !lat.Known():
		return none
	}
	return nhip.Some(orb.Point{lon.Or(0), lat.Or(0)})
}

// csvReason returns the message of an error of encoding/csv without the position.
func csvReason(err error) string {
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return broken.Err.Error()
	}
	return err.Error()
}
