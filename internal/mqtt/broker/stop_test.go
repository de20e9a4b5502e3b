package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

func TestStopTellsClients(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		rules := &testRules{limits: persistent}
		b := startBroker(t, rules)
		r, _ := b.login(t, version, "c", false, keep(version)...)
		silent := b.dial(t)
		awaittest.True(t, "both are open", func() bool { return b.Stats().Connections == 2 })
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if version == packet.V5 {
			r.want([]byte{0xe0, 2, byte(packet.ServerShuttingDown), 0})
		}
		r.wantEnd()
		silent.wantEnd()
		if s := b.Stats(); s != (Stats{Received: s.Received}) || len(rules.ended) != 1 {
			t.Errorf("left %+v, ended %q", s, rules.ended)
		}
		late := b.dial(t)
		late.wantEnd()
	})
}

// TestStopWhileClientsComeAndGo: neither hangs.
func TestStopWhileClientsComeAndGo(t *testing.T) {
	for range 10 {
		b := startBroker(t, &testRules{limits: persistent})
		stopped := make(chan struct{})
		var clients sync.WaitGroup
		for i := range 8 {
			clients.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stopped:
						return
					default:
					}
					conn, err := net.Dial("tcp", b.addr)
					if err != nil {
						return
					}
					_ = conn.SetDeadline(time.Now().Add(awaittest.Timeout))
					_, _ = conn.Write(connectPacket(4, fmt.Sprint(i%4), n%2 == 0, 60))
					_, _ = conn.Write(subscribePacket(4, 1, 1, "#"))
					_, _ = conn.Write(retainedPacket(4, 1, fmt.Sprint(i), 1, "x"))
					_, _ = conn.Read(make([]byte, 64))
					_ = conn.Close()
				}
			})
		}
		awaittest.True(t, "some have come", func() bool { return b.Stats().Received > 20 })
		ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
		if err := b.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		close(stopped)
		clients.Wait()
	}
}

// TestStopWithUnreadingClient: a client that reads nothing delays the stop by closeTimeout at most.
func TestStopWithUnreadingClient(t *testing.T) {
	t.Parallel()
	b := startBroker(t, &testRules{limits: &Limits{Queue: 1000}})
	r, _ := b.login(t, packet.V5, "c", true)
	r.subscribe(packet.V5, 0, "#")
	for i := 0; b.counted(b.dropped, DroppedQueue) == 0; i++ {
		_ = b.Publish(Message{Topic: "a", Payload: make([]byte, 50_000)})
	}
	began := time.Now()
	if err := b.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > awaittest.Timeout/3 {
		t.Errorf("the stop took %s", took)
	}
}

// TestPanicCostsOneConnection: a panic in the rules, at any packet, ends that connection and is reported.
func TestPanicCostsOneConnection(t *testing.T) {
	rules := &testRules{
		control: func(_ *Client, p packet.Type) error {
			if p == packet.TypePingreq {
				panic(errDeliberate)
			}
			return nil
		},
		publish: func(_ *Client, m *Message, _ func(error)) Decision {
			if m.Topic == "panic" {
				panic(errDeliberate)
			}
			return Route
		},
		subscribe: func(_ *Client, filter string) bool {
			if filter == "panic" {
				panic(errDeliberate)
			}
			return true
		},
		view: panicView{},
	}
	b := startBroker(t, rules)
	neighbour, _ := b.login(t, packet.V311, "neighbour", true)
	neighbour.subscribe(packet.V311, 0, "a")
	for i, bad := range [][]byte{
		pingreq, publishPacket(packet.V311, 1, "panic", 1, ""), subscribePacket(packet.V311, 1, 0, "panic"),
		subscribePacket(packet.V311, 1, 0, "panic-view"),
	} {
		r, _ := b.login(t, packet.V311, "bad", true)
		r.send(bad)
		r.wantEnd()
		awaittest.True(t, "it is reported", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.panics) == i+1
		})
		neighbour.send(publishPacket(packet.V311, 1, "a", 1, "x"))
		neighbour.want(puback(1), publishPacket(packet.V311, 0, "a", 0, "x"))
	}
	awaittest.True(t, "one connection is left", func() bool { return b.Stats().Connections == 1 })
}

type panicView struct{}

func (panicView) Filter(filter string) string {
	if filter == "panic-view" {
		panic(errDeliberate)
	}
	return filter
}

func (panicView) Topic(topic string) (string, bool) { return topic, true }
