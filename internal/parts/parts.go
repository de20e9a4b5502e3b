// Package parts cuts files of histories into messages that a broker takes.
package parts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds of a part. A line beyond the longest is no line of any history.
const (
	mostRows = 500
	mostLine = 32 << 10
)

// Part is a piece of a file that a decoder can read alone.
type Part struct {
	Payload []byte // good until the next part
	First   int    // number of its first row in the file: a line, from 1, or a result, from 0
}

// Lines cuts a table: each part begins with the line of names, in which its first row is line 2. most is how many
// bytes a part may have.
func Lines(in io.Reader, most int, yield func(Part) error) error {
	r := bufio.NewReaderSize(in, mostLine)
	names, err := line(r, 1)
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	if err != nil {
		return err
	}
	c := cutter{names: bytes.Clone(names), most: most, yield: yield}
	for n := 2; ; n++ {
		row, err := line(r, n)
		if errors.Is(err, io.EOF) {
			return c.flush()
		}
		if err == nil {
			err = c.add(row, n)
		}
		if err != nil {
			return err
		}
	}
}

// line reads a line with its end, which the last one of a file may lack.
func line(r *bufio.Reader, n int) ([]byte, error) {
	row, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d: is longer than %d bytes", n, mostLine)
	case errors.Is(err, io.EOF) && len(row) > 0:
		return append(bytes.Clone(row), '\n'), nil
	}
	return row, err
}

type cutter struct {
	names []byte
	most  int
	yield func(Part) error
	part  []byte
	first int
	rows  int
}

func (c *cutter) add(row []byte, n int) error {
	if c.rows == mostRows || c.rows > 0 && len(c.part)+len(row) > c.most {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if c.rows == 0 {
		c.part, c.first = append(c.part[:0], c.names...), n
	}
	c.part = append(c.part, row...)
	c.rows++
	return nil
}

func (c *cutter) flush() error {
	if c.rows == 0 {
		return nil
	}
	c.rows = 0
	return c.yield(Part{c.part, c.first})
}

// Results cuts a JSON object with a list "results"; each part is an object with some of them.
func Results(in io.Reader, most int, yield func(Part) error) error {
	var page struct {
		Results []json.RawMessage `json:"results"`
	}
	if err := json.NewDecoder(in).Decode(&page); err != nil {
		return fmt.Errorf("can't be read as JSON: %w", err)
	}
	if page.Results == nil {
		return errors.New("results: is required")
	}
	const head, tail = `{"results":[`, `]}`
	part, first := []byte(head), 0
	for i, r := range page.Results {
		if i > first && (i-first == mostRows || len(part)+len(r)+len(tail) > most) {
			if err := yield(Part{append(part, tail...), first}); err != nil {
				return err
			}
			part, first = append(part[:0], head...), i
		}
		if i > first {
			part = append(part, ',')
		}
		part = append(part, r...)
	}
	if len(page.Results) == first {
		return nil
	}
	return yield(Part{append(part, tail...), first})
}

// Whole is a file that is one message.
func Whole(in io.Reader, most int, yield func(Part) error) error {
	raw, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	switch {
	case err != nil:
		return err
	case len(raw) > most:
		return fmt.Errorf("has more than %d bytes", most)
	}
	return yield(Part{raw, 1})
}
