// Package recording reads recorded messages: one a line, `<RFC 3339 time> <topic> <payload>`. The
// line is split at its first space, and then at the first ` {` where a JSON object begins, or at
// ` b64:` where any other payload follows in base64; so topics may hold spaces. Files may be gzip.
package recording

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

// maxLine is the longest line that is read, in bytes: a packet of the broker's greatest size in
// base64, with its topic, fits twice.
const maxLine = 1 << 18

// Entry is one recorded message.
type Entry struct {
	Time    time.Time
	Topic   string
	Payload []byte
}

// Reader reads one file.
type Reader struct {
	path string
	file *os.File
	read atomic.Int64
	scan *bufio.Scanner
	line int
}

// Open opens a recording, plain or gzip.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("can't open the recording: %w", err)
	}
	r := &Reader{path: path, file: f}
	in := bufio.NewReader(&counter{f, &r.read})
	var text io.Reader = in
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if text, err = gzip.NewReader(in); err != nil {
			return nil, errors.Join(fmt.Errorf("%s is no whole gzip file: %w", path, err), f.Close())
		}
	}
	r.scan = bufio.NewScanner(text)
	r.scan.Buffer(nil, maxLine)
	return r, nil
}

// Size returns the file's size in bytes, and Offset how many of them are read: a measure of
// progress that gzip does not spoil.
func (r *Reader) Size() int64 {
	info, err := r.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Offset returns how many bytes of the file are read; it is safe from any goroutine.
func (r *Reader) Offset() int64 { return r.read.Load() }

// Next returns the next message, or io.EOF. Empty lines are passed over. An error names file and
// line. The payload is the caller's.
func (r *Reader) Next() (Entry, error) {
	for r.scan.Scan() {
		r.line++
		text := bytes.TrimRight(r.scan.Bytes(), "\r")
		if len(text) == 0 {
			continue
		}
		e, err := Parse(text)
		if err != nil {
			return Entry{}, fmt.Errorf("%s:%d: %w", r.path, r.line, err)
		}
		return e, nil
	}
	if err := r.scan.Err(); err != nil {
		return Entry{}, fmt.Errorf("%s breaks off after line %d: %w", r.path, r.line, err)
	}
	return Entry{}, io.EOF
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Parse reads one line.
func Parse(line []byte) (Entry, error) {
	stamp, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return Entry{}, errors.New("a line is `time topic payload`")
	}
	t, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return Entry{}, fmt.Errorf("%q is no RFC 3339 time", stamp)
	}
	if topic, object, ok := bytes.Cut(rest, []byte(" {")); ok && len(topic) > 0 {
		return Entry{Time: t, Topic: string(topic), Payload: append([]byte("{"), object...)}, nil
	}
	topic, coded, ok := bytes.Cut(rest, []byte(" b64:"))
	if !ok || len(topic) == 0 {
		return Entry{}, errors.New("there is no payload: neither ` {` nor ` b64:` behind a topic")
	}
	payload, err := base64.StdEncoding.AppendDecode(nil, coded)
	if err != nil {
		return Entry{}, fmt.Errorf("the payload is no base64: %w", err)
	}
	return Entry{Time: t, Topic: string(topic), Payload: payload}, nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}
