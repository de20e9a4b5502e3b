package gateway

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"nhip"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/packet"
	"nhip/internal/recovery"

	"golang.org/x/time/rate"
)

// hook is our rules for the broker, as its broker.Rules: who may connect (authenticate.go), what a client may do
// (acl.go), where a device's messages go (publish.go), and what guests see (view.go). The broker calls it from one
// goroutine for each connection.
type hook struct {
	acceptor   nhip.Acceptor
	accounts   Accounts
	directory  atomic.Pointer[directory]
	limits     Limits
	addresses  *addresses
	quotas     quotas
	states     atomic.Pointer[deviceStates]
	log        *slog.Logger
	guard      *recovery.Guard
	metrics    *metrics
	clock      nhip.Clock
	logLimiter *rate.Limiter                                    // for log lines that clients can cause
	sessions   sync.Map                                         // *broker.Client → *session
	identityOf func(clientID string) (identity any, known bool) // of a client or a persistent session
	anonymous  bool                                             // guests need no secret
	private    atomic.Pointer[map[string]bool]                  // ids of stations that guests may not read

	livePrivate privateStations // more of them

	mu       sync.RWMutex   // orders close before the last inFlight.Add
	closed   bool           // no more device messages and log-ins are accepted
	inFlight sync.WaitGroup // messages handed to the acceptor without an outcome yet
}

// beginAccept reports whether a message may be handed to the acceptor. If so, the caller must call inFlight.Done when
// the outcome is known.
func (h *hook) beginAccept() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.closed {
		h.inFlight.Add(1)
	}
	return !h.closed
}

func (h *hook) isClosed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// close makes the hook refuse device messages, and log-ins of all but roles.
func (h *hook) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// sessionOf returns the session of a client that has logged in.
func sessionOf(c *broker.Client) *session { return c.Identity().(*session) }

// Ended removes the session of a connection that has ended.
func (h *hook) Ended(c *broker.Client) {
	h.sessions.Delete(c)
	sessionOf(c).state.disconnect()
}

// setDirectory replaces the directory and disconnects the devices that may not stay.
func (h *hook) setDirectory(d directory) {
	h.directory.Store(&d)
	h.quotas.prune(d)
	h.sessions.Range(func(c, s any) bool {
		if one := s.(*session); !one.refresh(d) {
			h.revoke(c.(*broker.Client), one)
		}
		return true
	})
}

// revoke disconnects a device that was removed or disabled, or whose secret or certificate is no longer valid.
// The session is passed, because the broker may not have given it to the client yet.
func (h *hook) revoke(c *broker.Client, s *session) {
	h.metrics.refused.WithLabelValues(nhip.RefusedRevoked).Inc()
	id, reason, states := s.account(), nhip.RefusedRevoked, h.states.Load()
	switch {
	case states.of(id) == nil:
		reason = "removed" // there is no state to keep it in
	case states.disabled(id):
		reason = nhip.RefusedDisabled
	}
	remote := c.Conn().RemoteAddr().String()
	if h.noteRefused(id, reason, remote) {
		h.log.Info("device disconnected", "device", id, "reason", reason, "remote", remote)
	}
	c.Disconnect(packet.NotAuthorized)
}

// disconnectOperators ends the connections of operators, whose secret was replaced.
func (h *hook) disconnectOperators() {
	h.sessions.Range(func(c, s any) bool {
		if one := s.(*session); one.kind == Operator && !one.own {
			c.(*broker.Client).Disconnect(packet.NotAuthorized)
		}
		return true
	})
}

// observer counts the events of the broker.
func (h *hook) observer() broker.Observer {
	return broker.Observer{
		Panicked: func(c *broker.Client, value any, _ []byte) { h.guard.Note(c.Listener(), value) },
		Dropped:  func(_, cause string) { h.metrics.dropped.WithLabelValues(cause).Inc() },
		TakeOver: h.takenOver,
		Limited: func(c *broker.Client, class string) {
			if class == broker.LimitedFilters {
				class = classSubscriptions
			}
			h.limit(c, class)
		},
	}
}
