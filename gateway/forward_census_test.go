package gateway

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// testCollector is a source that publishes its census.
type testCollector struct {
	*consume.Source
	*fakeAcceptor
	stopped stoppedOnce
}

func startCollector(t *testing.T, o mqtt.Options, id string, filters ...string) *testCollector {
	t.Helper()
	c := &testCollector{fakeAcceptor: &fakeAcceptor{}}
	o.ClientID = "collector-" + id
	var err error
	c.Source, err = consume.New(consume.Options{
		Options: o, Filters: filters, Clock: nhip.WallClock{}, Acceptor: c.fakeAcceptor,
		Census: func() (string, topics.Census) { return id, topics.Census{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Start()
	t.Cleanup(func() { c.halt(t) })
	return c
}

// halt stops the collector once.
func (c *testCollector) halt(t *testing.T) { t.Helper(); c.stopped.stop(t, c.Stop) }

// startForwarder starts a forwarder with the account of the gateway.
func startForwarder(t *testing.T, dir string, upstream mqtt.Options, maxBytes int64) *testForwarder {
	t.Helper()
	e := &testForwarder{dir: dir, log: &logBuffer{}, registry: prometheus.NewRegistry()}
	var err error
	e.Forwarder, err = NewForwarder(ForwardOptions{
		Dir: dir, Upstream: upstream, MaxBytes: maxBytes,
		Logger: slog.New(slog.NewTextHandler(e.log, nil)), Registry: e.registry, retry: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Start()
	t.Cleanup(func() { e.halt(t) })
	return e
}

// send accepts the messages from (inclusive) to to (exclusive) of each device on topics that begin with a prefix.
func send(t *testing.T, f *testForwarder, prefix string, devices, from, to int) {
	t.Helper()
	outcomes := make(chan error, devices*(to-from))
	for i := from; i < to; i++ {
		for d := range devices {
			f.Accept(nhip.Message{
				Client: fmt.Sprint(d), Topic: fmt.Sprint(prefix, d), Payload: fmt.Appendf(nil, "%d %d", d, i), Received: time.Now(),
			}, func(err error) { outcomes <- err })
		}
	}
	for range devices * (to - from) {
		if err := <-outcomes; err != nil {
			t.Fatal(err)
		}
	}
}

// on returns what arrived on topics that begin with a prefix.
func (c *testCollector) on(prefix string) arrivals {
	var all arrivals
	for _, m := range c.messages() {
		if strings.HasPrefix(m.Topic, prefix) {
			all = append(all, string(m.Payload))
		}
	}
	return all
}

// arrivals are payloads in the order of their arrival.
type arrivals []string

func (a arrivals) payloads() []string { return a }

const (
	positions = "nhip/in/position/"
	readings  = "nhip/in/reading/"
)

// TestGatewayFirst: a broker acknowledges what nobody has subscribed to. The gateway starts first and has messages
// before there was ever a collector.
func TestGatewayFirst(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	const devices, each = 7, 122 // 854 messages
	f := startForwarder(t, t.TempDir(), b.Options(mqtttest.Gateway), 0)
	awaittest.True(t, "the gateway is connected", f.Connected)
	send(t, f, positions, devices, 0, each)
	if f.Covered() || f.Pending() != devices*each || f.value(t, "forwarded_total") != 0 {
		t.Fatalf("covered %v, %d pending", f.Covered(), f.Pending())
	}
	c := startCollector(t, b.Options(mqtttest.Collector), "main", positions+"+")
	awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, c.on(positions), devices, each) })
	awaittest.True(t, "nothing is pending", func() bool { return f.Pending() == 0 && f.value(t, "covered") == 1 })
	if n := len(c.messages()); n != devices*each {
		t.Errorf("%d messages arrived, want each of %d once", n, devices*each)
	}
}

// TestGatewayStopsForwardingWhenCollectorStops: a clean stop clears the census, and the connection's end does, too.
func TestGatewayStopsForwardingWhenCollectorStops(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	f := startForwarder(t, t.TempDir(), b.Options(mqtttest.Gateway), 0)
	proxy := mqtttest.NewProxy(t, b.URL)
	through := b.Options(mqtttest.Collector)
	through.URL = proxy.URL
	first := startCollector(t, through, "main", positions+"+")
	send(t, f, positions, 3, 0, 10)
	awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, first.on(positions), 3, 10) })
	census := mqtttest.Listen(t, b.Options(mqtttest.Collector), topics.LiveCensus)
	census.Wait(t, "the census", func(m mqtttest.Message) bool { return strings.Contains(m.Payload, positions) })
	proxy.Cut() // the source connects again
	census.Wait(t, "the will", func(m mqtttest.Message) bool { return m.Payload == "" })
	census.Wait(t, "the census", func(m mqtttest.Message) bool { return strings.Contains(m.Payload, positions) })
	send(t, f, positions, 3, 10, 20)
	awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, first.on(positions), 3, 20) })
	first.halt(t)
	census.Wait(t, "the end", func(m mqtttest.Message) bool { return m.Payload == "" })
	awaittest.True(t, "nothing is covered", func() bool { return !f.Covered() })
	send(t, f, positions, 3, 20, 30)
	if f.Pending() != 30 {
		t.Errorf("%d pending, want 30", f.Pending())
	}
	second := startCollector(t, b.Options(mqtttest.Collector), "main", positions+"+")
	awaittest.True(t, "the rest arrives", func() bool {
		return allArrived(t, append(first.on(positions), second.on(positions)...), 3, 30) && f.Pending() == 0
	})
}

// TestBrokerThatLosesItsDatabaseCostsNoMessage kills Mosquitto and deletes its sessions and retained messages, while a
// gateway forwards and a collector reads.
func TestBrokerThatLosesItsDatabaseCostsNoMessage(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	f := startForwarder(t, t.TempDir(), b.Options(mqtttest.Gateway), 0)
	c := startCollector(t, b.Options(mqtttest.Collector), "main", positions+"+")
	const devices, rounds, each = 5, 3, 200
	for round := range rounds {
		awaittest.True(t, "the collector reads", func() bool { return c.Connected() && f.Covered() })
		send(t, f, positions, devices, round*each, round*each+each/2)
		awaittest.True(t, "the first half arrives", func() bool {
			return allArrived(t, c.on(positions), devices, round*each+each/2)
		})
		b.Kill(t)
		b.Wipe(t)
		b.Start(t)
		send(t, f, positions, devices, round*each+each/2, (round+1)*each)
	}
	awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, c.on(positions), devices, rounds*each) })
}

// TestUncoveredTopicsWaitAndOthersGoOn: of two collectors one comes late, and a third topic is covered by none.
func TestUncoveredTopicsWaitAndOthersGoOn(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	dir := t.TempDir()
	f := startForwarder(t, dir, b.Options(mqtttest.Gateway), 0)
	first := startCollector(t, b.Options(mqtttest.Collector), "positions", positions+"+")
	const devices, each = 4, 100
	for i := 0; i < each; i += 20 {
		send(t, f, readings, devices, i, i+20) // the same devices
		send(t, f, "nhip/in/unknown/", devices, i, i+20)
		send(t, f, positions, devices, i, i+20)
	}
	awaittest.True(t, "the covered messages arrive", func() bool {
		return allArrived(t, first.on(positions), devices, each)
	})
	awaittest.True(t, "the others wait", func() bool {
		return f.Waiting() == 2*devices*each && f.value(t, "uncovered") == 2*devices*each
	})
	if f.value(t, "oldest_seconds") == 0 || f.log.count("topic=nhip/in/reading/0 ") > 1 {
		t.Error("the waiting messages have no age, or are logged again and again")
	}
	f.halt(t)
	f = startForwarder(t, dir, b.Options(mqtttest.Gateway), 0)
	second := startCollector(t, b.Options(mqtttest.Collector), "readings", readings+"+")
	send(t, f, readings, devices, each, each+20)
	awaittest.True(t, "the late collector gets its messages", func() bool {
		return allArrived(t, second.on(readings), devices, each+20)
	})
	awaittest.True(t, "the rest waits", func() bool { return f.Waiting() == devices*each && f.Pending() == devices*each })
	if len(second.messages()) != devices*(each+20) {
		t.Errorf("%d messages arrived", len(second.messages()))
	}
}

// TestCollectorLeavesWhileAnotherStays: messages for the one that left are in the queues of the publisher, and must not
// hold up those of the other.
func TestCollectorLeavesWhileAnotherStays(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	f := startForwarder(t, t.TempDir(), b.Options(mqtttest.Gateway), 0)
	leaves := startCollector(t, b.Options(mqtttest.Collector), "readings", readings+"+")
	stays := startCollector(t, b.Options(mqtttest.Collector), "positions", positions+"+")
	awaittest.True(t, "both are covered", func() bool { return len(f.publisher.Load().Coverage()) == 2 })
	const devices, each = 40, 50
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range each {
			send(t, f, readings, devices, i, i+1)
			send(t, f, positions, devices, i, i+1)
		}
	}()
	awaittest.True(t, "some messages arrive", func() bool { return len(leaves.messages()) > devices })
	leaves.halt(t)
	<-sent
	awaittest.True(t, "all messages of the other arrive", func() bool {
		return allArrived(t, stays.on(positions), devices, each)
	})
	back := startCollector(t, b.Options(mqtttest.Collector), "readings", readings+"+")
	awaittest.True(t, "no message is lost", func() bool {
		return allArrived(t, append(leaves.on(readings), back.on(readings)...), devices, each) && f.Pending() == 0
	})
}

// TestWaitingMessagesFillOnlyTheirShare: the lane of a topic that is never covered is full. Nothing is lost, and the
// gateway goes on once a collector has come.
func TestWaitingMessagesFillOnlyTheirShare(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	const maxBytes = 64 << 20
	f := startForwarder(t, t.TempDir(), b.Options(mqtttest.Gateway), maxBytes)
	stays := startCollector(t, b.Options(mqtttest.Collector), "positions", positions+"+")
	awaittest.True(t, "a collector has subscribed", f.Covered)
	const size, n = 60_000, maxBytes / 3 / 60_000
	payload := make([]byte, size)
	for i := range n {
		outcome := make(chan error, 1)
		f.Accept(nhip.Message{Client: "0", Topic: readings + "0", Payload: append(fmt.Appendf(nil, "%d ", i), payload...)},
			func(err error) { outcome <- err })
		if err := <-outcome; err != nil {
			t.Fatal(i, err)
		}
	}
	send(t, f, positions, 1, 0, 1)
	awaittest.True(t, "the waiting lane is full", func() bool { return f.waiting.overfull() })
	late := startCollector(t, b.Options(mqtttest.Collector), "readings", readings+"+")
	awaittest.True(t, "all messages arrive", func() bool {
		return len(late.messages()) >= n && len(stays.messages()) == 1 && f.Pending() == 0
	})
	var order []int
	for _, m := range late.messages() {
		var i int
		if _, err := fmt.Sscan(string(m.Payload), &i); err != nil {
			t.Fatal(err)
		}
		order = append(order, i)
	}
	if !slices.IsSorted(slices.Compact(order)) || len(order) != n {
		t.Errorf("%d of %d messages arrived, or not in order", len(order), n)
	}
}

// TestGatewayThatMayNotReadCensusKeepsMessages: rules of an older version of the broker's configuration.
func TestGatewayThatMayNotReadCensusKeepsMessages(t *testing.T) {
	d := &fakeAcceptor{}
	upstream := start(t, d) // without a census
	f := newTestForwarder(t, t.TempDir(), upstream.URL(), accounts.Operator.String())
	awaittest.True(t, "the gateway is connected", f.Connected)
	f.accept(t, "0", "0 0")
	if f.Pending() != 1 || len(d.messages()) != 0 {
		t.Errorf("%d pending, %d arrived", f.Pending(), len(d.messages()))
	}
	if err := upstream.PublishCensus("upstream"); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the message arrives", func() bool { return allArrived(t, d, 1, 1) && f.Pending() == 0 })
}
