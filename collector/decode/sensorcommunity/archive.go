package sensorcommunity

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// column is a column of the archive. It holds a quantity or a field of row.field, or is skipped.
type column struct {
	name     string
	quantity nhip.Quantity
}

// readArchive reads a file of the archive: a header, then a line for each time of a sensor. A faulty line is rejected
// alone.
func readArchive(in *decode.Input, out *nhip.Facts) error {
	head, rest, _ := cutLine(in.Payload)
	columns, err := readHeader(head)
	if err != nil {
		return err
	}
	period := in.Feed.PeriodOr(defaultPeriod)
	station, faults := "", in.Faults()
	for n := 2; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = cutLine(rest)
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		out.BeginRow("line ", n, "")
		r := row{
			in: in, faults: &faults, name: "line " + strconv.Itoa(n),
			values: decode.ValueSet{Station: station, Period: period},
		}
		if err := r.read(line, columns); err != nil {
			faults.Reject(decode.InRow(r.name, err))
			continue
		}
		r.values.AppendTo(out)
		station = r.values.Station
	}
	return nil
}

func cutLine(b []byte) (line, rest []byte, found bool) {
	line, rest, found = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest, found
}

func readHeader(line []byte) ([]column, error) {
	var columns []column
	for name := range bytes.SplitSeq(line, []byte{';'}) {
		c := column{name: string(name), quantity: quantity(name)}
		if slices.Contains(columns, c) {
			return nil, nhip.Errorf(nhip.CodeMalformed, "line 1", "the column %q occurs twice", c.name)
		}
		columns = append(columns, c)
	}
	for _, name := range [...]string{"sensor_id", "timestamp"} {
		if slices.Contains(columns, column{name: name}) {
			continue
		}
		if len(columns) == 1 {
			return nil, nhip.Errorf(nhip.CodeMalformed, "",
				"is neither JSON nor an archive file, which begins with sensor_id;sensor_type;…")
		}
		return nil, nhip.Errorf(nhip.CodeMissing, "line 1", "the column %q is required", name)
	}
	return columns, nil
}

// row is one line of the archive.
type row struct {
	in       *decode.Input
	faults   *decode.Faults
	name     string
	values   decode.ValueSet
	lat, lon nhip.Opt[float64]
}

func (r *row) read(line []byte, columns []column) error {
	if n := bytes.Count(line, []byte{';'}) + 1; n != len(columns) {
		return nhip.Errorf(nhip.CodeMalformed, "", "has %d fields, want %d as in the header", n, len(columns))
	}
	for _, c := range columns {
		var text []byte
		text, line, _ = bytes.Cut(line, []byte{';'})
		if err := r.field(c, text); err != nil {
			return jsonscan.InField(err, c.name)
		}
	}
	r.values.Point = point(r.lat, r.lon)
	return nil
}

func (r *row) field(c column, text []byte) (err error) {
	if c.quantity != "" {
		v, err := decode.ParseMeasured(text)
		r.values.AddKnown(c.quantity, v)
		if err != nil { // it costs the value
			r.faults.Reject(decode.InRow(r.name, jsonscan.InField(err, c.name)))
		}
		return nil
	}
	switch c.name {
	case "sensor_id":
		if len(text) == 0 {
			return nhip.Errorf(nhip.CodeMissing, "", "is required")
		}
		r.values.Station = sameStation(r.values.Station, text)
	case "timestamp":
		r.values.Time, err = decode.LocalTime(string(text), time.UTC)
	case "lat":
		r.lat, err = decode.ParseMeasured(text)
		r.in.DropField(r.name, c.name, err)
		return nil
	case "lon":
		r.lon, err = decode.ParseMeasured(text)
		r.in.DropField(r.name, c.name, err)
		return nil
	}
	return err
}
