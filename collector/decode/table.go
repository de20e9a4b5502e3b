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
)

// Table reads rows of text under a line of names, as RFC 4180 writes them. A row that is broken is turned away
// alone.
type Table struct {
	in     *csv.Reader
	names  []string
	faults Faults
	row    []string
	line   int
}

// NewTable reads the names. Those that required lists must be there, and optional ones may; others are passed
// over where pass says so and are an error where it does not.
func NewTable(in *Input, required, optional []string, pass bool) (*Table, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(in.Payload, []byte("\xef\xbb\xbf"))))
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nhip.Errorf(nhip.Missing, "line 1", "must hold the names of the columns: %s", strings.Join(required, ","))
	}
	if err != nil {
		return nil, nhip.Errorf(nhip.Malformed, "line 1", "%s", reasonOf(err))
	}
	t := &Table{in: r, faults: in.Faults()}
	for _, name := range names {
		name = strings.TrimSpace(name)
		switch {
		case slices.Contains(t.names, name):
			return nil, nhip.Errorf(nhip.Malformed, "line 1", "the column %q stands twice", Clip(name))
		case !pass && !slices.Contains(required, name) && !slices.Contains(optional, name):
			return nil, nhip.Errorf(nhip.UnknownField, "line 1", "%q is no column of this format", Clip(name))
		}
		t.names = append(t.names, name)
	}
	for _, name := range required {
		if !slices.Contains(t.names, name) {
			return nil, nhip.Errorf(nhip.Missing, "line 1", "the column %q is required", name)
		}
	}
	return t, nil
}

// Each calls read for each row that has as many fields as there are columns. An error of read turns the row away.
func (t *Table) Each(read func() error) {
	for {
		row, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if t.line++; err == nil {
			t.line, _ = t.in.FieldPos(0)
			t.row = row
			if len(row) != len(t.names) {
				err = nhip.Errorf(nhip.Malformed, "", "holds %d fields where the first line names %d", len(row), len(t.names))
			} else {
				err = read()
			}
		} else {
			var broken *csv.ParseError
			if errors.As(err, &broken) {
				t.line = broken.StartLine
			}
			err = nhip.Errorf(nhip.Malformed, "", "%s", reasonOf(err))
		}
		if err != nil {
			t.faults.Reject(Within("line "+strconv.Itoa(t.line), err))
		}
	}
}

// Text returns a field of the row; "" where there is no such column.
func (t *Table) Text(name string) string {
	if i := slices.Index(t.names, name); i >= 0 {
		return strings.TrimSpace(t.row[i])
	}
	return ""
}

// Has reports whether there is such a column.
func (t *Table) Has(name string) bool { return slices.Contains(t.names, name) }

// Number returns a field that must be a number; words for "none" and blanks are none.
func (t *Table) Number(name string) (nhip.Opt[float64], error) {
	v, err := ParseMeasured([]byte(t.Text(name)))
	if err != nil {
		return v, Within(name, err)
	}
	return v, nil
}

// reasonOf strips the position that csv's errors begin with.
func reasonOf(err error) string {
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return broken.Err.Error()
	}
	return err.Error()
}
