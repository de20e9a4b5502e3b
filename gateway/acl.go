package gateway

import (
	"strings"

	"nhip"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/packet"
	"nhip/internal/topics"

	"golang.org/x/time/rate"
)

func newControlLimiter() *rate.Limiter { return rate.NewLimiter(controlRate, controlBurst) }

// Control slows down a client that sends too many packets other than messages, which have their own quota.
func (h *hook) Control(c *broker.Client, t packet.Type, filters int) error {
	s := sessionOf(c)
	n := controlCost(s.kind, t, filters)
	if n > 0 && s.control != nil && !h.waitLimit(c, s.control, min(n, controlBurst), classControlRate) {
		return packet.ServerShuttingDown // the connection has ended
	}
	return nil
}

// controlCost returns what a packet counts for the limit of packets other than messages.
func controlCost(kind PrincipalKind, t packet.Type, filters int) int {
	switch t {
	case packet.TypeSubscribe, packet.TypeUnsubscribe:
		return max(1, filters)
	case packet.TypePingreq, packet.TypeAuth:
		return 1
	}
	if kind == Guest {
		return 1 // it has no reason to send any other
	}
	return 0
}

// MaySubscribe reports whether a client may subscribe to a filter.
func (h *hook) MaySubscribe(c *broker.Client, filter string) bool {
	s := sessionOf(c)
	switch {
	case s.kind != Role && (len(filter) > topics.MaxTopic || strings.Count(filter, "/") >= maxLevels):
		h.limit(c, classTopic)
		return false
	case s.kind == Guest:
		return h.guestMayRead(filter)
	}
	allowed := s.mayRead(filter)
	if !allowed {
		h.deny(c, nhip.RefusedSubscribe, filter)
	}
	return allowed
}

// mayPublish reports whether a client may publish to a topic.
func (h *hook) mayPublish(c *broker.Client, s *session, topic string) bool {
	if s.kind != Role && strings.Count(topic, "/") >= maxLevels {
		h.limit(c, classTopic)
	} else if s.mayPublish(topic) {
		return true
	}
	h.deny(c, nhip.RefusedPublish, topic)
	return false
}

// deny counts and logs that a client may not do something.
func (h *hook) deny(c *broker.Client, action, topic string) {
	h.metrics.denied.WithLabelValues(action).Inc()
	id := sessionOf(c).account()
	if !h.noteRefused(id, action, topic) {
		return
	}
	attrs := []any{"client", c.ID(), "action", action, "topic", topic}
	if id != "" {
		attrs = append(attrs, "device", id)
	}
	h.log.Warn("client without permission", attrs...)
}

// guestMayRead reports whether a guest may receive a topic or subscribe to a filter. Guests may read the live state
// of buses, trips, service alerts and stations, except of private stations, and the live HFP feed; and what is told
// of a reminder, whose id only those know who have set it: a filter for those of several is refused.
func (h *hook) guestMayRead(filter string) bool {
	if _, one := topics.ParseNotification(filter); one {
		return true
	}
	for _, open := range []string{topics.LiveBuses, topics.LiveAir, topics.LiveService, topics.LiveHFP + "#"} {
		if topics.Covers(open, filter) {
			station, named := topics.ParseLiveAir(filter)
			return !named || !(*h.private.Load())[station] && !h.livePrivate.has(station)
		}
	}
	return false
}
