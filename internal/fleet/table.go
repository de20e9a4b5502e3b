package fleet

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Table are devices to add to a fleet, without secrets.
type Table struct {
	Devices []Device
	Lines   []int // of the devices in the file; nil if they come from no file

	faults AddFaults // of rows that can't be read as a device
}

// WithFaults returns the faults of rows together with err, which may be the fleet's faults of all rows. A row has one
// fault.
func (t *Table) WithFaults(err error) error {
	var found AddFaults
	if len(t.faults) == 0 || err != nil && !errors.As(err, &found) {
		return err
	}
	all := slices.Concat(t.faults, found)
	slices.SortStableFunc(all, func(a, b AddFault) int { return cmp.Compare(a.Index, b.Index) })
	return slices.CompactFunc(all, func(a, b AddFault) bool { return a.Index == b.Index })
}

// Columns of a table of devices.
const (
	columnID     = "id"
	columnFeed   = "feed"
	columnTopics = "topics" // filters, separated by blanks
	columnRate   = "rate"   // messages a second
)

// tableReader reads a table of devices.
type tableReader struct {
	name     string // of the file
	defaults Device
}

// ReadTable reads a table of devices, CSV with the columns id, feed, topics (separated by blanks) and rate; the last
// three may be left out. An empty cell is that of defaults. name is the file, for errors. A row that can't be read is a
// fault of the table, see WithFaults.
func ReadTable(name string, raw []byte, defaults Device) (*Table, error) {
	c := tableReader{name: name, defaults: defaults}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	if head, _, _ := bytes.Cut(raw, []byte("\n")); bytes.ContainsRune(head, ';') && !bytes.ContainsRune(head, ',') {
		r.Comma = ';' // as spreadsheets with a decimal comma write it
	}
	r.TrimLeadingSpace = true
	columns, err := c.columns(r)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, c.unreadable(err)
		}
		line, _ := r.FieldPos(0)
		d, err := c.row(columns, row)
		if err != nil {
			t.faults = append(t.faults, AddFault{Index: len(t.Devices), Err: err})
		}
		t.Devices, t.Lines = append(t.Devices, d), append(t.Lines, line)
	}
	if len(t.Devices) == 0 {
		return nil, fmt.Errorf("%s: has no devices", c.name)
	}
	return t, nil
}

// columns reads the header of the table.
func (c *tableReader) columns(r *csv.Reader) ([]string, error) {
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; the first line must name the columns, as in id,feed", c.name)
	}
	if err != nil {
		return nil, c.unreadable(err)
	}
	known := []string{columnID, columnFeed, columnTopics, columnRate}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
		if !slices.Contains(known, header[i]) || slices.Contains(header[:i], header[i]) {
			return nil, fmt.Errorf("%s:1: the columns must be some of %s, each once, got %q", c.name,
				strings.Join(known, ", "), header[i])
		}
	}
	switch {
	case !slices.Contains(header, columnID):
		return nil, fmt.Errorf("%s:1: the column %s is missing", c.name, columnID)
	case !slices.Contains(header, columnFeed) && c.defaults.Feed == "":
		return nil, fmt.Errorf("%s:1: the column %s is missing, and --feed is not given", c.name, columnFeed)
	}
	return header, nil
}

// unreadable names the line of an error of the table.
func (c *tableReader) unreadable(err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: %w", c.name, at.Line, at.Err)
	}
	return fmt.Errorf("%s: %w", c.name, err)
}

// row returns the device of a row. An empty cell is that of the flag.
func (c *tableReader) row(columns, row []string) (Device, error) {
	d := Device{Feed: c.defaults.Feed, Topics: c.defaults.Topics}
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		switch columns[i] {
		case columnID:
			d.ID = cell
		case columnFeed:
			d.Feed = cell
		case columnTopics:
			d.Topics = strings.Fields(cell)
		case columnRate:
			n, err := strconv.ParseInt(cell, 10, 64)
			if err != nil || n < 1 {
				return d, fmt.Errorf("rate: must be a whole number of messages a second, got %q", cell)
			}
			d.Rate = n
		}
	}
	switch {
	case d.ID == "":
		return d, errors.New("id: is missing")
	case d.Feed == "":
		return d, errors.New("feed: is missing")
	}
	return d, nil
}
