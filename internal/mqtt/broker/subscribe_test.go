package broker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

func TestSubscribersReceiveMatchingMessages(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/c", false},
		{"a/+", "a/b", true},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"#", "a/b", true},
		{"+/+", "/a", true},
		{"/+", "/a", true},
		{"+", "/a", false},
		{"#", "$SYS/a", false},
		{"+/a", "$SYS/a", false},
		{"$SYS/#", "$SYS/a", true},
	} {
		b := startBroker(t, &testRules{})
		s, _ := b.login(t, packet.V311, "subscriber", true)
		s.subscribe(packet.V311, 1, c.filter)
		if err := b.Publish(Message{Topic: c.topic, Payload: []byte("x"), QoS: 1}); err != nil {
			t.Fatal(err)
		}
		if c.want {
			s.want(publishPacket(packet.V311, 1, c.topic, 1, "x"))
		} else {
			s.wantNothing()
		}
	}
}

// TestQoSIsTheLower: a message is delivered with the lower of its QoS and the subscription's.
func TestQoSIsTheLower(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{})
		s, _ := b.login(t, version, "subscriber", true)
		s.subscribe(version, 0, "zero")
		s.subscribe(version, 1, "one")
		s.send(subscribePacket(version, 3, 2, "two")) // granted 1
		s.want(pack(0x90, num(3), withProps(version), []byte{1}))
		p, _ := b.login(t, version, "publisher", true)
		p.send(publishPacket(version, 1, "zero", 1, "a"))
		p.send(publishPacket(version, 0, "one", 0, "b"))
		p.send(publishPacket(version, 1, "one", 2, "c"))
		p.send(publishPacket(version, 2, "two", 3, "d"))
		s.want(publishPacket(version, 0, "zero", 0, "a"), publishPacket(version, 0, "one", 0, "b"),
			publishPacket(version, 1, "one", 1, "c"), publishPacket(version, 1, "two", 2, "d"))
	})
}

func TestOverlappingSubscriptionsDeliverOnce(t *testing.T) {
	b := startBroker(t, &testRules{})
	s, _ := b.login(t, packet.V5, "subscriber", true)
	for id, filter := range map[byte]string{5: "a/#", 6: "a/+"} {
		s.send(pack(0x82, num(1), []byte{2, 0x0b, id}, str(filter), []byte{id - 5}))
		s.want(pack(0x90, num(1), []byte{0, id - 5}))
	}
	if err := b.Publish(Message{Topic: "a/b", Payload: []byte("x"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	got := s.read()
	if got[0] != 0x32 || !contains(got, []byte{0x0b, 5}) || !contains(got, []byte{0x0b, 6}) {
		t.Errorf("received % x, want QoS 1 and both subscription ids", got)
	}
	s.wantNothing()
}

func TestSubscribeOptions(t *testing.T) {
	b := startBroker(t, &testRules{})
	s, _ := b.login(t, packet.V5, "subscriber", true)
	s.subscribe(packet.V5, 0x04, "local")     // no local
	s.subscribe(packet.V5, 0x08, "published") // retain as published
	s.send(publishPacket(packet.V5, 0, "local", 0, "x"))
	s.send(retainedPacket(packet.V5, 0, "published", 0, "y"))
	s.want(retainedPacket(packet.V5, 0, "published", 0, "y"))
	s.send(subscribePacket(packet.V5, 1, 0x20, "#")) // no retained messages
	s.want(pack(0x90, num(1), []byte{0, 0}))
	s.send(subscribePacket(packet.V5, 1, 0x10, "#")) // only if new
	s.want(pack(0x90, num(1), []byte{0, 0}))
	s.wantNothing()
	s.send(subscribePacket(packet.V5, 1, 0x10, "+"))
	s.want(pack(0x90, num(1), []byte{0, 0}), retainedPacket(packet.V5, 0, "published", 0, "y"))
}

func TestRefusedSubscriptions(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		rules := &testRules{subscribe: func(_ *Client, filter string) bool { return !strings.HasPrefix(filter, "secret") }}
		b := startBroker(t, rules)
		r, _ := b.login(t, version, "c", true)
		deep := strings.Repeat("a/", MaxLevels)
		r.send(subscribePacket(version, 3, 1, "ok", "secret/x", "$share/g/ok", "a/#/b", "a+", deep))
		want := []byte{1, 0x80, 0x80, 0x80, 0x80, 0x80}
		if version == packet.V5 {
			want = []byte{1, byte(packet.NotAuthorized), byte(packet.SharedUnsupported), 0x8f, 0x8f, 0x8f}
		}
		r.want(pack(0x90, num(3), withProps(version), want))
		if n := b.Stats().Subscriptions; n != 1 {
			t.Errorf("%d subscriptions, want 1", n)
		}
	})
}

func TestUnsubscribe(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{})
		r, _ := b.login(t, version, "c", true)
		r.subscribe(version, 0, "a", "b")
		r.send(unsubscribePacket(version, 5, "a", "c"))
		var codes []byte
		if version == packet.V5 {
			codes = []byte{0, byte(packet.NoSubscription)}
		}
		r.want(pack(0xb0, num(5), withProps(version), codes))
		r.send(publishPacket(version, 0, "a", 0, "x"))
		r.send(publishPacket(version, 0, "b", 0, "y"))
		r.want(publishPacket(version, 0, "b", 0, "y"))
	})
}

func TestSubscriptionsHaveABound(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{limits: &Limits{MaxFilters: 3}})
		r, _ := b.login(t, version, "c", true)
		r.subscribe(version, 0, "a", "b")
		r.subscribe(version, 0, "b", "c") // one is not new
		r.send(subscribePacket(version, 1, 0, "d"))
		if version == packet.V5 {
			r.want([]byte{0xe0, 2, byte(packet.QuotaExceeded), 0})
		}
		r.wantEnd()
		if b.counted(b.limited, LimitedFilters) != 1 {
			t.Error("not counted")
		}
		awaittest.True(t, "the subscriptions are removed", func() bool { return b.Stats().Subscriptions == 0 })
		if len(b.subs.root.children) != 0 {
			t.Error("the tree of subscriptions keeps nodes")
		}
	})
}

func TestRetainedMessages(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{})
		p, _ := b.login(t, version, "publisher", true)
		p.send(retainedPacket(version, 0, "r/0", 0, "old"))
		p.send(retainedPacket(version, 0, "r/0", 0, "zero"))
		p.send(retainedPacket(version, 1, "r/1", 1, "one"))
		p.send(retainedPacket(version, 2, "r/2", 2, "two"))
		p.send(retainedPacket(version, 0, "r/gone", 0, "x"))
		p.send(retainedPacket(version, 0, "r/gone", 0, ""))
		p.send(retainedPacket(version, 0, "$x/r", 0, "hidden"))
		p.want(puback(1), pack(0x50, num(2)))
		p.wantNothing()
		s, _ := b.login(t, version, "subscriber", true)
		s.subscribe(version, 1, "#")
		got := []string{string(s.read()), string(s.read()), string(s.read())}
		for i, first := range []byte{0x31, 0x33, 0x33} {
			want := fmt.Sprintf("r/%d", i)
			if !slices.ContainsFunc(got, func(p string) bool { return p[0] == first && strings.Contains(p, want) }) {
				t.Errorf("received %q, want %s with % x", got, want, first)
			}
		}
		s.wantNothing()
		if n := b.Stats().Retained; n != 4 {
			t.Errorf("%d retained messages, want 4", n)
		}
	})
}

// TestManyRetainedMessages: they are more than a queue holds, and all arrive, although the client reads slowly.
func TestManyRetainedMessages(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{Queue: 10}})
	const n = 3000
	for i := range n {
		if err := b.Publish(Message{
			Topic: fmt.Sprintf("live/bus/%d", i), Payload: []byte("state"),
			Retain: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, filter := range []string{"live/bus/+", "#", "live/#", "+/+/+"} {
		r, _ := b.login(t, packet.V311, "c", true)
		r.send(subscribePacket(packet.V311, 1, 0, filter))
		r.want(pack(0x90, num(1), []byte{0}))
		seen := make(map[string]bool)
		for range n {
			seen[string(r.read())] = true
		}
		if len(seen) != n {
			t.Errorf("%d of %d messages for %s", len(seen), n, filter)
		}
		r.wantNothing()
		_ = r.Close()
	}
	r, _ := b.login(t, packet.V311, "c", true)
	r.send(subscribePacket(packet.V311, 1, 0, "live/bus/77", "+/+/78"))
	r.want(pack(0x90, num(1), []byte{0, 0}), retainedPacket(packet.V311, 0, "live/bus/77", 0, "state"),
		retainedPacket(packet.V311, 0, "live/bus/78", 0, "state"))
	r.wantNothing()
}

func TestRetainedMessagesHaveABound(t *testing.T) {
	b := startBrokerWith(t, Options{Rules: &testRules{}, MaxRetained: 2})
	for i := range 4 {
		_ = b.Publish(Message{Topic: fmt.Sprint(i % 3), Payload: []byte("x"), Retain: true})
	}
	if n := b.Stats().Retained; n != 2 || b.counted(b.dropped, DroppedRetained) != 1 {
		t.Errorf("%d retained, %d dropped", n, b.counted(b.dropped, DroppedRetained))
	}
}

func TestRetainedMessageExpires(t *testing.T) {
	t.Parallel()
	b := startBroker(t, &testRules{})
	p, _ := b.login(t, packet.V5, "publisher", true)
	p.send(retainedPacket(packet.V5, 0, "short", 0, "x", 0x02, 0, 0, 0, 1))
	p.send(retainedPacket(packet.V5, 0, "long", 0, "y", 0x02, 0, 0, 0, 100))
	p.send(retainedPacket(packet.V5, 0, "changed", 0, "z", 0x02, 0, 0, 0, 1))
	p.send(retainedPacket(packet.V5, 0, "changed", 0, "z"))
	awaittest.True(t, "one has expired", func() bool { return b.Retained("short") == nil && b.Stats().Retained == 2 })
	p.send(subscribePacket(packet.V5, 1, 0, "long"))
	p.want(pack(0x90, num(1), []byte{0, 0}))
	got := p.read()
	if left := got[len(got)-2]; !contains(got, []byte{5, 2, 0, 0, 0}) || left < 90 || left > 100 {
		t.Errorf("received % x", got)
	}
}

func TestPropertiesAreForwarded(t *testing.T) {
	b := startBroker(t, &testRules{})
	props := slices.Concat([]byte{0x01, 1, 0x03}, str("text/plain"), []byte{0x08}, str("reply"), []byte{0x09}, str("corr"),
		[]byte{0x26}, str("a"), str("2"), []byte{0x26}, str("c"), str("3"))
	s, _ := b.login(t, packet.V5, "s", true)
	s.subscribe(packet.V5, 0, "a")
	old, _ := b.login(t, packet.V311, "old", true)
	old.subscribe(packet.V311, 0, "a")
	s.send(publishPacket(packet.V5, 0, "a", 0, "x", props...))
	s.want(publishPacket(packet.V5, 0, "a", 0, "x", props...))
	old.want(publishPacket(packet.V311, 0, "a", 0, "x"))
}

// testView shows in/… as out/… and hides in/secret.
type testView struct{}

func (testView) Filter(filter string) string {
	if rest, ok := strings.CutPrefix(filter, "out/"); ok {
		return "in/" + rest
	}
	return filter
}

func (testView) Topic(topic string) (string, bool) {
	if rest, ok := strings.CutPrefix(topic, "in/"); ok {
		return "out/" + rest, rest != "secret"
	}
	return topic, true
}

func TestViewRenamesAndHides(t *testing.T) {
	b := startBroker(t, &testRules{view: testView{}})
	_ = b.Publish(Message{Topic: "in/r", Payload: []byte("r"), Retain: true})
	_ = b.Publish(Message{Topic: "in/secret", Payload: []byte("r"), Retain: true})
	r, _ := b.login(t, packet.V311, "c", true)
	r.subscribe(packet.V311, 0, "out/+")
	r.want(retainedPacket(packet.V311, 0, "out/r", 0, "r"))
	_ = b.Publish(Message{Topic: "in/secret", Payload: []byte("x")})
	_ = b.Publish(Message{Topic: "in/x", Payload: []byte("x")})
	r.want(publishPacket(packet.V311, 0, "out/x", 0, "x"))
	r.send(unsubscribePacket(packet.V311, 5, "out/+"))
	r.want(pack(0xb0, num(5)))
	_ = b.Publish(Message{Topic: "in/x", Payload: []byte("x")})
	r.wantNothing()
}

// TestSlowSubscriber: its queue has a bound, what is in the queue stays, and others are not delayed.
func TestSlowSubscriber(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{Queue: 20}})
	slow, _ := b.login(t, packet.V311, "slow", true)
	slow.subscribe(packet.V311, 0, "#")
	fast, _ := b.login(t, packet.V311, "fast", true)
	fast.subscribe(packet.V311, 0, "#")
	payload := strings.Repeat("x", 50_000)
	for i := 0; b.counted(b.dropped, DroppedQueue) < 100; i++ {
		_ = b.Publish(Message{Topic: fmt.Sprint(i), Payload: []byte(payload)})
		fast.want(publishPacket(packet.V311, 0, fmt.Sprint(i), 0, payload))
	}
	slow.want(publishPacket(packet.V311, 0, "0", 0, payload), publishPacket(packet.V311, 0, "1", 0, payload))
}

func TestQueueBytesHaveABound(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{Queue: 1 << 20, QueueBytes: 200_000}})
	slow, _ := b.login(t, packet.V311, "slow", true)
	slow.subscribe(packet.V311, 0, "#")
	payload := bytes.Repeat([]byte("x"), 50_000)
	for i := 0; b.counted(b.dropped, DroppedQueue) < 10; i++ {
		if i > 10_000 {
			t.Fatal("nothing is dropped")
		}
		_ = b.Publish(Message{Topic: fmt.Sprint(i), Payload: payload})
	}
}

// TestUnreadingClientIsDisconnected: a client that reads nothing for longer than the write timeout.
func TestUnreadingClientIsDisconnected(t *testing.T) {
	t.Parallel()
	b := startBrokerWith(t, Options{Rules: &testRules{limits: &Limits{Queue: 1000}}, WriteTimeout: 200 * time.Millisecond})
	slow, _ := b.login(t, packet.V311, "slow", true)
	slow.subscribe(packet.V311, 0, "#")
	payload := bytes.Repeat([]byte("x"), 50_000)
	awaittest.True(t, "it is disconnected", func() bool {
		_ = b.Publish(Message{Topic: "a", Payload: payload})
		return b.Stats().Connections == 0
	})
	if b.counted(b.limited, LimitedSlowRead) != 1 {
		t.Error("not counted")
	}
}

// TestUnreadAnswersHaveABound: a client that sends requests and reads no answers is not read further.
func TestUnreadAnswersHaveABound(t *testing.T) {
	t.Parallel()
	b := startBrokerWith(t, Options{Rules: &testRules{}, WriteTimeout: 300 * time.Millisecond})
	r, _ := b.login(t, packet.V311, "c", true)
	go func() {
		for flood := bytes.Repeat(pingreq, 10_000); ; {
			if _, err := r.Write(flood); err != nil {
				return
			}
		}
	}()
	awaittest.True(t, "it is disconnected", func() bool { return b.Stats().Connections == 0 })
}

// TestReceiveMaximumOfClient: no more messages with QoS 1 are sent than the client allows.
func TestReceiveMaximumOfClient(t *testing.T) {
	b := startBroker(t, &testRules{})
	r, _ := b.login(t, packet.V5, "c", true, 0x21, 0, 2)
	r.subscribe(packet.V5, 1, "#")
	for i := range 4 {
		_ = b.Publish(Message{Topic: fmt.Sprint(i), Payload: []byte("x"), QoS: 1})
	}
	r.want(publishPacket(packet.V5, 1, "0", 1, "x"), publishPacket(packet.V5, 1, "1", 2, "x"))
	r.wantNothing()
	r.send(puback(1))
	r.want(publishPacket(packet.V5, 1, "2", 3, "x"))
	r.wantNothing()
	r.send(puback(3))
	r.want(publishPacket(packet.V5, 1, "3", 4, "x"))
}

// TestMaximumPacketSizeOfClient: larger messages are dropped for the client.
func TestMaximumPacketSizeOfClient(t *testing.T) {
	b := startBroker(t, &testRules{})
	r, _ := b.login(t, packet.V5, "c", true, 0x27, 0, 0, 0, 12)
	r.subscribe(packet.V5, 1, "#")
	_ = b.Publish(Message{Topic: "a", Payload: []byte("123456"), QoS: 0})
	_ = b.Publish(Message{Topic: "a", Payload: []byte("1234567"), QoS: 0})
	_ = b.Publish(Message{Topic: "a", Payload: []byte("end"), QoS: 0})
	r.want(publishPacket(packet.V5, 0, "a", 0, "123456"), publishPacket(packet.V5, 0, "a", 0, "end"))
	if b.counted(b.dropped, DroppedSize) != 1 {
		t.Error("not counted")
	}
}

func TestLargePayload(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{MaxPacket: 1 << 20}})
	r, _ := b.login(t, packet.V311, "c", true)
	r.subscribe(packet.V311, 0, "#")
	for _, size := range []int{8 << 10, 8<<10 + 1, 16 << 10, 100_000, 900_000} {
		p := publishPacket(packet.V311, 0, "a", 0, strings.Repeat("x", size))
		go r.send(p)
		r.want(p)
	}
}
