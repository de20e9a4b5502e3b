package publish_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"pgregory.net/rapid"
)

// reaction is what a scripted broker does with a message.
type reaction int

const (
	ack          reaction = iota
	ackReversed           // acknowledges the message after the next one, if that has arrived already
	ignore                // takes the message and never acknowledges it
	cut                   // ends the connection and does not take the message
	takeAndLeave          // takes the message and ends the connection without an acknowledgement
)

// scriptedBroker reacts to each message as a test decides, and records the messages that it takes.
type scriptedBroker struct {
	url string

	mu          sync.Mutex
	react       func(topic string) reaction
	connackCode byte
	logins      int
	messages    []string // "topic payload", in the order of arrival
}

func startScripted(t testing.TB, react func(string) reaction) *scriptedBroker {
	t.Helper()
	return startScriptedAt(t, "127.0.0.1:0", react)
}

func startScriptedAt(t testing.TB, addr string, react func(string) reaction) *scriptedBroker {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := &scriptedBroker{url: "tcp://" + l.Addr().String(), react: react}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.serve(conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return b
}

func (b *scriptedBroker) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	var unacked []uint16
	for {
		p, err := packets.ReadPacket(in)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packets.ConnectPacket:
			connack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
			if connack.ReturnCode = b.logIn(); connack.Write(conn) != nil || connack.ReturnCode != 0 {
				return
			}
		case *packets.PublishPacket:
			r := b.handle(p)
			switch r {
			case cut, takeAndLeave:
				return
			case ignore:
				continue
			}
			unacked = slices.Insert(unacked, 0, p.MessageID)
			if r == ackReversed && in.Buffered() > 0 {
				continue
			}
			for _, id := range unacked {
				puback := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
				puback.MessageID = id
				_ = puback.Write(conn) // the next read returns the error
			}
			unacked = nil
		}
	}
}

func (b *scriptedBroker) logIn() byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logins++
	return b.connackCode
}

func (b *scriptedBroker) handle(p *packets.PublishPacket) reaction {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.react(p.TopicName)
	if r != cut {
		b.messages = append(b.messages, p.TopicName+" "+string(p.Payload))
	}
	return r
}

func (b *scriptedBroker) set(react func(string) reaction, connackCode byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.react, b.connackCode = react, connackCode
}

func (b *scriptedBroker) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

func (b *scriptedBroker) loginCount() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.logins
}

func always(r reaction) func(string) reaction { return func(string) reaction { return r } }

// newPool returns a pool that is not started, with one connection unless o says otherwise.
func newPool(t testing.TB, o publish.Options) *publish.Pool {
	t.Helper()
	o.ClientID = "pool"
	o.Retry = time.Millisecond
	o.Connections = max(o.Connections, 1)
	pool, err := publish.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func closePool(t testing.TB, pool *publish.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
	defer cancel()
	if err := pool.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestPoolKeepsOrderThroughFaults publishes for a few devices, each message on a topic of its own, to a broker that
// acknowledges late or in the wrong order, or ends the connection, at random.
func TestPoolKeepsOrderThroughFaults(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		faults := rapid.IntRange(0, 30).Draw(r, "faults in 100")
		random := rand.New(rand.NewPCG(seed, 1))
		broker := startScripted(t, func(string) reaction {
			if random.IntN(100) >= faults {
				return ack
			}
			return []reaction{ackReversed, cut, takeAndLeave}[random.IntN(3)]
		})
		pool := newPool(t, publish.Options{
			Options: mqtt.Options{URL: broker.url}, Connections: rapid.IntRange(1, 3).Draw(r, "connections"),
		})
		pool.Start()
		const devices, each = 5, 60
		var mu sync.Mutex
		acked := make(map[string]int)
		for i := range each {
			for d := range devices {
				topic := fmt.Sprintf("%d/%d", d, i)
				err := pool.PublishFor(t.Context(), fmt.Sprint(d), topic, []byte("x"), func() {
					mu.Lock()
					defer mu.Unlock()
					acked[topic]++
				})
				if err != nil {
					r.Fatal(err)
				}
			}
		}
		closePool(t, pool)
		checkOrder(r, broker.taken(), devices, each)
		for topic, n := range acked {
			if n != 1 {
				r.Errorf("acked was called %d times for %s, want once", n, topic)
			}
		}
		if len(acked) != devices*each || pool.Acked() != devices*each {
			r.Errorf("acked was called for %d messages and Acked returned %d, want %d", len(acked), pool.Acked(), devices*each)
		}
	})
}

// checkOrder checks that the first copies of each device's messages arrived in order. Further copies may come at any
// time.
func checkOrder(t rapid.TB, messages []string, devices, each int) {
	t.Helper()
	next := make(map[int]int)
	for _, m := range messages {
		var d, i int
		if _, err := fmt.Sscanf(m, "%d/%d x", &d, &i); err != nil {
			t.Fatal(err)
		}
		if i > next[d] {
			t.Fatalf("device %d: message %d arrived before message %d", d, i, next[d])
		}
		next[d] = max(next[d], i+1)
	}
	for d := range devices {
		if next[d] != each {
			t.Errorf("device %d: %d of %d messages arrived", d, next[d], each)
		}
	}
}

func TestPoolResendsInFlightMessagesFirst(t *testing.T) {
	broker := startScripted(t, always(ignore))
	pool := newPool(t, publish.Options{Options: mqtt.Options{URL: broker.url}})
	pool.Start()
	for i := range 3 {
		if err := pool.Publish(t.Context(), fmt.Sprint(i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	awaittest.True(t, "the broker has taken three messages", func() bool { return len(broker.taken()) == 3 })
	broker.set(func(topic string) reaction {
		if topic == "3" && len(broker.messages) == 3 {
			return cut
		}
		return ack
	}, 0)
	if err := pool.Publish(t.Context(), "3", []byte("x")); err != nil {
		t.Fatal(err)
	}
	closePool(t, pool)
	if got, want := strings.Join(broker.taken(), ","), "0 x,1 x,2 x,0 x,1 x,2 x,3 x"; got != want {
		t.Errorf("the broker took %s, want %s", got, want)
	}
	if pool.Resent() != 4 {
		t.Errorf("Resent returned %d, want 4", pool.Resent())
	}
}

func TestPoolStartsBeforeBroker(t *testing.T) {
	var log mqtttest.Log
	addr := fmt.Sprintf("127.0.0.1:%d", mqtttest.FreePort(t))
	pool := newPool(t, publish.Options{Options: mqtt.Options{URL: "tcp://" + addr, Logger: log.Logger()}, Connections: 3})
	pool.Start()
	if err := pool.Publish(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the cause is logged", func() bool { return log.Count("connection refused") > 0 })
	if pool.Connected() || pool.Acked() != 0 {
		t.Error("the pool is connected without a broker")
	}
	broker := startScriptedAt(t, addr, always(ack))
	awaittest.True(t, "the message is acknowledged", func() bool { return pool.Acked() == 1 && pool.Connected() })
	awaittest.True(t, "all connections are open", func() bool { return broker.loginCount() == 3 })
	if n := log.Count("can't reach"); n != 1 {
		t.Errorf("one cause is logged %d times", n)
	}
	if n := log.Count("reached the MQTT broker"); n != 1 {
		t.Errorf("the connection is logged %d times, want once", n)
	}
	closePool(t, pool)
}

// TestPoolGivesUpWithoutBroker: a tool must not wait for ever for a broker that has gone away.
func TestPoolGivesUpWithoutBroker(t *testing.T) {
	p, err := publish.New(publish.Options{
		Options: mqtt.Options{URL: "tcp://127.0.0.1:1", ClientID: "p"}, Connections: 2, Retry: time.Millisecond,
		MaxDown: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	for i := 0; err == nil; i++ {
		err = p.Publish(t.Context(), fmt.Sprintf("a/%d", i), []byte("{}"))
	}
	if !strings.Contains(err.Error(), "the MQTT broker at tcp://127.0.0.1:1 can't be reached any more: ") {
		t.Errorf("Publish returns %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	if err := p.Close(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("Close returns %v", err)
	}
}

func TestPoolRetriesRefusedLogIn(t *testing.T) {
	var log mqtttest.Log
	broker := startScripted(t, always(ack))
	broker.set(always(ack), packets.ErrRefusedNotAuthorised)
	pool := newPool(t, publish.Options{Options: mqtt.Options{URL: broker.url, Logger: log.Logger()}})
	pool.Start()
	awaittest.True(t, "several attempts to log in", func() bool { return broker.loginCount() > 4 })
	if n := log.Count("refuses the log-in"); n != 1 {
		t.Errorf("the refusal is logged %d times, want once", n)
	}
	broker.set(always(ack), packets.Accepted)
	awaittest.True(t, "the pool is connected", pool.Connected)
	closePool(t, pool)
}

func TestPoolKeepsStuckMessageFirst(t *testing.T) {
	var log mqtttest.Log
	broker := startScripted(t, func(topic string) reaction {
		if topic == "bad" {
			return cut
		}
		return ack
	})
	pool := newPool(t, publish.Options{Options: mqtt.Options{URL: broker.url, Logger: log.Logger()}})
	pool.Start()
	for _, topic := range []string{"before", "bad", "after"} {
		if err := pool.PublishFor(t.Context(), "device", topic, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	awaittest.True(t, "the message counts as stuck", func() bool { return pool.Stuck() == 1 })
	logins := broker.loginCount()
	awaittest.True(t, "further attempts", func() bool { return broker.loginCount() > logins+3 })
	if n := log.Count("topic=bad bytes=1"); n != 1 {
		t.Errorf("the stuck message is logged %d times, want once", n)
	}
	broker.set(always(ack), 0)
	closePool(t, pool)
	if got := strings.Join(broker.taken(), ","); got != "before x,bad x,after x" || pool.Stuck() != 0 {
		t.Errorf("the broker took %s and %d messages are stuck", got, pool.Stuck())
	}
}

func TestDialReportsUnexpectedAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for want, answer := range map[string][]byte{
		"refuses the log-in with code 77": {0x20, 2, 0, 77},
		"did not answer the log-in":       {0x40, 2, 0, 1},
		"an unexpected packet":            {0x20, 0x7f},
		"ended the connection":            {},
	} {
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = packets.ReadPacket(conn)
			_, _ = conn.Write(answer)
			_ = conn.Close()
		}()
		_, err := publish.Dial(t.Context(), publish.Options{
			Connections: 1, Options: mqtt.Options{URL: "tcp://" + l.Addr().String()},
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("answer %x: error %v does not contain %q", answer, err, want)
		}
	}
}

func TestCloseBeforeStartReturnsAtOnce(t *testing.T) {
	pool := newPool(t, publish.Options{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}})
	if err := pool.Close(t.Context()); err != nil {
		t.Error(err)
	}
	pool = newPool(t, publish.Options{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}})
	if err := pool.Publish(t.Context(), "a/1", nil); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "a/1") {
		t.Errorf("Close returned %v, want an error that names the topic", err)
	}
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	for _, o := range []publish.Options{
		{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}},
		{Connections: 1, Options: mqtt.Options{URL: "ws://127.0.0.1:1"}},
		{Connections: 1, Options: mqtt.Options{URL: "127.0.0.1:1"}},
		{Connections: 1, Options: mqtt.Options{URL: "tcp://"}},
		{Connections: 1},
	} {
		if _, err := publish.New(o); err == nil {
			t.Errorf("New accepts %q with %d connections", o.URL, o.Connections)
		}
	}
}

func TestConnectPacketCarriesCredentials(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan *packets.ConnectPacket, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p, _ := packets.ReadPacket(conn)
			connect, _ := p.(*packets.ConnectPacket)
			received <- connect
			_ = conn.Close()
		}
	}()
	for _, c := range []struct {
		url, user, password string
		want                string
	}{
		{"tcp://" + l.Addr().String(), "u", "p", "x-0 true u true p"},
		{"tcp://" + l.Addr().String(), "", "p", "x-0 false  false "},
		{"mqtt://me:secret@" + l.Addr().String(), "u", "p", "x-0 true me true secret"},
	} {
		_, err := publish.Dial(t.Context(), publish.Options{
			Connections: 1, Options: mqtt.Options{URL: c.url, ClientID: "x", Username: c.user, Password: c.password},
		})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Dial returned %v, want an error without the password", err)
		}
		p := <-received
		got := fmt.Sprintf("%s %v %s %v %s", p.ClientIdentifier, p.UsernameFlag, p.Username, p.PasswordFlag, p.Password)
		if got != c.want || !p.CleanSession || p.ProtocolVersion != 4 {
			t.Errorf("the CONNECT carries %q, want %q", got, c.want)
		}
	}
}
