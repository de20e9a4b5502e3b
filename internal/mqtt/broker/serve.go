package broker

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"nhip/internal/mqtt/packet"
)

// Serve serves one connection until it ends, and closes it. The name of the listener is for Rules.
func (s *Server) Serve(conn net.Conn, listener string) {
	c := newClient(s, conn, listener)
	if !s.register(c) {
		_ = conn.Close() // nothing was sent on it
		return
	}
	defer s.serving.Done()
	c.serve()
}

func (s *Server) register(c *Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.clients[c] = true
	s.serving.Add(1)
	return true
}

// serve serves the connection until it ends.
func (c *Client) serve() {
	defer c.finish()
	defer c.catch()
	_ = c.conn.SetReadDeadline(time.Now().Add(c.server.options.ConnectTimeout))
	err := c.read()
	if errors.Is(err, io.EOF) {
		c.drain()
	}
	c.end(c.endReason(err))
}

// endReason returns the reason code for the error that ended reading.
func (c *Client) endReason(err error) packet.Reason {
	var reason packet.Reason
	switch {
	case errors.As(err, &reason):
		return reason
	case errors.Is(err, os.ErrDeadlineExceeded):
		return packet.KeepAliveTimeout
	case err == nil, errors.Is(err, errDisconnected), errors.Is(err, io.EOF):
		return packet.Success
	}
	return packet.Success // the connection is broken
}

// catch ends the connection after a panic in its goroutine, and reports it.
func (c *Client) catch() {
	if value := recover(); value != nil {
		c.panicked(value)
		c.end(packet.Unspecified)
	}
}

// finish waits for the last write, closes the connection and frees the session.
func (c *Client) finish() {
	c.mu.Lock()
	for c.writing {
		c.changed.Wait()
	}
	c.mu.Unlock()
	_ = c.conn.Close() // it may be closed already
	c.server.detach(c)
	close(c.done)
	if c.granted {
		defer c.catchEnded()
		c.server.rules.Ended(c)
	}
}

// catchEnded reports a panic of Rules.Ended.
func (c *Client) catchEnded() {
	if value := recover(); value != nil {
		c.panicked(value)
	}
}
