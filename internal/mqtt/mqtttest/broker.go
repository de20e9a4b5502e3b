// Package mqtttest runs a real MQTT broker for tests.
package mqtttest

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"nhip/internal/mqtt"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// waitFor bounds how long a test waits for what must come.
const waitFor = 10 * time.Second

// Start runs a broker that lets everybody in, until the test ends, and returns its URL.
func Start(t testing.TB) string {
	t.Helper()
	return StartWith(t, new(auth.AllowHook))
}

// StartWith runs a broker with the test's own rules, until the test ends, and returns its URL.
func StartWith(t testing.TB, rules broker.Hook) string {
	t.Helper()
	_, url := Serve(t, rules)
	return url
}

// Serve is StartWith for a test that does things to the broker behind its clients' backs.
func Serve(t testing.TB, rules broker.Hook) (s *broker.Server, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = broker.New(&broker.Options{Logger: slog.New(slog.DiscardHandler)})
	for _, h := range []broker.Hook{rules, new(turns)} {
		if err := s.AddHook(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddListener(&listener{listeners.NewNet("test", l), s}); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, "tcp://" + l.Addr().String()
}

// listener takes leave of its clients itself: the library's way asks again for a lock that it holds, and hangs
// where a client that leaves is waiting for it.
type listener struct {
	*listeners.Net
	server *broker.Server
}

// Close stops listening and cuts all clients.
func (l *listener) Close(listeners.CloseFn) {
	l.Net.Close(func(string) {
		for _, cl := range l.server.Clients.GetAll() {
			_ = l.server.DisconnectClient(cl, packets.ErrServerShuttingDown) // it may be gone already
		}
	})
}

// Message is what a Listener heard.
type Message struct {
	Topic    string
	Payload  string
	Retained bool
}

// Listener hears the messages of a filter.
type Listener struct {
	heard chan Message
}

// Listen subscribes to a filter until the test ends.
func Listen(t testing.TB, o mqtt.Options, filter string) *Listener {
	t.Helper()
	l := &Listener{heard: make(chan Message, 1<<16)}
	o.Subscribe = map[string]byte{filter: 1}
	o.Handle = func(topic string, payload []byte, retained bool) {
		l.heard <- Message{topic, string(payload), retained}
	}
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return l
}

// Wait returns the next message that ok accepts, and fails the test when none comes.
func (l *Listener) Wait(t testing.TB, what string, ok func(Message) bool) Message {
	t.Helper()
	late := time.After(waitFor)
	for {
		select {
		case m := <-l.heard:
			if ok(m) {
				return m
			}
		case <-late:
			t.Fatalf("no message in %s: %s", waitFor, what)
		}
	}
}

// Next returns the next message without waiting for it; false when none has come.
func (l *Listener) Next() (Message, bool) {
	select {
	case m := <-l.heard:
		return m, true
	default:
		return Message{}, false
	}
}
