// Package recording reads recorded messages, one on each line: `<RFC 3339 time> <topic> <payload>`. A line is split at
// its first space, and then at the first ` {`, which begins a JSON object, or else at ` b64:`, which begins any other
// payload in base64. A topic may therefore contain spaces. Files may be compressed with gzip.
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

// maxLine bounds the length of a line in bytes. It is twice the length of the largest packet in base64 with its topic.
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
	in := bufio.NewReader(&countingReader{f, &r.read})
	var text io.Reader = in
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if text, err = gzip.NewReader(in); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: invalid gzip file: %w", path, err), f.Close())
		}
	}
	r.scan = bufio.NewScanner(text)
	r.scan.Buffer(nil, maxLine)
	return r, nil
}

// Size returns the size of the file in bytes. Offset and Size measure progress even if the file is compressed.
func (r *Reader) Size() int64 {
	info, err := r.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Offset returns how many bytes of the file have been read. It is safe for concurrent use.
func (r *Reader) Offset() int64 { return r.read.Load() }

// Next returns the next message, or io.EOF at the end. It skips empty lines. An error names the file and the line. The
// caller may keep the payload.
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
		return Entry{}, fmt.Errorf("%s: can't read beyond line %d: %w", r.path, r.line, err)
	}
	return Entry{}, io.EOF
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Parse reads one line.
func Parse(line []byte) (Entry, error) {
	stamp, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return Entry{}, errors.New("must be `time topic payload`")
	}
	t, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return Entry{}, fmt.Errorf("%q is not an RFC 3339 time", stamp)
	}
	if topic, object, ok := bytes.Cut(rest, []byte(" {")); ok && len(topic) > 0 {
		return Entry{Time: t, Topic: string(topic), Payload: append([]byte("{"), object...)}, nil
	}
	topic, coded, ok := bytes.Cut(rest, []byte(" b64:"))
	if !ok || len(topic) == 0 {
		return Entry{}, errors.New("no payload: neither ` {` nor ` b64:` after a topic")
	}
	payload, err := base64.StdEncoding.AppendDecode(nil, coded)
	if err != nil {
		return Entry{}, fmt.Errorf("the payload is not base64: %w", err)
	}
	return Entry{Time: t, Topic: string(topic), Payload: payload}, nil
}

// countingReader counts the bytes read.
type countingReader struct {
	io.Reader
	n *atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}
