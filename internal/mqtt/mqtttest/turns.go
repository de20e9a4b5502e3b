package mqtttest

import (
	"sync"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// turns has the library retain messages and tell new subscribers of them one at a time: it reads and writes what
// is retained without a lock, and the race detector would find that in tests of other things.
type turns struct {
	broker.HookBase
	mu   sync.Mutex
	held sync.Map // *broker.Client → true, while its packet has the turn
}

// ID names the hook.
func (h *turns) ID() string { return "turns" }

// Provides lists what the hook takes part in.
func (h *turns) Provides(b byte) bool {
	return b == broker.OnPublish || b == broker.OnSubscribe || b == broker.OnPacketProcessed
}

func (h *turns) take(cl *broker.Client) {
	h.mu.Lock()
	h.held.Store(cl, true)
}

// OnPublish takes the turn for a message that is to be retained.
func (h *turns) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Retain && !cl.Net.Inline {
		h.take(cl)
	}
	return pk, nil
}

// OnSubscribe takes the turn for a subscription.
func (h *turns) OnSubscribe(cl *broker.Client, pk packets.Packet) packets.Packet {
	h.take(cl)
	return pk
}

// OnPacketProcessed passes the turn on.
func (h *turns) OnPacketProcessed(cl *broker.Client, _ packets.Packet, _ error) {
	if _, had := h.held.LoadAndDelete(cl); had {
		h.mu.Unlock()
	}
}
