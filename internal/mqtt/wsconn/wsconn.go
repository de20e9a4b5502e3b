// Package wsconn turns HTTP requests into WebSocket connections (RFC 6455) that carry MQTT, as a server.
//
// A general library keeps some 20 kB for a connection: buffers in both directions and a goroutine for timeouts. Guests
// are many and mostly idle, so a Conn has no buffers beside the 64 bytes for a frame's head, and no goroutine.
package wsconn

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Subprotocol is the WebSocket sub-protocol of MQTT (MQTT 5 §6).
const Subprotocol = "mqtt"

const (
	handshakeTimeout = 10 * time.Second // for the answer to the request
	controlTimeout   = 30 * time.Second // for writing a pong or a close frame
	maxControl       = 1 << 10          // control frames that may follow each other without data
	magic            = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// Opcodes of frames (RFC 6455 §5.2).
const (
	opContinuation = 0x0
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// Codes of close frames (RFC 6455 §7.4.1).
const (
	closeNormal     = 1000
	closeProtocol   = 1002
	closeDataType   = 1003
	closePolicy     = 1008
	maxControlBytes = 125
)

// Accept answers a request to open a WebSocket, with an error if it is not a valid one, and returns the connection. The
// handler may return: nothing of the request is in use any more.
func Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	key, err := checkRequest(r)
	if err != nil {
		w.Header().Set("Connection", "close")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, err.Error(), http.StatusUpgradeRequired)
		return nil, err
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "this connection can't become a WebSocket", http.StatusNotImplemented)
		return nil, err
	}
	c := &Conn{Conn: conn, early: early(buffered.Reader), remote: remoteAddr(r.RemoteAddr)}
	if err := c.answer(key, hasToken(r.Header, "Sec-WebSocket-Protocol", Subprotocol)); err != nil {
		_ = conn.Close() // the client has gone
		return nil, err
	}
	return c, nil
}

// early returns the bytes that were read with the request.
func early(r *bufio.Reader) []byte {
	b := make([]byte, r.Buffered())
	_, _ = io.ReadFull(r, b) // they are in memory
	return b
}

// checkRequest returns the key of a valid request (RFC 6455 §4.2.1).
func checkRequest(r *http.Request) (key string, err error) {
	key = r.Header.Get("Sec-WebSocket-Key")
	random, keyErr := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return "", errors.New("a WebSocket begins with a GET of HTTP/1.1")
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return "", errors.New("the request does not ask for a WebSocket")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", errors.New("Sec-WebSocket-Version must be 13")
	case keyErr != nil || len(random) != 16:
		return "", errors.New("Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return key, nil
}

// hasToken reports whether a header has a token in its comma-separated values.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

// Conn is a WebSocket as a stream of bytes in binary frames.
type Conn struct {
	net.Conn
	early  []byte // read with the request, before Conn
	remote net.Addr

	buf       [64]byte // bytes read and not used yet: buf[r:w]
	r, w      int
	left      int64 // bytes of the present frame
	mask      [4]byte
	at        int  // position in mask
	last      bool // the present frame ends its message
	open      bool // a message has begun
	controls  int  // control frames since the last data
	err       error
	writeLock sync.Mutex
}

// remoteAddr is the address of the peer as HTTP knows it.
type remoteAddr string

func (a remoteAddr) Network() string { return "tcp" }
func (a remoteAddr) String() string  { return string(a) }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// answer sends the end of the handshake.
func (c *Conn) answer(key string, subprotocol bool) error {
	sum := sha1.Sum([]byte(key + magic))
	text := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if subprotocol {
		text += "Sec-WebSocket-Protocol: " + Subprotocol + "\r\n"
	}
	if err := c.Conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	_, err := io.WriteString(c.Conn, text+"\r\n")
	return err
}

// Read returns bytes of binary frames. It answers pings and the close frame, after which it returns io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.left == 0 && c.err == nil {
		c.err = c.nextFrame()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.readSome(p[:min(int64(len(p)), c.left)])
	for i := range p[:n] {
		p[i] ^= c.mask[c.at&3]
		c.at++
	}
	if c.left -= int64(n); c.left == 0 && c.last {
		c.open = false
	}
	return n, err
}

// readSome reads from what was read ahead, or from the network.
func (c *Conn) readSome(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.buf[c.r:c.w])
		c.r += n
		return n, nil
	}
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// need returns the next n bytes, at most 64.
func (c *Conn) need(n int) ([]byte, error) {
	for c.w-c.r < n {
		if c.r > 0 {
			c.w, c.r = copy(c.buf[:], c.buf[c.r:c.w]), 0
		}
		var got int
		var err error
		if len(c.early) > 0 {
			got = copy(c.buf[c.w:], c.early)
			c.early = c.early[got:]
		} else {
			got, err = c.Conn.Read(c.buf[c.w:])
		}
		c.w += got
		if err != nil && c.w-c.r < n {
			return nil, err
		}
	}
	out := c.buf[c.r : c.r+n]
	c.r += n
	return out, nil
}

// nextFrame reads the head of the next frame with data, and handles the control frames before it.
func (c *Conn) nextFrame() error {
	head, err := c.need(2)
	if err != nil {
		return err
	}
	first, op, size := head[0], head[0]&0x0f, int64(head[1]&0x7f)
	if first&0x70 != 0 || head[1] < 0x80 { // an extension, or not masked
		return c.fail(closeProtocol)
	}
	if size, err = c.frameSize(size); err != nil {
		return err
	}
	mask, err := c.need(4)
	if err != nil {
		return err
	}
	copy(c.mask[:], mask)
	c.at = 0
	final := first&0x80 != 0
	switch {
	case op >= opClose:
		if !final || size > maxControlBytes {
			return c.fail(closeProtocol)
		}
		return c.control(op, int(size))
	case op == opBinary && c.open, op == opContinuation && !c.open:
		return c.fail(closeProtocol)
	case op != opBinary && op != opContinuation:
		return c.fail(closeDataType)
	}
	if size == 0 { // it brings nothing, so it counts as a control frame
		if c.controls++; c.controls > maxControl {
			return c.fail(closePolicy)
		}
	} else {
		c.controls = 0
	}
	c.left, c.last, c.open = size, final, size > 0 || !final
	return nil
}

// frameSize returns the size of a frame, of which the first seven bits are given. Nothing is allocated for it.
func (c *Conn) frameSize(first int64) (int64, error) {
	switch first {
	case 126:
		b, err := c.need(2)
		if err != nil {
			return 0, err
		}
		return int64(binary.BigEndian.Uint16(b)), nil
	case 127:
		b, err := c.need(8)
		if err != nil {
			return 0, err
		}
		size := binary.BigEndian.Uint64(b)
		if size>>63 != 0 {
			return 0, c.fail(closeProtocol)
		}
		return int64(size), nil
	}
	return first, nil
}

// control handles a control frame.
func (c *Conn) control(op byte, size int) error {
	if c.controls++; c.controls > maxControl {
		return c.fail(closePolicy)
	}
	var payload [maxControlBytes]byte
	for got := 0; got < size; {
		part, err := c.need(min(size-got, len(c.buf)))
		if err != nil {
			return err
		}
		for _, b := range part {
			payload[got] = b ^ c.mask[got&3]
			got++
		}
	}
	switch op {
	case opPing:
		return c.writeControl(opPong, payload[:size])
	case opPong:
		return nil
	case opClose:
		code := uint16(closeNormal)
		if size == 1 {
			code = closeProtocol
		}
		_ = c.writeControl(opClose, binary.BigEndian.AppendUint16(nil, code)) // the client may have gone
		return io.EOF
	}
	return c.fail(closeProtocol)
}

// ErrProtocol is the error of Read after the client has broken the rules of WebSocket.
var ErrProtocol = errors.New("the client broke the WebSocket protocol")

// fail tells the client why the connection ends.
func (c *Conn) fail(code uint16) error {
	_ = c.writeControl(opClose, binary.BigEndian.AppendUint16(nil, code)) // the client may have gone
	return ErrProtocol
}

func (c *Conn) writeControl(op byte, payload []byte) error {
	c.writeLock.Lock()
	defer c.writeLock.Unlock()
	if err := c.Conn.SetWriteDeadline(time.Now().Add(controlTimeout)); err != nil {
		return err
	}
	_, err := c.Conn.Write(append([]byte{0x80 | op, byte(len(payload))}, payload...))
	return err
}

// frames are buffers for a frame with its head.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptFrame is the largest buffer that is kept for later frames, in bytes.
const maxKeptFrame = 32 << 10

// Write sends p as one binary frame.
func (c *Conn) Write(p []byte) (int, error) {
	b := frames.Get().(*[]byte)
	*b = appendFrame((*b)[:0], p)
	c.writeLock.Lock()
	_, err := c.Conn.Write(*b)
	c.writeLock.Unlock()
	if cap(*b) <= maxKeptFrame {
		frames.Put(b)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func appendFrame(b, p []byte) []byte {
	b = append(b, 0x80|opBinary)
	switch n := len(p); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, p...)
}
