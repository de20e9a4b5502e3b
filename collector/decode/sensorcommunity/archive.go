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

// column is what a column of the archive holds: a quantity, or one of the names that row.field
// knows; "" for one that is passed over.
type column struct {
	name     string
	quantity nhip.Quantity
}

// readArchive reads a file of the archive: a header, then a line for each moment of a sensor. A line that is
// broken is turned away alone.
func readArchive(in *decode.Input, out *nhip.Facts) error {
	head, rest, _ := cutLine(in.Payload)
	columns, err := readHeader(head)
	if err != nil {
		return err
	}
	period := in.Feed.PeriodOr(usualInterval)
	station, faults := "", in.Faults()
	for n := 2; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = cutLine(rest)
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := row{box: decode.Box{Station: station, Period: period}}
		if err := r.read(line, columns); err != nil {
			faults.Reject(decode.Within("line "+strconv.Itoa(n), err))
			continue
		}
		r.box.AppendTo(out)
		station = r.box.Station
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
			return nil, nhip.Errorf(nhip.Malformed, "line 1", "the column %q stands twice", c.name)
		}
		columns = append(columns, c)
	}
	for _, needed := range [...]string{"sensor_id", "timestamp"} {
		if slices.Contains(columns, column{name: needed}) {
			continue
		}
		if len(columns) == 1 {
			return nil, nhip.Errorf(nhip.Malformed, "", "is neither JSON nor an archive file, which begins with sensor_id;sensor_type;…")
		}
		return nil, nhip.Errorf(nhip.Missing, "line 1", "the column %q is required", needed)
	}
	return columns, nil
}

// row is one line of the archive.
type row struct {
	box      decode.Box
	lat, lon nhip.Opt[float64]
}

func (r *row) read(line []byte, columns []column) error {
	if n := bytes.Count(line, []byte{';'}) + 1; n != len(columns) {
		return nhip.Errorf(nhip.Malformed, "", "holds %d fields where the header names %d", n, len(columns))
	}
	for _, c := range columns {
		var text []byte
		text, line, _ = bytes.Cut(line, []byte{';'})
		if err := r.field(c, text); err != nil {
			return jsonscan.In(err, c.name)
		}
	}
	r.box.Point = point(r.lat, r.lon)
	return nil
}

func (r *row) field(c column, text []byte) (err error) {
	if c.quantity != "" {
		v, err := decode.ParseMeasured(text)
		r.box.AddKnown(c.quantity, v)
		return err
	}
	switch c.name {
	case "sensor_id":
		if len(text) == 0 {
			return nhip.Errorf(nhip.Missing, "", "is required")
		}
		r.box.Station = sameStation(r.box.Station, text)
	case "timestamp":
		r.box.Time, err = decode.LocalTime(string(text), time.UTC)
	case "lat":
		r.lat, err = decode.ParseMeasured(text)
	case "lon":
		r.lon, err = decode.ParseMeasured(text)
	}
	return err
}
