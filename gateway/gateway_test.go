package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// waitFor bounds how long a test waits for what must come; absent is how long it waits to believe
// that something does not.
const (
	waitFor = 10 * time.Second
	absent  = 150 * time.Millisecond
)

// door keeps what comes in and answers when it is told to.
type door struct {
	mu   sync.Mutex
	got  []nhip.Message
	hold chan struct{} // nil: answers at once
	err  error
}

func (d *door) Accept(m nhip.Message, done func(error)) {
	d.mu.Lock()
	d.got = append(d.got, m)
	hold, err := d.hold, d.err
	d.mu.Unlock()
	if hold == nil {
		done(err)
		return
	}
	go func() { <-hold; done(err) }()
}

func (d *door) messages() []nhip.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]nhip.Message(nil), d.got...)
}

var accounts = Accounts{Operator: "operator-secret", Role: "role-secret"}

func start(t *testing.T, d nhip.Door) *Gateway {
	t.Helper()
	return startWith(t, d, Limits{})
}

func startWith(t testing.TB, d nhip.Door, l Limits) *Gateway {
	t.Helper()
	return startAs(t, d, Options{Limits: l})
}

// startAs starts a gateway with the options that are given, and the usual ones.
func startAs(t testing.TB, d nhip.Door, o Options) *Gateway {
	t.Helper()
	o.Addr, o.Accounts, o.Clock = "127.0.0.1:0", accounts, nhip.WallClock{}
	o.Logger, o.Registry = slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitFor)
		defer cancel()
		if err := g.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return g
}

func as(g *Gateway, id, password string) mqtt.Options {
	return mqtt.Options{URL: g.URL(), ClientID: id, Username: id, Password: password}
}

func dial(t *testing.T, o mqtt.Options) *mqtt.Client {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func acked(tok paho.Token, within time.Duration) bool {
	return tok.WaitTimeout(within) && tok.Error() == nil
}

func TestAcknowledgedOnlyWhenTheDoorSaysSo(t *testing.T) {
	d := &door{hold: make(chan struct{})}
	c := dial(t, as(start(t, d), "box", accounts.Operator))
	tok := c.Publish("nhip/in/position/5473", 1, false, []byte(`{"a":1}`))
	await.True(t, "the message reaches the door", func() bool { return len(d.messages()) == 1 })
	if acked(tok, absent) {
		t.Fatal("acknowledged before its outcome was on disk")
	}
	close(d.hold)
	if !acked(tok, waitFor) {
		t.Fatalf("not acknowledged after its outcome was on disk: %v", tok.Error())
	}
	m := d.messages()[0]
	if m.Client != "box" || m.Topic != "nhip/in/position/5473" || string(m.Payload) != `{"a":1}` || m.Received.IsZero() {
		t.Errorf("carried on as %+v", m)
	}
}

func TestNotAcknowledgedWhenItCantBeSaved(t *testing.T) {
	d := &door{err: errors.New("disk full")}
	c := dial(t, as(start(t, d), "box", accounts.Operator))
	tok := c.Publish("nhip/in/position/1", 1, false, []byte("{}"))
	await.True(t, "the client sends it again after its connection was cut", func() bool { return len(d.messages()) >= 2 })
	d.mu.Lock()
	d.err = nil
	d.mu.Unlock()
	if !acked(tok, waitFor) {
		t.Error("not acknowledged once the disk is back")
	}
}

func TestDeviceMessagesReachNobodyElse(t *testing.T) {
	g := start(t, &door{})
	l := mqtttest.Listen(t, as(g, "spy", accounts.Operator), "#")
	box := dial(t, as(g, "box", accounts.Operator))
	role := dial(t, as(g, "role", accounts.Role))
	if !acked(box.Publish("nhip/in/position/1", 1, true, []byte("{}")), waitFor) {
		t.Fatal("not acknowledged")
	}
	role.Publish("nhip/live/bus/a/1", 1, true, []byte("live"))
	m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true })
	if m.Topic != "nhip/live/bus/a/1" {
		t.Errorf("the subscriber of everything heard %s first", m.Topic)
	}
}

func TestRetainedLiveStateIsThereForWhoeverComesLater(t *testing.T) {
	g := start(t, &door{})
	role := dial(t, as(g, "role", accounts.Role))
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("state")), waitFor) {
		t.Fatal("not acknowledged")
	}
	l := mqtttest.Listen(t, as(g, "late", accounts.Operator), mqtt.Live)
	m := l.Wait(t, "the retained state", func(mqtttest.Message) bool { return true })
	if !m.Retained || m.Payload != "state" {
		t.Errorf("heard %+v", m)
	}
}

// TestACityLargerThanAQueueIsToldWhole: the library would put into a new subscriber's queue what fits, and drop
// the rest.
func TestACityLargerThanAQueueIsToldWhole(t *testing.T) {
	g := start(t, &door{})
	role := dial(t, as(g, "role", accounts.Role))
	const buses = 2*roleRoom + 1
	for i := range buses {
		role.Publish(fmt.Sprintf("nhip/live/bus/a/%d", i), 0, true, []byte("state"))
	}
	role.Publish("nhip/live/bus/a/0", 0, true, nil) // it has left
	if !acked(role.Publish("nhip/live/census/c", 1, true, []byte("{}")), waitFor) {
		t.Fatal("not acknowledged")
	}
	heard := make(map[string]bool)
	var mu sync.Mutex
	o := as(g, "late", accounts.Role)
	o.Subscribe = map[string]byte{mqtt.LiveBuses: 0}
	o.Handle = func(topic string, payload []byte, retained bool) {
		mu.Lock()
		defer mu.Unlock()
		heard[topic] = retained && string(payload) == "state"
	}
	dial(t, o)
	await.True(t, "the whole city is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(heard) >= buses-1
	})
	mu.Lock()
	defer mu.Unlock()
	for topic, ok := range heard {
		if !ok || topic == "nhip/live/bus/a/0" || !strings.HasPrefix(topic, "nhip/live/bus/") {
			t.Errorf("%s is not told as it should be", topic)
		}
	}
}

func TestWhoMayEnter(t *testing.T) {
	g := start(t, &door{})
	for _, password := range []string{"", "wrong", "operator-secre", "operator-secrets"} {
		if c, err := mqtt.Dial(t.Context(), as(g, "x", password)); err == nil {
			c.Close()
			t.Errorf("the password %q opens the door", password)
		}
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues("credentials")); n != 4 {
		t.Errorf("%v refusals counted, want 4", n)
	}
	if (Accounts{}).Rank(nil) != Nobody {
		t.Error("an empty secret opens to an empty password")
	}
}

func TestWhoMayPublishWhat(t *testing.T) {
	for _, c := range []struct {
		rank  Rank
		topic string
		want  bool
	}{
		{Operator, "nhip/in/position/1", true},
		{Operator, "/hfp/v2/journey/ongoing/vp/bus/1/2", true},
		{Operator, "nhip/live/bus/a/1", false},
		{Operator, "nhip/ask/main/ledger", false},
		{Operator, "nhip/answer/api", false},
		{Operator, "nhip/dead/x", false},
		{Operator, "$SYS/broker", false},
		{Operator, "nhip/in/+", false},
		{Operator, strings.Repeat("a", mqtt.MaxTopic+1), false},
		{Role, "nhip/live/bus/a/1", true},
		{Role, "nhip/ask/main/ledger", true},
		{Role, "nhip/answer/api", true},
		{Role, "nhip/in/position/1", false},
		{Role, "/hfp/v2/x", false},
		{Nobody, "nhip/in/position/1", false},
	} {
		if got := (&session{rank: c.rank}).mayPublish(c.topic); got != c.want {
			t.Errorf("rank %d publishes to %.40q: %v, want %v", c.rank, c.topic, got, c.want)
		}
	}
}

func TestForbiddenTopicsAreCountedAndStayEmpty(t *testing.T) {
	d := &door{}
	g := start(t, d)
	l := mqtttest.Listen(t, as(g, "spy", accounts.Operator), mqtt.Live)
	box := dial(t, as(g, "box", accounts.Operator))
	box.Publish("nhip/live/bus/a/1", 0, true, []byte("lie"))
	await.True(t, "the attempt is counted", func() bool {
		return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == 1
	})
	role := dial(t, as(g, "role", accounts.Role))
	role.Publish("nhip/live/bus/a/1", 0, true, []byte("truth"))
	if m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true }); m.Payload != "truth" {
		t.Errorf("heard %q", m.Payload)
	}
	if len(d.messages()) != 0 {
		t.Error("a forbidden message reached the door")
	}
}

func TestWillsAreTakenAway(t *testing.T) {
	d := &door{}
	g := start(t, d)
	l := mqtttest.Listen(t, as(g, "spy", accounts.Operator), "#")
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	o := paho.NewClientOptions().AddBroker(g.URL()).SetClientID("w").SetUsername("w").SetPassword(accounts.Operator).
		SetWill("nhip/live/bus/a/1", "lie", 1, true).SetAutoReconnect(false).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return conn, nil })
	c := paho.NewClient(o)
	if !acked(c.Connect(), waitFor) {
		t.Fatal("a box with a will is shut out")
	}
	_ = conn.Close() // without a DISCONNECT, which is what a will is for
	await.True(t, "the box is gone", func() bool { return len(g.server.Clients.GetByListener("mqtt")) == 1 })
	role := dial(t, as(g, "role", accounts.Role))
	role.Publish("nhip/live/bus/a/2", 1, false, []byte("truth"))
	if m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true }); m.Payload != "truth" {
		t.Errorf("the will is published: %+v", m)
	}
	if len(d.messages()) != 0 || testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("will")) != 1 {
		t.Error("the will reached the door, or was not counted")
	}
}

func TestNoPacketBeforeTheDeadlineEndsTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quick := newListener(l, absent, newAddresses(Limits{}), slog.New(slog.DiscardHandler), newMetrics(prometheus.NewRegistry()))
	defer quick.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server, err := quick.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := server.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a silent client's read ends with %v", err)
	}
}

// flaky fails a few times before it accepts.
type flaky struct {
	net.Listener
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures--; f.failures >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestTheListenerOutlivesAcceptErrors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics(prometheus.NewRegistry())
	l := newListener(&flaky{inner, 2}, waitFor, newAddresses(Limits{}), slog.New(slog.DiscardHandler), m)
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatalf("gave up: %v", err)
	}
	if testutil.ToFloat64(m.refused.WithLabelValues("accept")) != 2 || testutil.ToFloat64(m.connections) != 1 {
		t.Error("not counted")
	}
	_ = server.Close()
	_ = server.Close()
	if testutil.ToFloat64(m.connections) != 0 {
		t.Error("an open connection is still counted")
	}
	_ = l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestHugePacketsAreCutOffBeforeTheyAreRead(t *testing.T) {
	g := start(t, &door{})
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// CONNECT with a remaining length of 256 MB, and then nothing.
	if _, err := conn.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f}); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(waitFor / 2))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the broker waits for 256 MB: %v", err)
	}
}

func TestAConnectionThatHasJustComeDoesNotOutliveTheStop(t *testing.T) {
	for range 20 { // which of the two comes first is chance
		g, err := New(Options{
			Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Start(&door{}); err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", g.Addr())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := g.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > connectTimeout/2 {
			t.Errorf("a silent client held up the stop for %s", took)
		}
		if n := testutil.ToFloat64(g.hook.metrics.connections); n != 0 {
			t.Errorf("%v connections are open after the stop", n)
		}
		_ = conn.Close()
	}
}

func TestCloseDoorWaitsForWhatIsInHand(t *testing.T) {
	d := &door{hold: make(chan struct{})}
	g := start(t, d)
	box := dial(t, as(g, "box", accounts.Operator))
	role := dial(t, as(g, "role", accounts.Role))
	box.Publish("nhip/in/position/1", 1, false, []byte("{}"))
	await.True(t, "the message reaches the door", func() bool { return len(d.messages()) == 1 })
	short, cancel := context.WithTimeout(t.Context(), absent)
	defer cancel()
	if g.CloseDoor(short) == nil {
		t.Fatal("the door is closed with a message in hand")
	}
	close(d.hold)
	if err := g.CloseDoor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("{}")), waitFor) {
		t.Error("a role is cut off with the devices")
	}
	if c, err := mqtt.Dial(t.Context(), as(g, "late", accounts.Operator)); err == nil {
		c.Close()
		t.Error("a device is let in after the door was closed")
	}
}

func TestPortInUse(t *testing.T) {
	g := start(t, &door{})
	_, err := New(Options{
		Addr: g.Addr(), Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err == nil || !strings.Contains(err.Error(), g.Addr()) {
		t.Errorf("a port in use: %v", err)
	}
}

// TestStopWhileClientsLeave: the broker library asks for a lock twice when it takes leave of its clients, and hangs
// when a client leaves in between.
func TestStopWhileClientsLeave(t *testing.T) {
	g, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(&door{}); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		dial(t, as(g, fmt.Sprint("box-", i), accounts.Operator))
	}
	stopped := make(chan struct{})
	var leaving sync.WaitGroup
	for range 2 {
		leaving.Go(func() {
			for {
				select {
				case <-stopped:
					return
				default:
					g.server.Clients.Delete("who left") // takes the lock as whoever leaves does
					runtime.Gosched()
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	if err := g.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	close(stopped)
	leaving.Wait()
}
