package collector

import (
	"bytes"
	"io"
)

// backwardChunk is how much is read at once, in bytes: most letters are shorter.
const backwardChunk = 64 << 10

// backward reads the lines of a file from its end. A last line without an end is not whole yet, and is
// left out.
type backward struct {
	src io.ReaderAt
	end int64  // of what is left
	buf []byte // the last bytes before end, as far as they are read
}

// newBackward begins before a byte of the file, or at its end.
func newBackward(f io.ReadSeeker, before int64) (*backward, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if before < 0 || before > size {
		before = size
	}
	b := &backward{src: f.(io.ReaderAt), end: before}
	return b, b.dropPart()
}

// dropPart takes away what stands behind the last end of a line.
func (b *backward) dropPart() error {
	for {
		if at := bytes.LastIndexByte(b.buf, '\n'); at >= 0 {
			b.end -= int64(len(b.buf) - at - 1)
			b.buf = b.buf[:at+1]
			return nil
		}
		if more, err := b.fill(); err != nil || !more {
			b.end, b.buf = b.end-int64(len(b.buf)), nil
			return err
		}
	}
}

// next returns the last line that is left, without its end, valid for as long as the caller likes; false
// when there is none.
func (b *backward) next() ([]byte, bool, error) {
	for {
		if n := len(b.buf); n > 0 {
			if at := bytes.LastIndexByte(b.buf[:n-1], '\n'); at >= 0 || int64(n) == b.end {
				line := b.buf[at+1 : n-1]
				b.end -= int64(n - at - 1)
				b.buf = b.buf[:at+1]
				return line, true, nil
			}
		}
		if more, err := b.fill(); err != nil || !more {
			return nil, false, err
		}
	}
}

// fill reads a chunk before what is read; false at the file's beginning.
func (b *backward) fill() (bool, error) {
	start := b.end - int64(len(b.buf))
	if start == 0 {
		return false, nil
	}
	n := min(start, backwardChunk)
	grown := make([]byte, n, n+int64(len(b.buf)))
	if _, err := b.src.ReadAt(grown, start-n); err != nil {
		return false, err
	}
	b.buf = append(grown, b.buf...)
	return true, nil
}
