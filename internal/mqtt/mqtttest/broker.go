// Package mqtttest runs MQTT brokers for tests, our own in the process and Mosquitto beside it, and provides clients, a
// proxy and a benchmark load. Only tests may import it.
package mqtttest

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/packet"
	"nhip/internal/topics"
)

// AllowAll are rules that permit everything. Rules of tests embed them.
type AllowAll struct{}

// allowed is what a client of AllowAll may use: as much as a role at the gateway.
var allowed = &broker.Limits{
	MaxPacket: topics.MaxPacket + 3, // with its length
	Queue:     1 << 13, QueueBytes: 64 << 20, Unacked: 1 << 13, SessionExpiry: 24 * 60 * 60,
}

// Connect admits a client.
func (AllowAll) Connect(_ *broker.Client, p *packet.Connect) (broker.Grant, error) {
	return broker.Grant{KeepAlive: p.KeepAlive, Limits: allowed}, nil
}

// Control permits a packet.
func (AllowAll) Control(*broker.Client, packet.Type, int) error { return nil }

// MaySubscribe permits every filter.
func (AllowAll) MaySubscribe(*broker.Client, string) bool { return true }

// Publish makes the broker send a message to its subscribers.
func (AllowAll) Publish(*broker.Client, *broker.Message, func(error)) broker.Decision {
	return broker.Route
}

// Ended does nothing.
func (AllowAll) Ended(*broker.Client) {}

// Start runs a broker that admits every client, until the test ends, and returns its URL.
func Start(t testing.TB) string {
	t.Helper()
	return StartWith(t, AllowAll{})
}

// StartWith is Start with the test's own rules.
func StartWith(t testing.TB, rules broker.Rules) string {
	t.Helper()
	_, url := Serve(t, rules)
	return url
}

// Serve is StartWith for a test that manipulates the server.
func Serve(t testing.TB, rules broker.Rules) (s *broker.Server, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = broker.New(broker.Options{Rules: rules, Observer: broker.Observer{
		Panicked: func(_ *broker.Client, value any, stack []byte) { t.Errorf("panic in the broker: %v\n%s", value, stack) },
	}})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the listener is closed
			}
			serving.Go(func() { s.Serve(conn, "test") })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return s, "tcp://" + l.Addr().String()
}

// Message is a message that a Listener received.
type Message struct {
	Topic    string
	Payload  string
	Retained bool
}

// Listener is a client that receives the messages of a filter.
type Listener struct {
	received chan Message
}

// Listen subscribes to a filter until the test ends. The subscription is granted when Listen returns.
func Listen(t testing.TB, o mqtt.Options, filter string) *Listener {
	t.Helper()
	l := &Listener{received: make(chan Message, 1<<16)}
	o.Subscribe = map[string]byte{filter: 1}
	o.Handle = func(topic string, payload []byte, retained bool) {
		l.received <- Message{topic, string(payload), retained}
	}
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return l
}

// Wait drops messages until ok accepts one, which it returns. It fails the test if none is accepted in time.
func (l *Listener) Wait(t testing.TB, what string, ok func(Message) bool) Message {
	t.Helper()
	timeout := time.After(awaittest.Timeout)
	for {
		select {
		case m := <-l.received:
			if ok(m) {
				return m
			}
		case <-timeout:
			t.Fatalf("not received within %s: %s", awaittest.Timeout, what)
		}
	}
}

// Next returns the next message without waiting; ok is false if none has arrived.
func (l *Listener) Next() (m Message, ok bool) {
	select {
	case m := <-l.received:
		return m, true
	default:
		return Message{}, false
	}
}
