package broker

import (
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt/packet"
)

// closeTimeout is how long the last packets to a client may take when the server ends the connection.
const closeTimeout = time.Second

// Client is a connection of a client.
type Client struct {
	server   *Server
	conn     net.Conn
	listener string
	raw      *rawReader // nil: the connection does not show its socket
	first    [1]byte    // for waitByte

	// Set by CONNECT, before other goroutines know the client.
	id        string
	version   byte
	bridge    bool // its subscriptions have No Local and Retain As Published
	identity  any
	limits    *Limits
	maxPacket int           // bytes, to the server
	maxSend   int           // bytes of a packet to the client; 0: no limit
	unacked   int           // messages that may be sent before the client acknowledges them
	keepAlive time.Duration // 0: none
	session   *session
	granted   bool        // by Rules.Connect
	admitted  atomic.Bool // granted, and it has its session
	claimed   bool        // it waits for the session, or has waited; guarded by Server.mu

	// Of the connection's own goroutine.
	deadlineSet time.Time         // when the deadline of the keep-alive was set last
	aliases     map[uint16]string // topics by alias
	lastTopic   string            // of the last message, whose memory the next one shares if it is the same

	mu        sync.Mutex
	changed   sync.Cond // window, control or writing have changed, or ending
	control   []byte    // packets to the client besides messages
	window    window
	writing   bool // the writing goroutine runs
	ending    bool // the server ends the connection: nothing is appended to control
	deadlined time.Time

	ended    atomic.Bool   // ending, without the lock
	endBegan chan struct{} // closed when the end begins
	done     chan struct{} // closed when the connection has ended and the session is free
}

func newClient(s *Server, conn net.Conn, listener string) *Client {
	c := &Client{
		server: s, conn: conn, listener: listener, raw: newRawReader(conn), limits: defaultLimits,
		maxPacket: DefaultMaxPacket, endBegan: make(chan struct{}), done: make(chan struct{}),
	}
	c.changed.L = &c.mu
	return c
}

// ID returns the client id. It is empty until Rules.Connect has returned.
func (c *Client) ID() string { return c.id }

// Conn returns the connection. Rules may look at it, and must not read or write.
func (c *Client) Conn() net.Conn { return c.conn }

// Listener returns the name that was passed to Serve.
func (c *Client) Listener() string { return c.listener }

// Version returns the version of the protocol; 0 before CONNECT.
func (c *Client) Version() byte { return c.version }

// Identity returns what Rules gave the client.
func (c *Client) Identity() any { return c.identity }

// Unacknowledged returns how many messages the client has received and not acknowledged.
func (c *Client) Unacknowledged() int {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	return len(c.session.unacked)
}

// Ending returns a channel that is closed when the server ends the connection. Rules that wait must watch it.
func (c *Client) Ending() <-chan struct{} { return c.endBegan }

// Disconnect ends the connection, and tells a client of MQTT 5 the reason. It does not wait.
func (c *Client) Disconnect(r packet.Reason) { c.end(r) }

func (c *Client) panicked(value any) {
	if f := c.server.observer.Panicked; f != nil {
		f(c, value, debug.Stack())
	}
}

// end begins the end of the connection: it sends what is in control and, to a client of MQTT 5, a DISCONNECT, and
// closes the connection. Only the first call has an effect.
func (c *Client) end(r packet.Reason) {
	if !c.beginEnd(r) {
		_ = c.conn.Close() // nothing can be sent before the log-in
	}
}

// beginEnd reports whether the writing goroutine closes the connection, or there is nothing to do.
func (c *Client) beginEnd(r packet.Reason) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return true
	}
	if c.session != nil && c.version >= packet.V5 && r != packet.Success {
		c.control = packet.AppendDisconnect(c.control, r)
	}
	c.ending = true
	c.ended.Store(true)
	close(c.endBegan)
	now := time.Now()
	_ = c.conn.SetReadDeadline(now) // unblocks the reader
	_ = c.conn.SetWriteDeadline(now.Add(closeTimeout))
	c.startWriting()
	c.changed.Broadcast()
	return c.session != nil
}

// setReadDeadline sets the deadline for reading, unless the server ends the connection.
func (c *Client) setReadDeadline(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		_ = c.conn.SetReadDeadline(at)
	}
}

// errDisconnected ends the reading of a connection whose client ends it.
var errDisconnected = errors.New("the client has sent a DISCONNECT")
