package broker

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// retain publishes n retained messages with QoS 1 on a/0, a/1, ….
func (b *testBroker) retain(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		m := Message{Topic: fmt.Sprint("a/", i), Payload: []byte("x"), QoS: 1, Retain: true}
		if err := b.Publish(m); err != nil {
			t.Fatal(err)
		}
	}
}

// readRetained reads n messages with QoS 1, acknowledges each and returns their topics.
func (r *raw) readRetained(version byte, n int) map[string]bool {
	r.t.Helper()
	seen := make(map[string]bool)
	for len(seen) < n {
		got := r.read()
		if len(got) == 0 || got[0]&0xf0 != 0x30 {
			r.t.Fatalf("received % x after %d messages", got, len(seen))
		}
		p, err := packet.DecodePublish(got[0]&0x0f, got[2:], version)
		if err != nil {
			r.t.Fatal(err)
		}
		seen[string(p.Topic)] = true
		r.send(puback(p.ID))
	}
	return seen
}

// TestSubscribeWhileRetainedMessagesWait: a client may send a SUBSCRIBE before the acknowledgements that the retained
// messages of its last one wait for.
func TestSubscribeWhileRetainedMessagesWait(t *testing.T) {
	const retained = 1200 // more than are collected at once
	b := startBroker(t, &testRules{})
	b.retain(t, retained)
	r, _ := b.login(t, packet.V5, "c", true, 0x21, 0, 1) // receive maximum 1
	r.send(subscribePacket(packet.V5, 1, 1, "a/+"))
	r.want(pack(0x90, num(1), []byte{0, 1}))
	first := r.read()
	r.send(subscribePacket(packet.V5, 2, 1, "b"))
	r.want(pack(0x90, num(2), []byte{0, 1}))
	r.wantNothing() // the client has to acknowledge
	p, err := packet.DecodePublish(first[0]&0x0f, first[2:], packet.V5)
	if err != nil {
		t.Fatal(err)
	}
	r.send(puback(p.ID))
	if n := len(r.readRetained(packet.V5, retained-1)); n != retained-1 {
		t.Errorf("%d messages", n)
	}
	r.wantNothing()
}

// TestSubscribingAgainCostsNoMemory: many SUBSCRIBEs of a client that acknowledges nothing leave two scans.
func TestSubscribingAgainCostsNoMemory(t *testing.T) {
	b := startBroker(t, &testRules{})
	b.retain(t, 10)
	r, _ := b.login(t, packet.V5, "c", true, 0x21, 0, 1)
	r.send(subscribePacket(packet.V5, 1, 1, "a/#"))
	r.want(pack(0x90, num(1), []byte{0, 1}))
	r.read() // the first message is not acknowledged
	for i := range 1000 {
		r.send(subscribePacket(packet.V5, uint16(i+2), 1, "a/#"))
		r.want(pack(0x90, num(uint16(i+2)), []byte{0, 1}))
	}
	s := b.Clients()[0].session
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.scans) > 2 {
		t.Errorf("%d scans", len(s.scans))
	}
}

// TestUnsubscribeStopsRetainedMessages: nothing is added for a filter after its UNSUBACK.
func TestUnsubscribeStopsRetainedMessages(t *testing.T) {
	b := startBroker(t, &testRules{})
	b.retain(t, 10)
	r, _ := b.login(t, packet.V5, "c", true, 0x21, 0, 1)
	r.send(subscribePacket(packet.V5, 1, 1, "a/#"))
	r.want(pack(0x90, num(1), []byte{0, 1}))
	r.read()
	r.send(unsubscribePacket(packet.V5, 2, "a/#"))
	r.want(pack(0xb0, num(2), []byte{0, 0}))
	r.send(puback(1))
	r.wantNothing()
}

// TestRetainedMessagesGoOnAfterReconnect: a client whose session is present has no reason to subscribe again, and gets
// the rest of the retained messages.
func TestRetainedMessagesGoOnAfterReconnect(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		const retained = 100
		b := startBroker(t, &testRules{limits: &Limits{SessionExpiry: 3600, Unacked: 10}})
		b.retain(t, retained)
		r, _ := b.login(t, version, "c", false, keep(version)...)
		r.send(subscribePacket(version, 9, 1, "a/#"))
		r.want(pack(0x90, num(9), withProps(version), []byte{1}))
		r.read()
		_ = r.Close()
		awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
		r, ack := b.login(t, version, "c", false, keep(version)...)
		if ack[2] != 1 {
			t.Error("the session is not present")
		}
		if n := len(r.readRetained(version, retained)); n != retained {
			t.Errorf("%d messages", n)
		}
	})
}

// TestQoS2SentAgainWhileTheDiskIsSlow: a client that sends a message with QoS 2 again before its PUBREC, as those of
// MQTT 3.1 do, gets one PUBREC; and its next message with the packet id is not taken for a duplicate.
func TestQoS2SentAgainWhileTheDiskIsSlow(t *testing.T) {
	var h held
	b := startBroker(t, &testRules{publish: h.take})
	r, _ := b.login(t, packet.V311, "c", true)
	for _, dup := range []byte{0, 8} {
		p := publishPacket(packet.V311, 2, "a", 1, "first")
		p[0] |= dup
		r.send(p)
		r.wantNothing()
	}
	h.done(0, nil)
	pubrec, pubcomp := pack(0x50, num(1)), pack(0x70, num(1))
	r.want(pubrec)
	r.send(pack(0x62, num(1)))
	r.want(pubcomp)
	if n := h.len(); n > 1 {
		h.done(1, nil)
	}
	r.send(publishPacket(packet.V311, 2, "a", 1, "second"))
	awaittest.True(t, "the second message is taken", func() bool {
		all := h.payloads()
		return all[len(all)-1] == "second"
	})
	h.done(h.len()-1, nil)
	r.want(pubrec)
	if got := h.payloads(); len(got) != 2 {
		t.Errorf("messages %q", got)
	}
}

// TestManyMessagesWithQoS2: a client before MQTT 5 may send more of them than the window before it reads a PUBREC.
func TestManyMessagesWithQoS2(t *testing.T) {
	const n = 50
	b := startBroker(t, &testRules{limits: &Limits{Window: 4}})
	r, _ := b.login(t, packet.V311, "c", true)
	for i := range uint16(n) {
		r.send(publishPacket(packet.V311, 2, "a", i+1, "x"))
	}
	for i := range uint16(n) {
		r.want(pack(0x50, num(i+1)))
	}
	for i := range uint16(n) {
		r.send(pack(0x62, num(i+1)))
		r.want(pack(0x70, num(i+1)))
	}
}

// TestOldClientsMayWrite holds what is legal before MQTT 5 only, and what devices do send: a remaining length that is
// not in its shortest form, and DUP in a SUBSCRIBE of MQTT 3.1 that is sent again.
func TestOldClientsMayWrite(t *testing.T) {
	b := startBroker(t, &testRules{})
	r := b.dial(t)
	connect := pack(0x10, str("MQIsdp"), []byte{packet.V31, 2}, num(60), str("c"))
	r.send(slices.Concat([]byte{0x10, connect[1] | 0x80, 0x80, 0x80, 0}, connect[2:]))
	r.want([]byte{0x20, 2, 0, 0})
	subscribe := subscribePacket(packet.V31, 9, 0, "a")
	for _, first := range []byte{0x82, 0x8a} {
		subscribe[0] = first
		r.send(subscribe)
		r.want(pack(0x90, num(9), []byte{0}))
	}
}

// TestDeadlineOfPacketFollowsItsSize: the time for a packet counts its size also if its first bytes come alone, as they
// do over TLS.
func TestDeadlineOfPacketFollowsItsSize(t *testing.T) {
	b := startBroker(t, &testRules{})
	here, there := net.Pipe()
	t.Cleanup(func() { _ = here.Close() })
	conn := &deadlineConn{Conn: there}
	go b.Serve(conn, "test")
	r := &raw{here, t}
	r.send(connectPacket(packet.V311, "c", true, 0))
	r.want([]byte{0x20, 2, 0, 0})
	p := publishPacket(packet.V311, 0, "a", 0, strings.Repeat("x", 60_000))
	r.send(p[:1])
	r.send(p[1:100])
	size := time.Duration(len(p)) * time.Second / minRate
	awaittest.True(t, "the deadline follows the size", func() bool {
		left := conn.left()
		return left > size && left <= size+packetTimeout
	})
}

// deadlineConn knows its deadline for reading.
type deadlineConn struct {
	net.Conn
	mu sync.Mutex
	at time.Time
}

func (c *deadlineConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
	return c.Conn.SetReadDeadline(at)
}

func (c *deadlineConn) left() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.at)
}

// TestIdleConnectionKeepsNoLongTopic: a client can't leave 64 kB in each of its connections.
func TestIdleConnectionKeepsNoLongTopic(t *testing.T) {
	b := startBroker(t, &testRules{})
	r, _ := b.login(t, packet.V311, "c", true)
	r.send(publishPacket(packet.V311, 0, strings.Repeat("x", 60_000), 0, ""))
	r.wantNothing()
	if n := len(b.Clients()[0].lastTopic); n > keptTopic { // after its goroutine has answered
		t.Errorf("%d bytes", n)
	}
}

// TestOlderConnectionDoesNotTakeTheSessionBack: a connection that waited for the session while a later one got it.
func TestOlderConnectionDoesNotTakeTheSessionBack(t *testing.T) {
	s := New(Options{Rules: &testRules{}})
	client := func() *Client {
		_, conn := net.Pipe()
		t.Cleanup(func() { _ = conn.Close() })
		c := newClient(s, conn, "test")
		c.id, c.version = "c", packet.V311
		return c
	}
	connect := &packet.Connect{Version: packet.V311, CleanStart: true}
	attach := func(c *Client) (holder *Client, err error) {
		holder, _, err = s.tryAttach(c, connect, &Grant{}, packet.Connack{})
		return holder, err
	}
	first, waiting, latest := client(), client(), client()
	if holder, err := attach(first); holder != nil || err != nil {
		t.Fatal(holder, err)
	}
	if holder, err := attach(waiting); holder != first || err != nil {
		t.Fatal(holder, err)
	}
	s.detach(first)
	if holder, err := attach(latest); holder != nil || err != nil {
		t.Fatal(holder, err)
	}
	if holder, err := attach(waiting); holder != nil || err == nil {
		t.Errorf("the older connection waits for %v, %v", holder, err)
	}
}

// TestDiscardedMessageIsAcknowledged: its publisher need not send it again.
func TestDiscardedMessageIsAcknowledged(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{publish: func(*Client, *Message, func(error)) Decision { return Discard }})
		r, _ := b.login(t, version, "c", true)
		r.send(publishPacket(version, 1, "a", 1, "x"))
		r.want(puback(1))
		r.send(publishPacket(version, 2, "a", 2, "x"))
		r.want(pack(0x50, num(2)))
	})
}

// TestSessionOfAnotherOwner: a client id does not bring the session of another owner with it.
func TestSessionOfAnotherOwner(t *testing.T) {
	owner := "first"
	b := startBroker(t, &testRules{connect: func(*Client, *packet.Connect) (Grant, error) {
		return Grant{Limits: persistent, Owner: owner}, nil
	}})
	for i, c := range []struct {
		owner   string
		present byte
	}{{"first", 0}, {"first", 1}, {"second", 0}, {"second", 1}, {"first", 0}} {
		owner = c.owner
		r, ack := b.login(t, packet.V311, "c", false)
		if ack[2] != c.present || b.Stats().Subscriptions != int(c.present) {
			t.Errorf("%d: %+v: CONNACK % x, %d subscriptions", i, c, ack, b.Stats().Subscriptions)
		}
		r.subscribe(packet.V311, 1, "a")
		_ = r.Close()
		awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
	}
}

// TestNoLocalHoldsForRetainedMessages: a client that subscribes with No Local does not get what it has retained itself.
func TestNoLocalHoldsForRetainedMessages(t *testing.T) {
	b := startBroker(t, &testRules{})
	r, _ := b.login(t, packet.V5, "c", true)
	other, _ := b.login(t, packet.V5, "other", true)
	r.send(retainedPacket(packet.V5, 0, "a/mine", 0, "x"))
	r.wantNothing()
	other.send(retainedPacket(packet.V5, 0, "a/theirs", 0, "x"))
	other.wantNothing()
	r.send(subscribePacket(packet.V5, 1, 0x04, "a/+"))
	r.want(pack(0x90, num(1), []byte{0, 0}), retainedPacket(packet.V5, 0, "a/theirs", 0, "x"))
	r.wantNothing()
}

// TestBridgeBit: bridges of Mosquitto say in the version that they are bridges. They get messages as they were
// published, and none of their own.
func TestBridgeBit(t *testing.T) {
	for name, version := range map[string]byte{"MQIsdp": packet.V31, "MQTT": packet.V311} {
		b := startBroker(t, &testRules{})
		r := b.dial(t)
		r.send(pack(0x10, str(name), []byte{0x80 | version, 2}, num(60), str("bridge")))
		r.want([]byte{0x20, 2, 0, 0})
		r.subscribe(version, 1, "#")
		r.send(publishPacket(version, 1, "a", 1, "mine"))
		r.want(puback(1))
		other, _ := b.login(t, packet.V311, "other", true)
		theirs := retainedPacket(packet.V311, 0, "a", 0, "theirs")
		other.send(theirs)
		r.want(theirs)
		r.wantNothing()
	}
	b := startBroker(t, &testRules{})
	r := b.dial(t)
	r.send(pack(0x10, str("MQTT"), []byte{0x80 | packet.V5, 2}, num(60), []byte{0}, str("bridge")))
	r.wantEnd([]byte{0x20, 2, 0, 1})
}

// TestExpiredMessageIsSentAgain: a message that the client may know already is not dropped when it expires, so that its
// packet id means the same on both sides.
func TestExpiredMessageIsSentAgain(t *testing.T) {
	b := startBroker(t, &testRules{limits: persistent})
	r, _ := b.login(t, packet.V311, "c", false)
	r.subscribe(packet.V311, 1, "a")
	expires := time.Now().Add(300 * time.Millisecond)
	_ = b.Publish(Message{Topic: "a", Payload: []byte("x"), QoS: 1, Expires: expires})
	sent := publishPacket(packet.V311, 1, "a", 1, "x")
	r.want(sent)
	_ = r.Close()
	awaittest.True(t, "the message has expired", func() bool { return time.Now().After(expires) })
	r, _ = b.login(t, packet.V311, "c", false)
	sent[0] |= 8
	r.want(sent)
}
