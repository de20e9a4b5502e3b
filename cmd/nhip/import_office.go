package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/officetable"
	"nhip/internal/chunks"
)

// officeFlags decide what a table of an office leaves open. They apply to the format csv.
type officeFlags struct {
	Zone      string        `help:"${help_import_zone}" placeholder:"ZONE"`
	DateOrder string        `help:"${help_import_order}" enum:",dmy,mdy,ymd" default:"" placeholder:"ORDER"`
	Stamps    string        `help:"${help_import_stamps}" enum:"ending,beginning" default:"ending" placeholder:"WHICH"`
	Period    time.Duration `help:"${help_import_period}" placeholder:"1h"`
	Unit      []string      `help:"${help_import_unit}" placeholder:"[QUANTITY=]UNIT"`
	Decimal   string        `help:"${help_import_decimal}" enum:",comma,point" default:"" placeholder:"SIGN"`
	Encoding  string        `help:"${help_import_encoding}" enum:",utf-8,utf-16,windows-1258,windows-1252" default:""`
	Sheet     string        `help:"Sheet of a workbook (.xlsx) with several." placeholder:"NAME"`
	Mapping   string        `help:"${help_import_mapping}" type:"existingfile" placeholder:"FILE"`
}

// given reports whether any of the flags is given.
func (f *officeFlags) given() bool {
	return f.Zone+f.DateOrder+f.Decimal+f.Encoding+f.Sheet+f.Mapping != "" || f.Stamps != "ending" || f.Period != 0 ||
		len(f.Unit) > 0
}

// tableOptions returns the flags as options of a table. zone is that of the format's feed.
func (f *officeFlags) tableOptions(zone *time.Location) (o officetable.Options, err error) {
	o = officetable.Options{
		Zone: zone, DateOrder: f.DateOrder, Beginning: f.Stamps == "beginning", Period: f.Period, Decimal: f.Decimal,
		Encoding: f.Encoding, Sheet: f.Sheet, Units: make(map[nhip.Quantity]string),
	}
	if f.Period < 0 || f.Period > nhip.MaxPeriod {
		return o, fmt.Errorf("--period: must be longer than 0 and at most 366 days, got %s",
			nhip.FormatDuration(f.Period))
	}
	if f.Zone != "" {
		if o.Zone, err = time.LoadLocation(f.Zone); err != nil {
			return o, fmt.Errorf("--zone: must be a time zone as in Asia/Ho_Chi_Minh, got %q", f.Zone)
		}
	}
	for _, text := range f.Unit {
		if err := addUnit(o.Units, text); err != nil {
			return o, err
		}
	}
	if f.Mapping == "" {
		return o, nil
	}
	file, err := os.Open(f.Mapping)
	if err != nil {
		return o, err
	}
	defer file.Close()
	o.Mapping, err = officetable.ReadMapping(file)
	return o, err
}

// addUnit adds "no2=ppb" to the units, or "ppb", which applies to all quantities that have no unit.
func addUnit(units map[nhip.Quantity]string, text string) error {
	name, unit, named := strings.Cut(text, "=")
	if !named {
		units[""] = strings.TrimSpace(text)
		for _, q := range []nhip.Quantity{nhip.CO, nhip.Temperature, nhip.Humidity, nhip.Pressure} {
			if _, err := decode.Convert(q, 0, units[""]); err == nil && units[""] != "" {
				return nil
			}
		}
		return fmt.Errorf("--unit: %q is not a known unit", text)
	}
	q, ok := nhip.ParseQuantity(strings.ToLower(strings.TrimSpace(name)))
	if !ok {
		return fmt.Errorf("--unit: %q is not a known quantity", name)
	}
	units[q] = strings.TrimSpace(unit)
	if _, err := decode.Convert(q, 0, units[q]); err != nil {
		return fmt.Errorf("--unit: %w", err)
	}
	return nil
}

// maxTable is more than a table of an office may have. officetable has the bound that it enforces.
const maxTable = 65 << 20

// openTable reads a table of an office. It returns nil for a table in the platform's own form, which is read as a
// stream.
func (i *importer) openTable(in *bufio.Reader, station string) (*officetable.Table, error) {
	start, _ := in.Peek(peekSize)
	if !i.given() && isOwnForm(start) {
		return nil, nil
	}
	content, err := io.ReadAll(io.LimitReader(in, maxTable))
	if err != nil {
		return nil, err
	}
	o, err := i.tableOptions(i.feed.Zone)
	if err != nil {
		return nil, err
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

// checkTables reads the layout of every table, so that a question that a flag decides ends the import before anything
// is published.
func (i *importer) checkTables() error {
	var all error
	for _, path := range i.Files {
		err := i.withFile(path, io.Discard, func(in *bufio.Reader, name string) error {
			t, err := i.openTable(in, name)
			if t != nil && i.DryRun {
				for _, note := range t.Notes() {
					fmt.Fprintf(i.env.stdout, "%s: %s\n", path, note)
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
func (i *importer) importTable(t *officetable.Table, path, name string) error {
	var batch officeBatch
	flush := func() error {
		if len(batch.rows) == 0 {
			return nil
		}
		c := chunks.Chunk{Payload: batch.payload(), First: batch.rows[0].Line}
		err := i.publish(path, name, c, batch.describe)
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
