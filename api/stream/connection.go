package stream

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// connection is a connection that was taken over from net/http. The worker that serves its stream owns it, except
// close.
type connection struct {
	conn    net.Conn
	tcp     *net.TCPConn    // its socket; nil if it is unknown
	raw     syscall.RawConn // of tcp
	chunked bool            // whether frames are chunks (HTTP/1.1)

	unsent []byte        // what the client has not taken of a frame, or the head of the answer
	kept   bool          // whether unsent has its own memory
	since  time.Duration // when that frame was composed
	moved  time.Duration // when the client last took some of it
	retry  time.Duration // when the rest of it is tried again
	more   bool          // whether the stream has more than the frame held
}

// takeOver takes the connection of a request over from net/http. The head of the answer waits to be sent. It returns
// nil if that can't be.
func takeOver(w http.ResponseWriter, r *http.Request, at time.Duration) *connection {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	c := newConnection(conn, at)
	c.chunked, c.kept = r.ProtoAtLeast(1, 1), true
	c.unsent = answerHead(w.Header(), c.chunked)
	return c
}

// newConnection returns a connection without TLS whose frames are no chunks.
func newConnection(conn net.Conn, at time.Duration) *connection {
	c := &connection{conn: conn, tcp: socketOf(conn), since: at, moved: at, retry: firstRetry}
	c.raw = prepareSocket(c.tcp)
	return c
}

// answerHead returns the head of an answer.
func answerHead(h http.Header, chunked bool) []byte {
	h = h.Clone()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Connection", "close")
	if chunked {
		h.Set("Transfer-Encoding", "chunked")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.%d 200 OK\r\n", map[bool]int{true: 1}[chunked])
	_ = h.Write(&b) // a buffer never fails
	b.WriteString("\r\n")
	return bytes.Clone(b.Bytes())
}

// chunkHead is the space for the size of a chunk: eight hexadecimal digits and CR LF.
const chunkHead = 10

// headroom returns the space before a frame.
func (c *connection) headroom() int {
	if c.chunked {
		return chunkHead
	}
	return 0
}

// seal makes a chunk of a frame with headroom, if frames are chunks.
func (c *connection) seal(b []byte) []byte {
	if !c.chunked {
		return b
	}
	size := strconv.AppendInt(make([]byte, 0, chunkHead), int64(len(b)-chunkHead), 16)
	size = append(size, "\r\n"...)
	start := chunkHead - len(size)
	copy(b[start:], size)
	return append(b[start:], "\r\n"...)
}

// write sends what is unsent, as far as the client takes it without a wait.
func (c *connection) write(w *writer) (int, error) {
	if len(c.unsent) == 0 {
		return 0, nil
	}
	n, err := w.write(c, c.unsent)
	c.unsent = c.unsent[n:]
	return n, err
}

// keepUnsent copies what is unsent out of the worker's buffer.
func (c *connection) keepUnsent() {
	switch {
	case len(c.unsent) == 0:
		c.unsent, c.kept = nil, false
	case !c.kept:
		c.unsent, c.kept = slices.Clone(c.unsent), true
	}
}

// Ends of streams that the server ends.
var (
	lastChunk = []byte("0\r\n\r\n")
	goingAway = appendClose(nil, statusGoingAway, "the server is stopping")
)

// finish ends the answer of a stream, if the client has taken everything so far.
func (c *connection) finish(v *view) {
	end := lastChunk
	if v.socket {
		end = goingAway
	}
	if len(c.unsent) > 0 || !v.socket && !c.chunked {
		return
	}
	var w writer
	_, _ = w.write(c, end) // the connection is closed next
}

// maxInput is the number of bytes that a client may send after its request, which asks for nothing more.
const maxInput = 1024

// awaitEnd returns when the client has closed the connection, or sends what it should not.
func (c *connection) awaitEnd() {
	buf := make([]byte, 16)
	for total := 0; total <= maxInput; {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}

// close closes the connection. If the client does not read, the kernel drops what it still holds.
func (c *connection) close(dropUnread bool) {
	if c.tcp != nil && dropUnread {
		_ = c.tcp.SetLinger(0) // if it fails, the kernel keeps trying for a while
	}
	_ = c.conn.Close() // nothing depends on it
}

// Limits of a client that does not read what was sent. Without any progress it is disconnected after
// rest.ClientTimeout.
const (
	firstRetry  = 5 * time.Millisecond   // when its connection is tried again
	lastRetry   = 200 * time.Millisecond // after tries without progress
	frameLimit  = time.Minute            // for one frame: at least 1 kB/s
	unsentLimit = frameBytes             // bytes that wait in the kernel
)

// Bounds of what a stream is given at a time. More follows at once.
const (
	frameBytes = 64 << 10 // from which no event is added
	frameScan  = 8192     // changes that are read
)
