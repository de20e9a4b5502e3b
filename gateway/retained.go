package gateway

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"nhip/internal/mqtt"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// retained is what new subscribers are told first. The library has its own, and reads and writes it at a time
// without a lock; and it puts all that a filter matches into the client's queue at once, so that whoever asks for
// a city larger than that queue would never have it whole. Here it is written out as fast as the client reads.
type retained struct {
	mu  sync.RWMutex
	all map[string][]byte // payload by topic
}

// keepAsTold is the option of MQTT 5 that has the library tell nothing of what is retained.
const keepAsTold = 2

func (r *retained) put(topic string, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(payload) == 0:
		delete(r.all, topic)
	case r.all == nil:
		r.all = make(map[string][]byte)
		fallthrough
	default:
		r.all[topic] = payload
	}
}

// get returns what a topic holds now; nil is nothing.
func (r *retained) get(topic string) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.all[topic]
}

// topics returns those that match one of some filters, sorted.
func (r *retained) topics(filters []string) []string {
	matches := make(map[string]bool)
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, filter := range filters {
		for topic := range r.all {
			if mqtt.Match(filter, topic) {
				matches[topic] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(matches))
}

// OnRetainMessage notes what is retained, and what is not any more.
func (h *hook) OnRetainMessage(_ *broker.Client, pk packets.Packet, _ int64) {
	h.retained.put(pk.TopicName, pk.Payload)
}

// OnSubscribe takes what is retained into our own hands, and has guests hear HFP where its clients look for it.
func (h *hook) OnSubscribe(cl *broker.Client, pk packets.Packet) packets.Packet {
	s := h.session(cl)
	pk.Filters = slices.Clone(pk.Filters)
	s.untold = s.untold[:0]
	for i := range pk.Filters {
		f := &pk.Filters[i]
		if s.rank == Guest {
			f.Filter, _ = inward(f.Filter)
		}
		if f.RetainHandling != keepAsTold && !strings.HasPrefix(f.Filter, "$") {
			s.untold = append(s.untold, f.Filter)
		}
		f.RetainHandling = keepAsTold
	}
	return pk
}

// OnSubscribed leaves out what was not granted.
func (h *hook) OnSubscribed(cl *broker.Client, pk packets.Packet, reasons []byte) {
	s := h.session(cl)
	for i, f := range pk.Filters {
		if reasons[i] >= packets.ErrUnspecifiedError.Code {
			s.untold = slices.DeleteFunc(s.untold, func(filter string) bool { return filter == f.Filter })
		}
	}
}

// OnPacketProcessed comes behind the SUBACK: it tells what is retained under the new filters. It is the
// connection's own goroutine that waits for a client that reads slowly.
func (h *hook) OnPacketProcessed(cl *broker.Client, pk packets.Packet, _ error) {
	if pk.FixedHeader.Type != packets.Subscribe {
		return
	}
	s := h.session(cl)
	for _, topic := range h.retained.topics(s.untold) {
		payload := h.retained.get(topic)
		if payload == nil || !h.OnACLCheck(cl, topic, false) {
			continue // it has left meanwhile, or is not the client's to hear
		}
		out := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: topic, Payload: payload}
		if cl.WritePacket(out) != nil {
			return // its connection has ended
		}
	}
	s.untold = nil
}
