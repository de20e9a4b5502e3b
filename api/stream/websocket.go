package stream

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"

	"golang.org/x/time/rate"
)

// Limits of what a client may send over a WebSocket. Beyond them the connection is closed.
const (
	messageRate   = 1    // messages a second, after the first messageBurst
	messageBurst  = 10   //
	inputRate     = 4096 // bytes a second, pings and heads of frames included, after the first inputBurst
	inputBurst    = 64 << 10
	readBuffer    = 256 // bytes
	closeTimeout  = 2 * time.Second
	maxAfterClose = 64 << 10 // bytes that are read after a close frame
)

// asksForSocket reports whether a request asks for a WebSocket.
func asksForSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r, "Upgrade", "websocket")
}

func hasToken(r *http.Request, header, token string) bool {
	for _, line := range r.Header.Values(header) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// checkHandshake returns an error if a request for a WebSocket can't be obeyed (RFC 6455 §4.2.1).
func checkHandshake(r *http.Request) error {
	invalid := func(header, rule string) error { return nhip.Errorf(nhip.CodeInvalid, header, "%s", rule) }
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return invalid("Upgrade", "needs HTTP/1.1")
	case !hasToken(r, "Connection", "Upgrade"):
		return invalid("Connection", "must contain Upgrade; a proxy in front must pass it on")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return invalid("Sec-WebSocket-Version", "must be 13")
	case err != nil || len(key) != 16 || len(r.Header.Values("Sec-WebSocket-Key")) != 1:
		return invalid("Sec-WebSocket-Key", "must be 16 bytes in base64")
	}
	return nil
}

// acceptSocket answers a request for a WebSocket, and takes its connection over from net/http. It returns nil if that
// can't be.
func acceptSocket(w http.ResponseWriter, r *http.Request) (conn net.Conn, buffered []byte) {
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil
	}
	if n := both.Reader.Buffered(); n > 0 {
		buffered, _ = both.Reader.Peek(n) // they are buffered
		buffered = slices.Clone(buffered)
	}
	sum := sha1.Sum([]byte(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")) + acceptMagic))
	head := w.Header().Clone()
	head.Set("Upgrade", "websocket")
	head.Set("Connection", "Upgrade")
	head.Set("Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(sum[:]))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = head.Write(&b) // a buffer never fails
	b.WriteString("\r\n")
	if conn.SetDeadline(time.Now().Add(closeTimeout)) == nil {
		_, err = conn.Write(b.Bytes()) // a few hundred bytes fit into the buffer of any new connection
	}
	if err != nil || conn.SetDeadline(time.Time{}) != nil {
		_ = conn.Close() // the client has gone
		return nil, nil
	}
	return conn, buffered
}

// acceptMagic is part of every answer to a handshake (RFC 6455 §1.3).
const acceptMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// socket reads a WebSocket. It does not write: its answers go into the stream's inbox, because only the goroutine that
// serves the stream writes.
type socket struct {
	conn     net.Conn
	hub      *Hub
	stream   *stream
	as       view   // of the stream when it was opened, whose form and scope it keeps
	early    []byte // read with the request
	frames   frameReader
	messages *rate.Limiter
	input    *rate.Limiter
}

func newSocket(conn net.Conn, early []byte, h *Hub, s *stream) *socket {
	return &socket{
		conn: conn, hub: h, stream: s, as: s.view, early: early,
		messages: rate.NewLimiter(messageRate, messageBurst), input: rate.NewLimiter(inputRate, inputBurst),
	}
}

// read reads what a client sends and answers it, until the connection ends or is closed.
func (c *socket) read() {
	err := c.feed(c.early)
	c.early = nil
	var buf [readBuffer]byte
	for err == nil {
		var n int
		if n, err = c.conn.Read(buf[:]); err == nil {
			err = c.feed(buf[:n])
		}
	}
	var end *closing
	if errors.As(err, &end) {
		c.hub.control(c.stream, appendClose(nil, end.status, end.reason), true)
		c.drain()
	}
}

// feed takes bytes of the client.
func (c *socket) feed(p []byte) error {
	if len(p) > 0 && !c.input.AllowN(time.Now(), len(p)) {
		return &closing{statusPolicy, "too much is sent"}
	}
	return c.frames.feed(p, c.take)
}

// take takes a frame of control or a message.
func (c *socket) take(op byte, payload []byte) error {
	c.hub.heardFrom(c.stream)
	switch op {
	case opPing:
		c.hub.control(c.stream, append([]byte{finalPong, byte(len(payload))}, payload...), false)
		return nil
	case opPong:
		return nil
	}
	if !c.messages.Allow() {
		c.hub.metrics.messages.WithLabelValues("flood").Inc()
		return &closing{statusPolicy, "too many messages"}
	}
	if op == opText {
		return c.hub.receive(c.stream, c.as, payload)
	}
	c.hub.metrics.messages.WithLabelValues("invalid").Inc()
	return c.hub.notify(c.stream, errorNotice(nhip.Errorf(nhip.CodeInvalid, "", "the message must be a text message"), ""))
}

// drain waits until the client, which was sent a close frame, has closed its side: it could not read the frame
// otherwise.
func (c *socket) drain() {
	_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout)) // a connection without deadlines is closed
	_, _ = io.CopyN(io.Discard, c.conn, maxAfterClose)       // until it ends
}
