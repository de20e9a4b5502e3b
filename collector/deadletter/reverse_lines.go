package deadletter

import (
	"bytes"
	"io"
)

// reverseChunk is the number of bytes read at once; most letters are shorter.
const reverseChunk = 64 << 10

// reverseLineReader reads the lines of a file from its end. It omits a last line without a newline, which is still
// being written.
type reverseLineReader struct {
	src io.ReaderAt
	end int64  // end of the unread lines in the file
	buf []byte // the bytes before end that are in memory
}

// newReverseLineReader starts before an offset of the file, or at its end if before is negative or too large.
func newReverseLineReader(f io.ReadSeeker, before int64) (*reverseLineReader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if before < 0 || before > size {
		before = size
	}
	r := &reverseLineReader{src: f.(io.ReaderAt), end: before}
	return r, r.dropIncompleteLine()
}

// dropIncompleteLine skips the bytes after the last newline.
func (r *reverseLineReader) dropIncompleteLine() error {
	for {
		if at := bytes.LastIndexByte(r.buf, '\n'); at >= 0 {
			r.end -= int64(len(r.buf) - at - 1)
			r.buf = r.buf[:at+1]
			return nil
		}
		if more, err := r.fill(); err != nil || !more {
			r.end, r.buf = r.end-int64(len(r.buf)), nil
			return err
		}
	}
}

// next returns the last unread line without its newline; ok is false if there is none. The line stays valid.
func (r *reverseLineReader) next() (line []byte, ok bool, err error) {
	for {
		if n := len(r.buf); n > 0 {
			if at := bytes.LastIndexByte(r.buf[:n-1], '\n'); at >= 0 || int64(n) == r.end {
				line := r.buf[at+1 : n-1]
				r.end -= int64(n - at - 1)
				r.buf = r.buf[:at+1]
				return line, true, nil
			}
		}
		if more, err := r.fill(); err != nil || !more {
			return nil, false, err
		}
	}
}

// fill reads the chunk before buf. It reports false at the beginning of the file.
func (r *reverseLineReader) fill() (bool, error) {
	start := r.end - int64(len(r.buf))
	if start == 0 {
		return false, nil
	}
	n := min(start, reverseChunk)
	grown := make([]byte, n, n+int64(len(r.buf)))
	if _, err := r.src.ReadAt(grown, start-n); err != nil {
		return false, err
	}
	r.buf = append(grown, r.buf...)
	return true, nil
}
