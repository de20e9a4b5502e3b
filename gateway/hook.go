package gateway

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/pause"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"
)

// hook puts our rules into the broker: who may enter, what they may do, and where their messages
// go. The broker calls it from one goroutine for each connection.
type hook struct {
	broker.HookBase
	door       nhip.Door
	accounts   Accounts
	directory  atomic.Pointer[directory]
	limits     Limits
	addresses  *addresses
	allowances allowances
	log        *slog.Logger
	metrics    *metrics
	clock      nhip.Clock
	seats      seats
	retained   retained
	speak      *rate.Limiter                   // of log lines that a client can cause
	sessions   sync.Map                        // net.Conn → *session
	clientOf   func(id string) *broker.Client  // connected or of a session that lasts; nil: none
	anonymous  bool                            // guests need no secret
	private    atomic.Pointer[map[string]bool] // stations of which guests hear nothing

	gate   sync.RWMutex // over shut, so that nobody enters while the last are waited for
	shut   bool         // devices are not let in any more
	taking sync.WaitGroup
}

// enter reports whether a message may be taken in; taking.Done must follow its outcome.
func (h *hook) enter() bool {
	h.gate.RLock()
	defer h.gate.RUnlock()
	if !h.shut {
		h.taking.Add(1)
	}
	return !h.shut
}

func (h *hook) isShut() bool {
	h.gate.RLock()
	defer h.gate.RUnlock()
	return h.shut
}

func (h *hook) close() {
	h.gate.Lock()
	defer h.gate.Unlock()
	h.shut = true
}

// ID names the hook.
func (h *hook) ID() string { return "nhip" }

// Provides lists what the hook takes part in.
func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		broker.OnConnect, broker.OnConnectAuthenticate, broker.OnACLCheck, broker.OnPacketRead, broker.OnPublish,
		broker.OnSubscribe, broker.OnSubscribed, broker.OnUnsubscribe, broker.OnPacketEncode, broker.OnPacketProcessed,
		broker.OnRetainMessage,
	}, b) >= 0
}

// OnConnect takes a client's will away, which the broker would publish past every rule, and bounds its
// keep-alive: with none the connection would stay for ever when its line is cut, and the library's sums of
// long ones run over. The client is let in: many a box sets a will that nobody needs.
func (h *hook) OnConnect(cl *broker.Client, pk packets.Packet) error {
	if cl.Net.Listener == publicID {
		cl.ID, cl.Properties.Clean = guestID(), true
	}
	if pk.Connect.WillFlag {
		cl.Properties.Will = broker.Will{}
		h.metrics.denied.WithLabelValues("will").Inc()
	}
	if k := cl.State.Keepalive; k < minKeepAlive || k > maxKeepAlive {
		cl.State.Keepalive = min(max(k, minKeepAlive), maxKeepAlive)
		if k == 0 {
			cl.State.Keepalive = maxKeepAlive
		}
		h.metrics.limited.WithLabelValues(classKeepAlive).Inc()
	}
	return nil
}

// OnConnectAuthenticate asks who it is.
func (h *hook) OnConnectAuthenticate(cl *broker.Client, pk packets.Packet) bool {
	s, why := h.identify(cl, pk)
	if s == nil {
		h.refuse(cl, why)
		return false
	}
	if h.isShut() && s.rank != Role {
		return false
	}
	var free bool
	if s.seat, free = h.seats.take(cl.ID, cl.Net.Conn); !free {
		h.refuse(cl, badClientID)
		return false
	}
	h.sessions.Store(cl.Net.Conn, s)
	return s.stillKnown(*h.directory.Load()) // a fleet that came meanwhile has not seen this session
}

// forget ends a connection's session. The library does not tell of every connection that ends.
func (h *hook) forget(conn net.Conn) {
	if s, ok := h.sessions.LoadAndDelete(conn); ok {
		h.seats.leave(s.(*session).seat)
	}
}

// refuse counts and tells a log-in that fails. Beyond a few from one address the answer waits: whoever
// goes through a list of guesses shall need years.
func (h *hook) refuse(cl *broker.Client, why string) {
	h.metrics.refused.WithLabelValues(why).Inc()
	if h.speak.Allow() {
		h.log.Warn("refused a client", "reason", why, "client", cl.ID, "remote", cl.Net.Remote)
	}
	if cl.Net.Conn != nil && h.addresses.failed(key(cl.Net.Conn.RemoteAddr()), time.Now()) {
		h.metrics.limited.WithLabelValues(classLogin).Inc()
		pause.For(lifeOf(cl.Net.Conn), failedPause) // the deadline of the log-in bounds it, too
	}
}

// Why a client is refused, as metrics name it.
const (
	badCredentials = "credentials"
	badClientID    = "client_id"
)

// identify tells who has connected, or why it may not. A device's client id is its name, so that nobody
// can take another's place on the broker; for the same reason nobody takes the place of a higher rank.
func (h *hook) identify(cl *broker.Client, pk packets.Packet) (s *session, why string) {
	if cl.Net.Listener == publicID {
		return h.welcome(cl, pk)
	}
	rank := h.accounts.Rank(pk.Connect.Password)
	if rank == Nobody {
		d, secret := h.deviceOf(cl, pk)
		if d == nil {
			return nil, badCredentials
		}
		if other := (*h.directory.Load())[cl.ID]; !d.mayBe(cl.ID) || other != nil && other.id != d.id || h.isHigher(cl.ID, Box) {
			return nil, badClientID
		}
		return h.newBoxSession(d, secret, cl.Net.Conn), ""
	}
	if _, isDevice := (*h.directory.Load())[cl.ID]; isDevice || h.isHigher(cl.ID, rank) {
		return nil, badClientID
	}
	return &session{rank: rank}, ""
}

// deviceOf returns the device that a CONNECT proves to come from, and the secret that it has shown.
func (h *hook) deviceOf(cl *broker.Client, pk packets.Packet) (*device, []byte) {
	name := string(pk.Connect.Username)
	known := *h.directory.Load()
	if len(pk.Connect.Password) > 0 {
		secret := bytes.Clone(pk.Connect.Password)
		return known.withSecret(name, secret), secret
	}
	shown, ok := certified(cl.Net.Conn)
	if !ok || name != "" && name != shown {
		return nil, nil
	}
	return known[shown], nil
}

// isHigher reports whether a client id is in use by somebody of another rank.
func (h *hook) isHigher(id string, rank Rank) bool {
	other := h.clientOf(id)
	return other != nil && h.session(other).rank > rank
}

// OnPacketRead bounds what a device may subscribe to at all.
func (h *hook) OnPacketRead(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Subscribe && cl.State.Subscriptions.Len()+len(pk.Filters) > h.session(cl).maxFilters() {
		h.metrics.limited.WithLabelValues(classSubscriptions).Inc()
		cl.Stop(packets.ErrQuotaExceeded)
		return pk, packets.ErrQuotaExceeded
	}
	return pk, nil
}

// OnACLCheck is asked for publications, subscriptions and deliveries.
func (h *hook) OnACLCheck(cl *broker.Client, topic string, write bool) bool {
	s := h.session(cl)
	allowed, action := false, "subscribe"
	if write {
		action = "publish"
		if s.rank != Role && strings.Count(topic, "/") >= maxLevels {
			h.metrics.limited.WithLabelValues(classTopic).Inc()
		} else {
			allowed = s.mayPublish(topic)
		}
	} else if s.rank == Guest {
		return h.hears(topic) // what a guest does not hear is no news
	} else {
		allowed = s.mayRead(topic)
	}
	if !allowed {
		h.metrics.denied.WithLabelValues(action).Inc()
		if h.speak.Allow() {
			h.log.Warn("denied a client what it may not do", "client", cl.ID, "action", action, "topic", topic)
		}
	}
	return allowed
}

// OnPublish takes a device's message through the door. The broker writes the PUBACK after this
// returns, so returning is saying "it is on disk". What the roles say, and commands to devices, go their
// usual way.
func (h *hook) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	s := h.session(cl)
	if cl.Net.Inline || s.rank == Role || strings.HasPrefix(pk.TopicName, mqtt.Command) {
		return pk, nil
	}
	if s.rank == Box && !h.slow(s, len(pk.TopicName)+len(pk.Payload)) || !h.enter() {
		return pk, packets.ErrRejectPacket
	}
	h.metrics.messages.Inc()
	m := nhip.Message{Client: cl.ID, Topic: pk.TopicName, Payload: pk.Payload, Received: h.clock.Now().UTC()}
	if pk.FixedHeader.Qos == 0 {
		h.door.Accept(m, func(err error) { h.settle(cl.ID, err); h.taking.Done() })
		return pk, packets.CodeSuccessIgnore
	}
	outcome := make(chan error, 1)
	h.door.Accept(m, func(err error) { outcome <- err; h.taking.Done() })
	if err := <-outcome; err != nil {
		h.settle(cl.ID, err)
		cl.Stop(packets.ErrServerUnavailable) // it sends the message again when it is back
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

// slow holds up a device that says more than it may: nothing of what it says is read meanwhile, and TCP
// holds it up in its turn. It is false when the connection ended first.
func (h *hook) slow(s *session, size int) bool {
	return h.waitFor(s, s.may.messages, 1, classMessageRate) && h.waitFor(s, s.may.bytes, size, classByteRate)
}

func (h *hook) waitFor(s *session, l *rate.Limiter, n int, class string) bool {
	if l == nil || l.AllowN(time.Now(), n) {
		return true
	}
	h.metrics.limited.WithLabelValues(class).Inc()
	return l.WaitN(s.open, n) == nil
}

func (h *hook) settle(client string, err error) {
	if err != nil {
		h.metrics.unsaved.Inc()
		if h.speak.Allow() {
			h.log.Error("a message can't be put on disk and is not acknowledged", "client", client, "error", err)
		}
	}
}
