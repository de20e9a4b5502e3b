//go:build unix

package broker

import (
	"io"
	"syscall"
)

// rawReader waits for bytes of a socket without a buffer: it takes one when there is something to read.
type rawReader struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool // made once, so that a wait allocates nothing
	got  *buffer
	n    int
	err  error
}

// newRawReader returns a rawReader for a connection that shows its socket, else nil.
func newRawReader(conn any) *rawReader {
	shown, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := shown.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawReader{conn: raw}
	r.try = r.read
	return r
}

// read reads what is there. It returns false if nothing is.
func (r *rawReader) read(fd uintptr) bool {
	r.got = getBuffer()
	for {
		r.n, r.err = syscall.Read(int(fd), r.got.data)
		if r.err != syscall.EINTR {
			break
		}
	}
	if r.err == syscall.EAGAIN {
		r.got.release()
		r.got = nil
		return false
	}
	return true
}

// wait waits for bytes and returns them.
func (r *rawReader) wait() (*buffer, error) {
	err := r.conn.Read(r.try)
	b := r.got
	r.got = nil
	switch {
	case b == nil:
		return nil, err
	case r.err == nil && r.n <= 0:
		err = io.EOF
	case r.err != nil:
		err = r.err
	}
	if err != nil {
		b.release()
		return nil, err
	}
	b.w = r.n
	return b, nil
}
