package broker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// keep returns the properties of a session that outlives its connection by an hour.
func keep(version byte) []byte {
	if version < packet.V5 {
		return nil
	}
	return []byte{0x11, 0, 0, 14, 16}
}

func TestPersistentSession(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{limits: persistent})
		r, ack := b.login(t, version, "c", false, keep(version)...)
		if ack[2] != 0 {
			t.Error("a session is present at the first connect")
		}
		r.subscribe(version, 1, "a/#")
		_ = b.Publish(Message{Topic: "a/1", Payload: []byte("1"), QoS: 1})
		_ = b.Publish(Message{Topic: "a/2", Payload: []byte("2"), QoS: 1})
		r.want(publishPacket(version, 1, "a/1", 1, "1"), publishPacket(version, 1, "a/2", 2, "2"))
		r.send(puback(1))
		r.wantNothing()
		_ = r.Close()
		awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
		_ = b.Publish(Message{Topic: "a/3", Payload: []byte("3"), QoS: 1})
		_ = b.Publish(Message{Topic: "a/4", Payload: []byte("lost"), QoS: 0})
		r, ack = b.login(t, version, "c", false, keep(version)...)
		if ack[2] != 1 {
			t.Error("the session is not present")
		}
		again := publishPacket(version, 1, "a/2", 2, "2")
		again[0] |= 8
		r.want(again, publishPacket(version, 1, "a/3", 3, "3"))
		r.wantNothing()
		_ = r.Close()
		r, ack = b.login(t, version, "c", true)
		if ack[2] != 0 || b.Stats().Subscriptions != 0 {
			t.Error("a clean start keeps the session")
		}
		_ = r.Close()
	})
}

// TestMessageExpiryOffline: what waits for a client that is away expires as its publisher asks, and the rest of the
// time is told.
func TestMessageExpiryOffline(t *testing.T) {
	b := startBroker(t, &testRules{limits: persistent})
	r, _ := b.login(t, packet.V5, "c", false, keep(packet.V5)...)
	r.subscribe(packet.V5, 1, "#")
	_ = r.Close()
	awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
	for payload, left := range map[string]time.Duration{"short": time.Millisecond, "long": time.Minute} {
		_ = b.Publish(Message{Topic: "a", Payload: []byte(payload), QoS: 1, Expires: time.Now().Add(left)})
	}
	<-time.After(2 * time.Millisecond)
	r, _ = b.login(t, packet.V5, "c", false, keep(packet.V5)...)
	if got := r.read(); !contains(got, []byte("long")) || !contains(got, []byte{5, 2, 0, 0, 0, 60}) {
		t.Errorf("received % x", got)
	}
	r.wantNothing()
	if b.counted(b.dropped, DroppedExpired) != 1 {
		t.Error("not counted")
	}
}

// TestOfflineQueueHasABound: what comes first stays.
func TestOfflineQueueHasABound(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{SessionExpiry: 60, Queue: 2}})
	r, _ := b.login(t, packet.V311, "c", false)
	r.subscribe(packet.V311, 1, "#")
	_ = r.Close()
	awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
	for i := range 3 {
		_ = b.Publish(Message{Topic: fmt.Sprint(i), Payload: []byte("x"), QoS: 1})
	}
	r, _ = b.login(t, packet.V311, "c", false)
	r.want(publishPacket(packet.V311, 1, "0", 1, "x"), publishPacket(packet.V311, 1, "1", 2, "x"))
	r.wantNothing()
	if b.counted(b.dropped, DroppedQueue) != 1 {
		t.Error("not counted")
	}
}

func TestSessionExpiry(t *testing.T) {
	t.Parallel()
	b := startBroker(t, &testRules{limits: persistent})
	present := func(seconds byte, clean bool, disconnect []byte) bool {
		t.Helper()
		r, ack := b.login(t, packet.V5, "c", clean, 0x11, 0, 0, 0, seconds)
		r.send(disconnect)
		r.wantEnd()
		awaittest.True(t, "it is offline", func() bool { return b.Stats().Connections == 0 })
		return ack[2] == 1
	}
	plain := []byte{0xe0, 0}
	expiry := func(seconds byte) []byte { return pack(0xe0, []byte{0, 5, 0x11, 0, 0, 0, seconds}) }
	for _, c := range []struct {
		seconds    byte
		clean      bool
		disconnect []byte
		want       bool
	}{
		{0, false, plain, false},
		{9, false, plain, false}, // the one before ended with its connection
		{9, false, plain, true},
		{9, false, expiry(0), true},
		{9, false, expiry(9), false},
		{9, true, plain, false},
		{1, false, plain, true},
	} {
		if got := present(c.seconds, c.clean, c.disconnect); got != c.want {
			t.Errorf("%+v: session present %v", c, got)
		}
	}
	awaittest.True(t, "the session expires", func() bool { return b.Stats().Sessions == 0 })
}

// TestSessionExpiryIsCapped: rules decide how long a session may live, and MQTT 5 says so in the CONNACK.
func TestSessionExpiryIsCapped(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{SessionExpiry: 0}})
	r, ack := b.login(t, packet.V5, "c", false, 0x11, 0xff, 0xff, 0xff, 0xff)
	if !contains(ack, []byte{0x11, 0, 0, 0, 0}) {
		t.Errorf("CONNACK % x", ack)
	}
	_ = r.Close()
	old, _ := b.login(t, packet.V311, "d", false)
	_ = old.Close()
	awaittest.True(t, "no session is left", func() bool { return b.Stats().Sessions == 0 })
}

func TestTakeOver(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		rules := &testRules{limits: persistent}
		b := startBroker(t, rules)
		first, _ := b.login(t, version, "c", false, keep(version)...)
		first.subscribe(version, 1, "a")
		second, ack := b.login(t, version, "c", false, keep(version)...)
		if ack[2] != 1 {
			t.Error("the session is not present")
		}
		if version == packet.V5 {
			first.want([]byte{0xe0, 2, byte(packet.SessionTakenOver), 0})
		}
		first.wantEnd()
		_ = b.Publish(Message{Topic: "a", Payload: []byte("x"), QoS: 1})
		second.want(publishPacket(version, 1, "a", 1, "x"))
		if n := b.Stats().Clients; n != 1 {
			t.Errorf("%d clients", n)
		}
	})
}

// TestTakeOverWaitsForMessages: the messages of the new connection are handed over after those of the old one.
func TestTakeOverWaitsForMessages(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex
	var order []string
	rules := &testRules{publish: func(_ *Client, m *Message, done func(error)) Decision {
		if string(m.Payload) == "old" {
			<-release
		}
		mu.Lock()
		order = append(order, string(m.Payload))
		mu.Unlock()
		done(nil)
		return Take
	}}
	b := startBroker(t, rules)
	old, _ := b.login(t, packet.V311, "c", true)
	old.send(publishPacket(packet.V311, 1, "a", 1, "old"))
	awaittest.True(t, "it is being handed over", func() bool { return b.Stats().Received == 1 })
	r := b.dial(t)
	r.send(connectPacket(packet.V311, "c", true, 60))
	r.send(publishPacket(packet.V311, 1, "a", 1, "new"))
	awaittest.True(t, "the new connection waits", func() bool {
		b.Server.mu.RLock()
		defer b.Server.mu.RUnlock()
		return b.claims["c"] != nil
	})
	close(release)
	r.want([]byte{0x20, 2, 0, 0}, puback(1))
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(order) != "[old new]" {
		t.Errorf("handed over %q", order)
	}
}

// TestTakeOverHasATimeout: a connection that does not end is not waited for without end.
func TestTakeOverHasATimeout(t *testing.T) {
	release := make(chan struct{})
	rules := &testRules{publish: func(*Client, *Message, func(error)) Decision { <-release; return Ignore }}
	b := startBrokerWith(t, Options{Rules: rules, TakeOver: 50 * time.Millisecond})
	defer close(release)
	old, _ := b.login(t, packet.V311, "c", true)
	old.send(publishPacket(packet.V311, 1, "a", 1, "old"))
	awaittest.True(t, "it is being handed over", func() bool { return b.Stats().Received == 1 })
	r := b.dial(t)
	r.send(connectPacket(packet.V311, "c", true, 60))
	r.wantEnd([]byte{0x20, 2, 0, 3})
}

// TestManyTakeOvers: of many connections with one client id at the same time, one is left.
func TestManyTakeOvers(t *testing.T) {
	b := startBroker(t, &testRules{limits: persistent})
	var connecting sync.WaitGroup
	for range 50 {
		connecting.Go(func() {
			r := b.dial(t)
			r.send(connectPacket(packet.V311, "c", false, 60))
			r.read()
		})
	}
	connecting.Wait()
	awaittest.True(t, "one is left", func() bool { s := b.Stats(); return s.Clients == 1 && s.Connections == 1 })
	if len(b.claims) != 0 {
		t.Error("claims are left")
	}
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version byte) {
		t.Parallel()
		b := startBroker(t, &testRules{})
		r := b.dial(t)
		began := time.Now()
		r.send(connectPacket(version, "c", true, 1))
		r.read()
		if version == packet.V5 {
			r.want([]byte{0xe0, 2, byte(packet.KeepAliveTimeout), 0})
		}
		r.wantEnd()
		if took := time.Since(began); took < 1300*time.Millisecond {
			t.Errorf("disconnected after %s", took)
		}
	})
}

func TestServerKeepAlive(t *testing.T) {
	b := startBroker(t, &testRules{connect: func(*Client, *packet.Connect) (Grant, error) {
		return Grant{KeepAlive: 100, ClientID: "assigned"}, nil
	}})
	_, ack := b.login(t, packet.V5, "", true)
	if !contains(ack, []byte{0x13, 0, 100}) || !contains(ack, append([]byte{0x12}, str("assigned")...)) {
		t.Errorf("CONNACK % x", ack)
	}
}

func TestConnectTimeout(t *testing.T) {
	b := startBrokerWith(t, Options{Rules: &testRules{}, ConnectTimeout: 50 * time.Millisecond})
	for _, begin := range [][]byte{nil, {0x10}, connectPacket(4, "c", true, 60)[:9]} {
		r := b.dial(t)
		r.send(begin)
		r.wantEnd()
	}
}
