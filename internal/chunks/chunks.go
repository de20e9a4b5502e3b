// Package chunks splits files of historical data into messages of a size that a broker accepts.
package chunks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds of a chunk. No line of a known format is longer than maxLine.
const (
	maxRows = 500
	maxLine = 32 << 10
)

// Chunk is a piece of a file that a decoder can read alone.
type Chunk struct {
	Payload []byte // valid until the next chunk
	First   int    // number of its first row in the file: a line, from 1, or a result, from 0
}

// Lines splits a CSV table. Each chunk begins with the header, so that it is a table of its own. most is the maximum
// size of a chunk in bytes.
func Lines(in io.Reader, most int, yield func(Chunk) error) error {
	r := bufio.NewReaderSize(in, maxLine)
	header, err := readLine(r, 1)
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	if err != nil {
		return err
	}
	c := splitter{header: bytes.Clone(header), maxBytes: most, yield: yield}
	for n := 2; ; n++ {
		row, err := readLine(r, n)
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

// readLine reads a line with its line break, which it adds to a last line without one.
func readLine(r *bufio.Reader, n int) ([]byte, error) {
	row, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d: longer than %d bytes", n, maxLine)
	case errors.Is(err, io.EOF) && len(row) > 0:
		return append(bytes.Clone(row), '\n'), nil
	}
	return row, err
}

type splitter struct {
	header   []byte
	maxBytes int
	yield    func(Chunk) error
	chunk    []byte
	first    int
	rows     int
}

func (c *splitter) add(row []byte, n int) error {
	if c.rows == maxRows || c.rows > 0 && len(c.chunk)+len(row) > c.maxBytes {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if c.rows == 0 {
		c.chunk, c.first = append(c.chunk[:0], c.header...), n
	}
	c.chunk = append(c.chunk, row...)
	c.rows++
	return nil
}

func (c *splitter) flush() error {
	if c.rows == 0 {
		return nil
	}
	c.rows = 0
	return c.yield(Chunk{c.chunk, c.first})
}

// maxResult bounds a result, and any other value of the object, in bytes.
const maxResult = 64 << 10

// Results splits a JSON object with a list "results". Each chunk is an object with some of the results. It reads one
// result at a time, and results of at most maxResult bytes.
func Results(in io.Reader, most int, yield func(Chunk) error) error {
	bounded := &valueReader{r: in}
	d := json.NewDecoder(bounded)
	bounded.d = d
	c := resultSplitter{most: most, yield: yield, chunk: []byte(resultsHead)}
	found := false
	err := eachMember(bounded, func(key string) error {
		if key != "results" {
			return bounded.skip()
		}
		if found {
			return errors.New("results: occurs twice")
		}
		list, err := eachItem(bounded, c.add)
		found = list
		return err
	})
	switch {
	case err != nil:
		return err
	case !found:
		return errors.New("results: is required")
	}
	return c.flush()
}

// eachMember calls read for each key of an object, with the decoder at the value.
func eachMember(in *valueReader, read func(key string) error) error {
	if err := delim(in, '{'); err != nil {
		return err
	}
	for in.more() {
		t, err := in.token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := read(key); err != nil {
			return err
		}
	}
	return delim(in, '}')
}

// eachItem calls read for each item of a list. It returns false if there is null instead.
func eachItem(in *valueReader, read func(json.RawMessage) error) (bool, error) {
	t, err := in.token()
	if err != nil || t == nil {
		return false, err
	}
	if t != json.Delim('[') {
		return false, errors.New("results: must be a list")
	}
	for in.more() {
		in.begin()
		var one json.RawMessage
		if err := in.d.Decode(&one); err != nil {
			return false, invalidJSON(err)
		}
		if err := read(one); err != nil {
			return false, err
		}
	}
	return true, delim(in, ']')
}

func delim(in *valueReader, want json.Delim) error {
	t, err := in.token()
	if err == nil && t != want {
		err = fmt.Errorf("invalid JSON: expected %s", want)
	}
	return err
}

func invalidJSON(err error) error {
	if errors.Is(err, errLongResult) {
		return err
	}
	return fmt.Errorf("invalid JSON: %w", err)
}

var errLongResult = fmt.Errorf("a result is longer than %d bytes", maxResult)

// valueReader fails when the decoder asks for more than maxResult bytes of one value.
type valueReader struct {
	r     io.Reader
	d     *json.Decoder
	read  int64
	limit int64
}

// begin allows one value that begins where the decoder is.
func (v *valueReader) begin() { v.limit = v.d.InputOffset() + maxResult }

func (v *valueReader) more() bool {
	v.begin()
	return v.d.More()
}

func (v *valueReader) token() (json.Token, error) {
	v.begin()
	t, err := v.d.Token()
	if err != nil {
		return nil, invalidJSON(err)
	}
	return t, nil
}

func (v *valueReader) skip() error {
	v.begin()
	var other json.RawMessage
	if err := v.d.Decode(&other); err != nil {
		return invalidJSON(err)
	}
	return nil
}

// Read reads up to the end of the longest value allowed.
func (v *valueReader) Read(p []byte) (int, error) {
	if v.read >= v.limit {
		return 0, errLongResult
	}
	n, err := v.r.Read(p[:min(int64(len(p)), v.limit-v.read)])
	v.read += int64(n)
	return n, err
}

const resultsHead, resultsTail = `{"results":[`, `]}`

// resultSplitter gathers results to chunks.
type resultSplitter struct {
	most        int
	yield       func(Chunk) error
	chunk       []byte
	first, next int // numbers of the first result of the chunk, and of the next one
}

func (c *resultSplitter) add(r json.RawMessage) error {
	if n := c.next - c.first; n == maxRows || n > 0 && len(c.chunk)+len(r)+len(resultsTail) > c.most {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if c.next > c.first {
		c.chunk = append(c.chunk, ',')
	}
	c.chunk = append(c.chunk, r...)
	c.next++
	return nil
}

func (c *resultSplitter) flush() error {
	if c.next == c.first {
		return nil
	}
	err := c.yield(Chunk{append(c.chunk, resultsTail...), c.first})
	c.chunk, c.first = append(c.chunk[:0], resultsHead...), c.next
	return err
}

// Whole passes on a file as one chunk.
func Whole(in io.Reader, most int, yield func(Chunk) error) error {
	raw, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	switch {
	case err != nil:
		return err
	case len(raw) > most:
		return fmt.Errorf("larger than %d bytes", most)
	}
	return yield(Chunk{raw, 1})
}
