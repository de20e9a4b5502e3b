package influx

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// digest is a sum over rows that does not depend on their order.
type digest struct {
	Rows int64  `json:"rows"`
	High uint64 `json:"high"`
	Low  uint64 `json:"low"`
}

// add adds a row: half of its SHA-256, so that two sets of rows with the same sum do not occur.
func (d *digest) add(line []byte) {
	hash := sha256.Sum256(line)
	var carry uint64
	d.Low, carry = bits.Add64(d.Low, binary.BigEndian.Uint64(hash[8:16]), 0)
	d.High, _ = bits.Add64(d.High, binary.BigEndian.Uint64(hash[:8]), carry)
	d.Rows++
}

// fieldTypes are the types of a measurement's fields in InfluxQL: float, integer, unsigned, string, boolean.
type fieldTypes map[string]string

// fieldTypes adds the types of a measurement's fields to types. A field that has two types, in different shards, can't
// be read in both, so it is an error.
func (db *DB) fieldTypes(ctx context.Context, measurement string, types fieldTypes) error {
	return db.each(ctx, "SHOW FIELD KEYS FROM "+quoteInfluxQL(measurement), func(s *copySeries) error {
		for _, row := range s.Values {
			if len(row) < 2 {
				continue
			}
			name, _ := row[0].(string)
			kind, _ := row[1].(string)
			if before, known := types[name]; known && before != kind {
				return nhip.Errorf(nhip.CodeInvalid, name, "has two types in the database, %s and %s, so that it can't be copied "+
					"exactly: delete the rows of one of them", before, kind)
			}
			types[name] = kind
		}
		return nil
	})
}

// firstRow returns the time of a measurement's first row at or after a time. It looks at longer and longer spans,
// because InfluxDB opens all series of all shards of a span before it returns the first row.
func (db *DB) firstRow(ctx context.Context, measurement string, at time.Time) (first time.Time, ok bool, err error) {
	for span := longSpan; !ok && at.Before(latestRow); span *= 4 {
		end := at.Add(span)
		if end.After(latestRow) || span > maxLook {
			end = latestRow
		}
		statement := fmt.Sprintf("SELECT * FROM %s WHERE time >= %d AND time < %d ORDER BY time ASC LIMIT 1",
			quoteInfluxQL(measurement), at.UnixNano(), end.UnixNano())
		err = db.each(ctx, statement, func(s *copySeries) error {
			for _, row := range s.Values {
				if first, err = timeOf(row); err != nil {
					return err
				}
				ok = true
			}
			return nil
		})
		if err != nil {
			return first, false, err
		}
		at = end
	}
	return first, ok, nil
}

// checkTimes returns an error if a measurement has rows of times that are not copied. No row of nhip has one.
func (db *DB) checkTimes(ctx context.Context, measurement string) error {
	for _, beyond := range []string{
		fmt.Sprintf("time < %d", epoch.UnixNano()), fmt.Sprintf("time >= %d", latestRow.UnixNano()),
	} {
		statement := fmt.Sprintf("SELECT * FROM %s WHERE %s LIMIT 1", quoteInfluxQL(measurement), beyond)
		err := db.each(ctx, statement, func(s *copySeries) error {
			if len(s.Values) == 0 {
				return nil
			}
			return nhip.Errorf(nhip.CodeInvalid, "", "has rows before 1970 or after 2199, which are not copied: delete them")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// maxLook is the longest span that firstRow looks at before it looks at all the rest.
const maxLook = 16 * 366 * 24 * time.Hour

var errNotARow = errors.New("the response has a row without a time")

func timeOf(row []any) (time.Time, error) {
	if len(row) == 0 {
		return time.Time{}, errNotARow
	}
	number, _ := row[0].(json.Number)
	ns, err := number.Int64()
	if err != nil {
		return time.Time{}, errNotARow
	}
	return time.Unix(0, ns).UTC(), nil
}

// lines calls yield for each row of a span, as a line of line protocol with its time in ns. The line is valid until
// yield returns.
func (db *DB) lines(ctx context.Context, s copySpan, fields fieldTypes, yield func(line []byte) error) error {
	statement := fmt.Sprintf("SELECT * FROM %s WHERE time >= %d AND time < %d GROUP BY *", quoteInfluxQL(s.measurement),
		s.begin.UnixNano(), s.end.UnixNano())
	var line []byte
	return db.each(ctx, statement, func(series *copySeries) error {
		key := seriesKey(s.measurement, series.Tags)
		for _, row := range series.Values {
			var err error
			if line, err = appendRow(append(line[:0], key...), series.Columns, row, fields); err != nil {
				return err
			}
			if err := yield(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// seriesKey returns the begin of a line: the measurement and the tags in order.
func seriesKey(measurement string, tags map[string]string) []byte {
	key := appendEscaped(nil, measurement, ", ")
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if tags[name] == "" {
			continue // the series lacks the tag
		}
		key = appendEscaped(append(key, ','), name, ",= ")
		key = appendEscaped(append(key, '='), tags[name], ",= ")
	}
	return append(key, ' ')
}

// appendEscaped appends text with a backslash before each of the special characters.
func appendEscaped(dst []byte, text, special string) []byte {
	for i := range len(text) {
		if strings.IndexByte(special, text[i]) >= 0 {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return dst
}

// appendRow appends the fields and the time of a row.
func appendRow(line []byte, columns []string, row []any, fields fieldTypes) ([]byte, error) {
	if len(row) != len(columns) {
		return nil, errNotARow
	}
	at, err := timeOf(row)
	if err != nil {
		return nil, err
	}
	before := len(line)
	for i, v := range row[1:] {
		if v == nil {
			continue
		}
		if len(line) > before {
			line = append(line, ',')
		}
		name := columns[i+1]
		line = append(appendEscaped(line, name, ",= "), '=')
		if line, err = appendFieldValue(line, v, fields[name]); err != nil {
			return nil, fmt.Errorf("field %q at %s: %w", name, at.Format(time.RFC3339Nano), err)
		}
	}
	line = append(line, ' ')
	return append(strconv.AppendInt(line, at.UnixNano(), 10), '\n'), nil
}

// appendFieldValue appends a value as a field of a type. Numbers keep their digits, so that they stay exact.
func appendFieldValue(line []byte, v any, kind string) ([]byte, error) {
	switch v := v.(type) {
	case json.Number:
		line = append(line, v...)
		switch kind {
		case "float":
			return line, nil
		case "integer":
			return append(line, 'i'), nil
		case "unsigned":
			return append(line, 'u'), nil
		}
	case bool:
		if kind == "boolean" {
			return strconv.AppendBool(line, v), nil
		}
	case string:
		if kind == "string" {
			return append(appendEscaped(append(line, '"'), v, `"\`), '"'), nil
		}
	}
	return nil, fmt.Errorf("the value %v is not of the type %q", v, kind)
}

// copySeries is a part of a response that has one set of tags.
type copySeries struct {
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"` // numbers as json.Number
}

// each sends a statement and calls yield for each part of the response, as it arrives.
func (db *DB) each(ctx context.Context, statement string, yield func(*copySeries) error) error {
	// The limit applies to each wait for InfluxDB, not to yield, which may wait for another InfluxDB.
	stalled, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := time.AfterFunc(db.opts.Timeout, func() { cancel(errStalled) })
	defer limit.Stop()
	form := db.dialect.influxQL()
	form.Set("q", statement)
	form.Set("epoch", "ns")
	form.Set("chunked", "true")
	form.Set("chunk_size", strconv.Itoa(chunkRows))
	resp, err := db.postInfluxQL(stalled, form, jsonType)
	if err != nil {
		return db.explainQuery(ctx, stalled, err)
	}
	defer resp.Body.Close()
	parts := json.NewDecoder(resp.Body)
	parts.UseNumber()
	for complete := false; ; { // see jsonPart
		var part copyChunk
		err := parts.Decode(&part)
		if errors.Is(err, io.EOF) && complete {
			return nil
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return db.explainQuery(ctx, stalled, notInfluxDB(err))
		}
		limit.Stop()
		if complete, err = part.each(yield); err != nil {
			return db.explainRow(ctx, stalled, err)
		}
		limit.Reset(db.opts.Timeout)
	}
}

// explainRow explains an error that InfluxDB sent in a response, and leaves the errors of whoever got the rows.
func (db *DB) explainRow(caller, stalled context.Context, err error) error {
	var failed *failedError
	if errors.As(err, &failed) {
		return db.explainQuery(caller, stalled, err)
	}
	return err
}

// copyChunk is one part of a response.
type copyChunk struct {
	Error   string `json:"error"`
	Results []struct {
		Error   string       `json:"error"`
		Partial bool         `json:"partial"`
		Series  []copySeries `json:"series"`
	} `json:"results"`
}

// each calls yield for each series, and reports whether the response may end with the chunk.
func (c *copyChunk) each(yield func(*copySeries) error) (complete bool, err error) {
	if c.Error != "" {
		return false, &failedError{c.Error}
	}
	complete = true
	for i := range c.Results {
		r := &c.Results[i]
		if r.Error != "" {
			return false, &failedError{r.Error}
		}
		for j := range r.Series {
			if err := yield(&r.Series[j]); err != nil {
				return false, err
			}
		}
		complete = complete && !r.Partial
	}
	return complete, nil
}
