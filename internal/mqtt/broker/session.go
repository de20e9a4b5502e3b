package broker

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt/packet"
)

// session is the state of a client that may outlive its connection (MQTT 5 §4.1).
type session struct {
	server   *Server
	id       string
	owner    string
	deadline deadline // while it has no connection
	view     atomic.Pointer[View]

	mu         sync.Mutex
	client     *Client // nil: not connected. Changes need Server.mu too
	gone       bool    // it has ended
	identity   any
	limits     *Limits
	expiry     uint32 // s that it outlives its connection
	subs       map[string]*subscription
	queue      deque[delivery]
	queueBytes int // of queue and unacked
	scans      []retainedScan
	unacked    map[uint16]delivery // sent with QoS 1
	lastID     uint16
	sent       uint64              // orders unacked
	received   map[uint16]struct{} // packet ids with QoS 2 before PUBREL
}

// delivery is a message to a subscriber.
type delivery struct {
	message *Message
	ids     []int // subscription ids
	order   uint64
	id      uint16 // 0: not sent yet
	qos     byte
	retain  bool
}

// currentView returns the view of the session's last client, or nil.
func (s *session) currentView() View {
	if v := s.view.Load(); v != nil {
		return *v
	}
	return nil
}

func (s *session) setView(v View) {
	if v == nil {
		s.view.Store(nil)
	} else {
		s.view.Store(&v)
	}
}

func (s *session) getIdentity() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity
}

// enqueue adds a message to the queue. If the queue is full, the message is dropped: what is in the queue already was
// promised to the client first.
func (s *session) enqueue(d delivery) {
	c, cause := s.push(d)
	if cause != "" {
		s.server.drop(s.id, cause)
	}
	if c != nil {
		c.wake()
	}
}

// push returns the client to wake, or the cause for which the message is dropped.
func (s *session) push(d delivery) (c *Client, cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone, s.client == nil && d.qos == 0:
		return nil, ""
	case s.queue.len() >= s.limits.Queue, s.queueBytes+d.message.size() > s.limits.QueueBytes && s.queueBytes > 0:
		return nil, DroppedQueue
	}
	s.queue.push(d)
	s.queueBytes += d.message.size()
	return s.client, ""
}

// fill appends messages for the client to b. If the last one has a large payload, fill returns that separately. It
// reports whether it must be called again although it has appended nothing.
func (s *session) fill(c *Client, b []byte) (out, payload []byte, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := fillUntil
	if len(s.scans) > 0 {
		limit /= 2 // the other half is for retained messages
	}
	for s.queue.len() > 0 && len(b) < limit {
		d := *s.queue.at(0)
		if d.qos > 0 && len(s.unacked) >= c.unacked {
			return b, nil, false
		}
		s.queue.pop()
		s.queueBytes -= d.message.size()
		if b, payload = s.append(c, b, d); payload != nil {
			return b, payload, false
		}
	}
	return s.fillRetained(c, b)
}

// fillRetained is fill for retained messages of new subscriptions. It looks at a bounded number of them at a time,
// because publishers wait for the session's lock.
func (s *session) fillRetained(c *Client, b []byte) (out, payload []byte, again bool) {
	for looked := false; len(s.scans) > 0 && len(b) < fillUntil; {
		scan := &s.scans[0]
		if len(scan.entries) > 0 {
			if scan.qos > 0 && len(s.unacked) >= c.unacked {
				return b, nil, false
			}
			b, payload = s.appendRetained(c, b, scan)
			scan.entries = scan.entries[1:]
			if payload != nil {
				return b, payload, false
			}
			continue
		}
		if scan.done {
			if s.scans = s.scans[1:]; len(s.scans) == 0 {
				s.scans = nil
			}
			continue
		}
		if looked {
			return b, nil, true
		}
		looked = true
		s.server.retained.next(scan)
	}
	return b, nil, false
}

// appendRetained appends the first entry of a scan, unless the client may not see it or it was deleted.
func (s *session) appendRetained(c *Client, b []byte, scan *retainedScan) (out, payload []byte) {
	m := scan.entries[0].message.Load()
	if m == nil || scan.noLocal && m.from == s.id {
		return b, nil
	}
	if m = m.as(s.currentView()); m == nil {
		return b, nil
	}
	d := delivery{message: m, qos: min(m.QoS, scan.qos), retain: true}
	if scan.id > 0 {
		d.ids = []int{scan.id}
	}
	return s.append(c, b, d)
}

// startScans makes the retained messages of new subscriptions be sent. A scan that has not begun is replaced by a later
// one of its filter, which sends the same messages: so there are at most two for a subscription.
func (s *session) startScans(scans []retainedScan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := make(map[string]bool, len(scans))
	for i := range scans {
		again[scans[i].filter] = true
	}
	s.scans = slices.DeleteFunc(s.scans, func(scan retainedScan) bool { return !scan.begun && again[scan.filter] })
	s.scans = append(s.scans, scans...)
}

// keepScans forgets what is left of retained messages with QoS 0. Those with QoS 1 are sent when the client is back: it
// may not subscribe again, because the session is present. The caller holds mu.
func (s *session) keepScans() {
	s.scans = slices.DeleteFunc(s.scans, func(scan retainedScan) bool { return scan.qos == 0 })
}

// append appends one message. It appends nothing if the message has expired or is too large for the client.
func (s *session) append(c *Client, b []byte, d delivery) (out, payload []byte) {
	m := d.message
	p := packet.Publish{
		Payload: m.Payload, QoS: d.qos, Retain: d.retain, Dup: d.id != 0, ID: d.id, Properties: m.Properties,
		SubscriptionIDs: d.ids,
	}
	if !m.Expires.IsZero() {
		left := max(0, time.Until(m.Expires))
		if left == 0 && d.id == 0 { // one that was sent before must be sent again (MQTT 5 §4.4)
			s.server.drop(s.id, DroppedExpired)
			return b, nil
		}
		p.HasExpiry, p.Expiry = true, uint32(left.Seconds()+0.999)
	}
	if c.maxSend > 0 && packet.PublishSize(c.version, m.Topic, &p) > c.maxSend {
		s.server.drop(s.id, DroppedSize)
		return b, nil
	}
	if d.qos > 0 {
		p.ID = s.track(d)
	}
	s.server.delivered.Add(1)
	b = packet.AppendPublishHead(b, c.version, m.Topic, &p)
	if len(m.Payload) > directPayload {
		return b, m.Payload
	}
	return append(b, m.Payload...), nil
}

// track remembers a message that the client must acknowledge and returns its packet id.
func (s *session) track(d delivery) uint16 {
	if s.unacked == nil {
		s.unacked = make(map[uint16]delivery)
	}
	if d.id == 0 {
		d.id = s.freeID()
	}
	s.sent++
	d.order = s.sent
	s.unacked[d.id] = d
	s.queueBytes += d.message.size()
	return d.id
}

// freeID returns a packet id that no unacknowledged message has. Those that were sent on an earlier connection are in
// front of the queue, so all of them are in unacked again by now.
func (s *session) freeID() uint16 {
	for {
		s.lastID++
		if _, used := s.unacked[s.lastID]; !used && s.lastID != 0 {
			return s.lastID
		}
	}
}

// acked removes a message that the client has acknowledged.
func (s *session) acked(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.unacked[id]; ok {
		delete(s.unacked, id)
		s.queueBytes -= d.message.size()
	}
}

// resend puts the messages that the client has not acknowledged in front of the queue, for a new connection. The caller
// holds mu.
func (s *session) resend() {
	again := slices.SortedFunc(maps.Values(s.unacked), func(a, b delivery) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
	for i := range s.queue.len() {
		if d := *s.queue.at(i); d.qos > 0 {
			again = append(again, d)
		}
	}
	s.queue, s.queueBytes, s.unacked = deque[delivery]{}, 0, nil
	for _, d := range again {
		s.queue.push(d)
		s.queueBytes += d.message.size()
	}
}

// receive remembers the packet id of a message with QoS 2 until its PUBREL.
func (s *session) receive(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.received == nil {
		s.received = make(map[uint16]struct{})
	}
	s.received[id] = struct{}{}
}

// release forgets the packet id of a message with QoS 2 and reports whether it was known.
func (s *session) release(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.received[id]
	delete(s.received, id)
	return known
}

// hasReceived reports whether a message with QoS 2 and this packet id has arrived, and how many have.
func (s *session) hasReceived(id uint16) (known bool, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known = s.received[id]
	return known, len(s.received)
}
