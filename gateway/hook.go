package gateway

import (
	"bytes"
	"log/slog"
	"sync"

	"nhip"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"
)

// hook puts our rules into the broker: who may enter, what they may do, and where their messages
// go. The broker calls it from one goroutine for each connection.
type hook struct {
	broker.HookBase
	door     nhip.Door
	accounts Accounts
	log      *slog.Logger
	metrics  *metrics
	clock    nhip.Clock
	speak    *rate.Limiter // of log lines that a client can cause
	ranks    sync.Map      // client (pointer) → Rank

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
		broker.OnConnect, broker.OnConnectAuthenticate, broker.OnACLCheck, broker.OnPublish, broker.OnDisconnect,
	}, b) >= 0
}

// OnConnect takes a client's will away, which the broker would publish past every rule. The client
// is let in: many a box sets a will that nobody needs.
func (h *hook) OnConnect(cl *broker.Client, pk packets.Packet) error {
	if pk.Connect.WillFlag {
		cl.Properties.Will = broker.Will{}
		h.metrics.denied.WithLabelValues("will").Inc()
	}
	return nil
}

// OnConnectAuthenticate checks the password.
func (h *hook) OnConnectAuthenticate(cl *broker.Client, pk packets.Packet) bool {
	rank := h.accounts.Rank(pk.Connect.Password)
	if h.isShut() && rank != Role {
		return false
	}
	if rank == Nobody {
		h.metrics.refused.WithLabelValues("credentials").Inc()
		if h.speak.Allow() {
			h.log.Warn("refused a client with a wrong password or none", "remote", cl.Net.Remote)
		}
		return false
	}
	h.ranks.Store(cl, rank)
	return true
}

// OnDisconnect forgets the client.
func (h *hook) OnDisconnect(cl *broker.Client, _ error, _ bool) { h.ranks.Delete(cl) }

// OnACLCheck is asked for publications, subscriptions and deliveries.
func (h *hook) OnACLCheck(cl *broker.Client, topic string, write bool) bool {
	rank := h.rank(cl)
	allowed, action := rank.mayRead(topic), "subscribe"
	if write {
		allowed, action = rank.mayPublish(topic), "publish"
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
// returns, so returning is saying "it is on disk". A role's message goes its usual way.
func (h *hook) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	if h.rank(cl) == Role {
		return pk, nil
	}
	if !h.enter() {
		return pk, packets.ErrRejectPacket
	}
	h.metrics.messages.Inc()
	m := nhip.Message{Client: cl.ID, Topic: pk.TopicName, Payload: pk.Payload, Received: h.clock.Now().UTC()}
	if pk.FixedHeader.Qos == 0 {
		h.door.Accept(m, func(err error) { h.settle(cl, err); h.taking.Done() })
		return pk, packets.CodeSuccessIgnore
	}
	outcome := make(chan error, 1)
	h.door.Accept(m, func(err error) { outcome <- err; h.taking.Done() })
	if err := <-outcome; err != nil {
		h.settle(cl, err)
		cl.Stop(packets.ErrServerUnavailable) // it sends the message again when it is back
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

func (h *hook) settle(cl *broker.Client, err error) {
	if err != nil {
		h.metrics.unsaved.Inc()
		if h.speak.Allow() {
			h.log.Error("a message can't be put on disk and is not acknowledged", "client", cl.ID, "error", err)
		}
	}
}

func (h *hook) rank(cl *broker.Client) Rank {
	if r, ok := h.ranks.Load(cl); ok {
		return r.(Rank)
	}
	return Nobody
}
