package fileimport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/officetable"
	"nhip/internal/chunks"
)

// maxTable is more than a table of an office may have. officetable has the bound that it enforces.
const maxTable = 65 << 20

// openTable reads a table of an office. It returns nil for a table in the platform's own form, which is read as a
// stream.
func (i *Importer) openTable(in *bufio.Reader, station string) (*officetable.Table, error) {
	start, _ := in.Peek(peekSize)
	if i.options.Table == nil && isOwnForm(start) {
		return nil, nil
	}
	content, err := io.ReadAll(io.LimitReader(in, maxTable))
	if err != nil {
		return nil, err
	}
	o := officetable.Options{Zone: i.options.Feed.Zone}
	if i.options.Table != nil {
		o = *i.options.Table
	}
	o.Station = station
	return officetable.Open(content, o)
}

// isOwnForm reports whether the start of a file is a table as the API writes it: commas, our names of columns, and a
// first row whose time has an offset.
func isOwnForm(start []byte) bool {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil || !slices.Contains(header, "quantity") {
		return false
	}
	row, err := r.Read()
	if err != nil || len(row) != len(header) {
		return errors.Is(err, io.EOF)
	}
	at := slices.Index(header, "time")
	if at < 0 {
		return slices.Contains(header, "utc_offset")
	}
	_, err = time.Parse(time.RFC3339Nano, row[at])
	_, known := nhip.ParseQuantity(row[slices.Index(header, "quantity")])
	return err == nil && known
}

// CheckTables reads the layout of every table of an office, so that a question that an option decides ends the import
// before anything is published. It calls noted with "FILE: how it is understood", some for each table; noted may be
// nil. The error has the faults of all files.
func (i *Importer) CheckTables(paths []string, noted func(string)) error {
	var all error
	for _, path := range paths {
		err := i.withFile(path, io.Discard, func(in *bufio.Reader, name string) error {
			t, err := i.openTable(in, name)
			if t != nil && noted != nil {
				for _, note := range t.Notes() {
					noted(path + ": " + note)
				}
			}
			return err
		})
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", path, err))
		}
	}
	return all
}

// importTable publishes a table of an office in the platform's own form.
func (i *Importer) importTable(ctx context.Context, t *officetable.Table, path, name string) error {
	var batch officeBatch
	flush := func() error {
		if len(batch.rows) == 0 {
			return nil
		}
		c := chunks.Chunk{Payload: batch.payload(), First: batch.rows[0].Line}
		err := i.publish(ctx, path, name, c, batch.describe)
		batch.rows, batch.size = batch.rows[:0], 0
		return err
	}
	err := t.Each(func(r officetable.Row) error {
		size := 0
		for _, f := range r.Fields {
			size += 2*len(f) + 3 // quoted
		}
		if len(batch.rows) == maxOfficeRows || batch.size+size > maxChunk/2 {
			if err := flush(); err != nil {
				return err
			}
		}
		batch.rows, batch.size = append(batch.rows, r), batch.size+size
		return nil
	})
	return errors.Join(err, flush())
}

// maxOfficeRows is the most rows of one message.
const maxOfficeRows = 500

// officeBatch holds the rows of one message.
type officeBatch struct {
	rows []officetable.Row
	size int
}

// payload returns the rows as a table in the platform's own form.
func (b *officeBatch) payload() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(officetable.Header()) // a buffer takes everything
	for _, r := range b.rows {
		fields := slices.Clone(r.Fields)
		for n := range fields {
			fields[n] = strings.Map(oneLine, fields[n])
		}
		_ = w.Write(fields)
	}
	w.Flush()
	return out.Bytes()
}

// oneLine replaces line breaks, so that line n of the payload is row n-2.
func oneLine(r rune) rune {
	if r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// describe formats a fault of the payload with its line in the file.
func (b *officeBatch) describe(fault *nhip.Error, first int) string {
	m := lineField.FindStringSubmatch(fault.Field)
	if m == nil {
		return fmt.Sprintf("%d: %s", first, fault.Error())
	}
	n, _ := strconv.Atoi(m[1]) // digits only
	if n < 2 || n-2 >= len(b.rows) {
		return fmt.Sprintf("%d: %s", first, fault.Error())
	}
	r := &b.rows[n-2]
	if r.Fault != "" {
		return fmt.Sprintf("%d: %s", r.Line, r.Fault)
	}
	rest := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	return fmt.Sprintf("%d: column %s: %s", r.Line, r.Column, rest.Error())
}
