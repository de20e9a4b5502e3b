package gateway

import (
	"context"
	"math"
	"net"
	"sync/atomic"

	broker "github.com/mochi-mqtt/server/v2"
)

// session is what the gateway knows of a connection that has logged in.
type session struct {
	rank   Rank
	device atomic.Pointer[device] // of a Box; a new fleet puts another in its place
	secret []byte                 // that a Box has shown; nil: it has a certificate
	open   context.Context        // ends with the connection
	seat   *seat                  // that it holds
	untold []string               // filters of a SUBSCRIBE whose retained messages are due; the connection's goroutine only
	may    *allowance             // of a Box
}

// newBoxSession is a device's, with its limits.
func (h *hook) newBoxSession(d *device, secret []byte, conn net.Conn) *session {
	s := &session{rank: Box, secret: secret, open: lifeOf(conn), may: h.allowances.of(d, h.limits)}
	s.device.Store(d)
	return s
}

// stillKnown takes what a new fleet says of the session's device, and reports whether it may stay: that it
// is known, and that what it has shown still opens.
func (s *session) stillKnown(d directory) bool {
	if s.rank != Box {
		return true
	}
	known := d[s.device.Load().id]
	if known == nil || s.secret != nil && d.withSecret(known.id, s.secret) == nil {
		return false
	}
	s.device.Store(known)
	return true
}

// maxFilters is how many subscriptions the client may have.
func (s *session) maxFilters() int {
	switch s.rank {
	case Box:
		return maxSubscriptions
	case Guest:
		return publicFilters
	}
	return math.MaxInt
}

// session returns what is known of a client; one that has not logged in may do nothing.
func (h *hook) session(cl *broker.Client) *session {
	if s, ok := h.sessions.Load(cl.Net.Conn); ok {
		return s.(*session)
	}
	return nobody
}

var nobody = &session{rank: Nobody}

// lifeOf returns a context that ends with a connection that the listener has let in.
func lifeOf(conn net.Conn) context.Context {
	if counted := countedOf(conn); counted != nil {
		return counted.open
	}
	return context.Background()
}
