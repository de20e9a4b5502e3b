package broker

import (
	"math"
	"slices"
	"strings"

	"nhip/internal/mqtt/packet"
)

// sharedPrefix begins the filters of shared subscriptions (MQTT 5 §4.8.2).
const sharedPrefix = "$share/"

// MaxLevels is how many levels a topic or a filter may have, as with Mosquitto. HFP has 19.
const MaxLevels = 200

// subscribe handles a SUBSCRIBE. It does not wait until the retained messages of an earlier one are sent: they may wait
// for acknowledgements that the client sends behind this packet.
func (c *Client) subscribe(body []byte) error {
	p, err := packet.DecodeSubscribe(body, c.version, c.maxFilters())
	if err == nil && c.session.filtersWith(p.Filters) > c.maxFilters() {
		err = packet.QuotaExceeded
	}
	if err != nil {
		if err == packet.QuotaExceeded {
			c.server.observer.limited(c, LimitedFilters)
		}
		return err
	}
	if err := c.permit(packet.TypeSubscribe, len(p.Filters)); err != nil {
		return err
	}
	codes := make([]byte, len(p.Filters))
	var scans []retainedScan
	for i, f := range p.Filters {
		if f.QoS = min(f.QoS, 1); c.limits.OnlyQoS0 {
			f.QoS = 0
		}
		f.NoLocal, f.RetainAsPublished = f.NoLocal || c.bridge, f.RetainAsPublished || c.bridge
		filter, reason := c.checkFilter(f.Filter)
		if codes[i] = reason.SubackCode(c.version); reason.IsError() {
			continue
		}
		codes[i] = f.QoS
		isNew := c.session.subscribe(filter, f, p.SubscriptionID)
		if f.RetainHandling == packet.RetainAlways || f.RetainHandling == packet.RetainNew && isNew {
			scans = append(scans, retainedScan{filter: filter, qos: f.QoS, noLocal: f.NoLocal, id: p.SubscriptionID})
		}
	}
	c.send(func(b []byte) []byte { return packet.AppendSuback(b, c.version, p.ID, codes) })
	c.session.startScans(scans)
	c.wake()
	return nil
}

func (c *Client) maxFilters() int {
	if c.limits.MaxFilters == 0 {
		return math.MaxInt
	}
	return c.limits.MaxFilters
}

// checkFilter returns the filter that a client's filter stands for, and why the client may not subscribe to it.
func (c *Client) checkFilter(filter string) (string, packet.Reason) {
	if strings.HasPrefix(filter, sharedPrefix) {
		return filter, packet.SharedUnsupported
	}
	if !validFilter(filter) {
		return filter, packet.FilterInvalid
	}
	filter = c.session.internal(filter)
	if !c.server.rules.MaySubscribe(c, filter) {
		return filter, packet.NotAuthorized
	}
	return filter, packet.Success
}

// validFilter reports whether a filter has its wildcards where they may be (§4.7.1), and not too many levels.
func validFilter(filter string) bool {
	if strings.Count(filter, "/") >= MaxLevels {
		return false
	}
	for more := true; more; {
		var level string
		level, filter, more = strings.Cut(filter, "/")
		if level == "#" {
			return !more
		}
		if level != "+" && strings.ContainsAny(level, "+#") {
			return false
		}
	}
	return true
}

func (c *Client) unsubscribe(body []byte) error {
	id, filters, err := packet.DecodeUnsubscribe(body, c.version, math.MaxInt)
	if err != nil {
		return err
	}
	if err := c.permit(packet.TypeUnsubscribe, len(filters)); err != nil {
		return err
	}
	codes := make([]byte, len(filters))
	for i, f := range filters {
		if !c.session.unsubscribe(c.session.internal(f)) {
			codes[i] = byte(packet.NoSubscription)
		}
	}
	c.send(func(b []byte) []byte { return packet.AppendUnsuback(b, c.version, id, codes) })
	return nil
}

// internal returns the filter that a filter of the client stands for.
func (s *session) internal(filter string) string {
	if v := s.currentView(); v != nil {
		return v.Filter(filter)
	}
	return filter
}

// filtersWith returns how many subscriptions there would be with some more.
func (s *session) filtersWith(more []packet.Filter) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.subs)
	for _, f := range more {
		if s.subs[s.internal(f.Filter)] == nil {
			n++
		}
	}
	return n
}

// subscribe adds a subscription or changes its options. It reports whether it is new.
func (s *session) subscribe(filter string, f packet.Filter, id int) (isNew bool) {
	options := &subscriptionOptions{qos: f.QoS, noLocal: f.NoLocal, asPublished: f.RetainAsPublished}
	if id > 0 {
		options.ids = []int{id}
	}
	s.mu.Lock()
	sub := s.subs[filter]
	if isNew = sub == nil; isNew {
		if s.subs == nil {
			s.subs = make(map[string]*subscription)
		}
		sub = &subscription{session: s}
		s.subs[filter] = sub
	}
	sub.options.Store(options)
	s.mu.Unlock()
	if isNew {
		s.server.subs.add(filter, sub)
	}
	return isNew
}

// unsubscribe removes a subscription and reports whether it existed.
func (s *session) unsubscribe(filter string) bool {
	s.mu.Lock()
	sub := s.subs[filter]
	delete(s.subs, filter)
	// No message is added after the UNSUBACK (MQTT 5 §3.10.4).
	s.scans = slices.DeleteFunc(s.scans, func(scan retainedScan) bool { return scan.filter == filter })
	s.mu.Unlock()
	if sub != nil {
		s.server.subs.remove(filter, sub)
	}
	return sub != nil
}

// changeExpiry sets how long the session outlives its connection. It returns false if that was 0: then MQTT 5 permits
// no change.
func (s *session) changeExpiry(seconds uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry == 0 {
		return seconds == 0 || s.limits.SessionExpiry == 0
	}
	s.expiry = min(seconds, s.limits.SessionExpiry)
	return true
}

// Unsubscribe removes a subscription of a client and reports whether it existed. The client is not told.
func (s *Server) Unsubscribe(clientID, filter string) bool {
	s.mu.RLock()
	known := s.sessions[clientID]
	s.mu.RUnlock()
	return known != nil && known.unsubscribe(filter)
}
