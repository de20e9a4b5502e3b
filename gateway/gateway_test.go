package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/task"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// waitFor bounds how long a test waits for an event; quietTime is how long it waits before it concludes that an event
// does not occur.
const (
	waitFor   = awaittest.Timeout
	quietTime = 150 * time.Millisecond
)

// fakeAcceptor records messages. It calls done at once or, if hold is set, when hold is closed.
type fakeAcceptor struct {
	mu   sync.Mutex
	got  []nhip.Message
	hold chan struct{} // nil: done is called at once
	err  error         // passed to done
}

func (d *fakeAcceptor) Accept(m nhip.Message, done func(error)) {
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

func (d *fakeAcceptor) messages() []nhip.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]nhip.Message(nil), d.got...)
}

var accounts = Accounts{Operator: NewSecret("operator-secret"), Role: "role-secret"}

func start(t *testing.T, d nhip.Acceptor) *Gateway {
	t.Helper()
	return startWith(t, d, Limits{})
}

func startWith(t testing.TB, d nhip.Acceptor, l Limits) *Gateway {
	t.Helper()
	return startAs(t, d, Options{Limits: l})
}

// startAs starts a gateway with some options and the usual ones.
func startAs(t testing.TB, d nhip.Acceptor, o Options) *Gateway {
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

func clientOptions(g *Gateway, id, password string) mqtt.Options {
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

func TestPubackFollowsAcceptor(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	c := dial(t, clientOptions(start(t, d), "device", accounts.Operator.String()))
	tok := c.Publish("nhip/in/position/5473", 1, false, []byte(`{"a":1}`))
	awaittest.True(t, "the message reaches the acceptor", func() bool { return len(d.messages()) == 1 })
	if acked(tok, quietTime) {
		t.Fatal("acknowledged before the message was on disk")
	}
	close(d.hold)
	if !acked(tok, waitFor) {
		t.Fatalf("not acknowledged after the message was on disk: %v", tok.Error())
	}
	m := d.messages()[0]
	if m.Client != "device" || m.Topic != "nhip/in/position/5473" || string(m.Payload) != `{"a":1}` ||
		m.Received.IsZero() {
		t.Errorf("passed on as %+v", m)
	}
}

func TestUnsavedMessageIsNotAcknowledged(t *testing.T) {
	d := &fakeAcceptor{err: errors.New("disk full")}
	c := dial(t, clientOptions(start(t, d), "device", accounts.Operator.String()))
	tok := c.Publish("nhip/in/position/1", 1, false, []byte("{}"))
	awaittest.True(t, "the client sends the message again after it was disconnected", func() bool {
		return len(d.messages()) >= 2
	})
	d.mu.Lock()
	d.err = nil
	d.mu.Unlock()
	if !acked(tok, waitFor) {
		t.Error("not acknowledged after the disk has recovered")
	}
}

func TestDeviceMessagesAreNotBroadcast(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	l := mqtttest.Listen(t, clientOptions(g, "spy", accounts.Operator.String()), "#")
	device := dial(t, clientOptions(g, "device", accounts.Operator.String()))
	role := dial(t, clientOptions(g, "role", accounts.Role))
	if !acked(device.Publish("nhip/in/position/1", 1, true, []byte("{}")), waitFor) {
		t.Fatal("not acknowledged")
	}
	role.Publish("nhip/live/bus/a/1", 1, true, []byte("live"))
	m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true })
	if m.Topic != "nhip/live/bus/a/1" {
		t.Errorf("a subscriber to # received %s first", m.Topic)
	}
}

func TestLaterSubscriberReceivesRetainedState(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	role := dial(t, clientOptions(g, "role", accounts.Role))
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("state")), waitFor) {
		t.Fatal("not acknowledged")
	}
	l := mqtttest.Listen(t, clientOptions(g, "late", accounts.Operator.String()), topics.Live)
	m := l.Wait(t, "the retained state", func(mqtttest.Message) bool { return true })
	if !m.Retained || m.Payload != "state" {
		t.Errorf("received %+v", m)
	}
}

// TestRetainedStateLargerThanQueue: the library alone would put as many messages into a new subscriber's queue as fit,
// and drop the rest.
func TestRetainedStateLargerThanQueue(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	role := dial(t, clientOptions(g, "role", accounts.Role))
	const buses = 2*roleQueue + 1
	for i := range buses {
		role.Publish(fmt.Sprintf("nhip/live/bus/a/%d", i), 0, true, []byte("state"))
	}
	role.Publish("nhip/live/bus/a/0", 0, true, nil) // removed
	if !acked(role.Publish("nhip/live/census/c", 1, true, []byte("{}")), waitFor) {
		t.Fatal("not acknowledged")
	}
	received := make(map[string]bool)
	var mu sync.Mutex
	o := clientOptions(g, "late", accounts.Role)
	o.Subscribe = map[string]byte{topics.LiveBuses: 0}
	o.Handle = func(topic string, payload []byte, retained bool) {
		mu.Lock()
		defer mu.Unlock()
		received[topic] = retained && string(payload) == "state"
	}
	dial(t, o)
	awaittest.True(t, "the whole state is received", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(received) >= buses-1
	})
	mu.Lock()
	defer mu.Unlock()
	for topic, ok := range received {
		if !ok || topic == "nhip/live/bus/a/0" || !strings.HasPrefix(topic, "nhip/live/bus/") {
			t.Errorf("unexpected or wrong message on %s", topic)
		}
	}
}

func TestWrongPasswordIsRefused(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	for _, password := range []string{"", "wrong", "operator-secre", "operator-secrets"} {
		if c, err := mqtt.Dial(t.Context(), clientOptions(g, "x", password)); err == nil {
			c.Close()
			t.Errorf("the password %q is accepted", password)
		}
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues("credentials")); n != 4 {
		t.Errorf("%v refusals counted, want 4", n)
	}
	if (Accounts{}).Kind(nil) != Unauthenticated {
		t.Error("an empty secret matches an empty password")
	}
}

func TestMayPublishByKind(t *testing.T) {
	for _, c := range []struct {
		rank  PrincipalKind
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
		{Operator, strings.Repeat("a", topics.MaxTopic+1), false},
		{Role, "nhip/live/bus/a/1", true},
		{Role, "nhip/ask/main/ledger", true},
		{Role, "nhip/answer/api", true},
		{Role, "nhip/in/position/1", false},
		{Role, "/hfp/v2/x", false},
		{Unauthenticated, "nhip/in/position/1", false},
	} {
		if got := (&session{kind: c.rank}).mayPublish(c.topic); got != c.want {
			t.Errorf("kind %d publishes to %.40q: %v, want %v", c.rank, c.topic, got, c.want)
		}
	}
}

func TestForbiddenPublicationIsCountedAndDropped(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	l := mqtttest.Listen(t, clientOptions(g, "spy", accounts.Operator.String()), topics.Live)
	device := dial(t, clientOptions(g, "device", accounts.Operator.String()))
	device.Publish("nhip/live/bus/a/1", 0, true, []byte("forged"))
	awaittest.True(t, "the attempt is counted", func() bool {
		return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == 1
	})
	role := dial(t, clientOptions(g, "role", accounts.Role))
	role.Publish("nhip/live/bus/a/1", 0, true, []byte("genuine"))
	if m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true }); m.Payload != "genuine" {
		t.Errorf("received %q", m.Payload)
	}
	if len(d.messages()) != 0 {
		t.Error("a forbidden message reached the acceptor")
	}
}

func TestWillIsRemoved(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	l := mqtttest.Listen(t, clientOptions(g, "spy", accounts.Operator.String()), "#")
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	o := paho.NewClientOptions().AddBroker(g.URL()).SetClientID("w").SetUsername("w").
		SetPassword(accounts.Operator.String()).
		SetWill("nhip/live/bus/a/1", "forged", 1, true).SetAutoReconnect(false).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return conn, nil })
	c := paho.NewClient(o)
	if !acked(c.Connect(), waitFor) {
		t.Fatal("a device with a will is refused")
	}
	_ = conn.Close() // without a DISCONNECT, so that a will would be published
	awaittest.True(t, "the device is disconnected", func() bool {
		return g.server.Stats().Clients == 1
	})
	role := dial(t, clientOptions(g, "role", accounts.Role))
	role.Publish("nhip/live/bus/a/2", 1, false, []byte("genuine"))
	if m := l.Wait(t, "the role's message", func(mqtttest.Message) bool { return true }); m.Payload != "genuine" {
		t.Errorf("received the will: %+v", m)
	}
	if len(d.messages()) != 0 || testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("will")) != 1 {
		t.Error("the will reached the acceptor, or was not counted")
	}
}

func TestListenerTimesOutSilentConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	impatient := newListener(l, quietTime, newAddresses(Limits{}), slog.New(slog.DiscardHandler),
		newMetrics(prometheus.NewRegistry()))
	defer impatient.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server, err := impatient.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := server.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("reading from a silent client: %v, want a timeout", err)
	}
}

// flaky is a listener whose first calls of Accept fail.
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

func TestListenerRetriesAfterAcceptErrors(t *testing.T) {
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
		t.Fatalf("accept: %v", err)
	}
	if testutil.ToFloat64(m.refused.WithLabelValues("accept")) != 2 || testutil.ToFloat64(m.connections) != 1 {
		t.Error("errors or connections not counted")
	}
	_ = server.Close()
	_ = server.Close()
	if testutil.ToFloat64(m.connections) != 0 {
		t.Error("a closed connection is still counted")
	}
	_ = l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestHugePacketIsRejectedByItsHeader(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// CONNECT with a remaining length of 256 MB, and no body.
	if _, err := conn.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f}); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(waitFor / 2))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the broker waits for 256 MB: %v", err)
	}
}

func TestStopEndsConnectionJustAccepted(t *testing.T) {
	for range 20 { // the order of accept and stop is random
		g, err := New(Options{
			Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler),
			Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Start(&fakeAcceptor{}); err != nil {
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
			t.Errorf("a silent client delayed the stop by %s", took)
		}
		if n := testutil.ToFloat64(g.hook.metrics.connections); n != 0 {
			t.Errorf("%v open connections after the stop", n)
		}
		_ = conn.Close()
	}
}

func TestStopAcceptingWaitsForOutcomes(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	g := start(t, d)
	device := dial(t, clientOptions(g, "device", accounts.Operator.String()))
	role := dial(t, clientOptions(g, "role", accounts.Role))
	device.Publish("nhip/in/position/1", 1, false, []byte("{}"))
	awaittest.True(t, "the message reaches the acceptor", func() bool { return len(d.messages()) == 1 })
	short, cancel := context.WithTimeout(t.Context(), quietTime)
	defer cancel()
	if g.StopAccepting(short) == nil {
		t.Fatal("StopAccepting returned before the outcome of a message")
	}
	close(d.hold)
	if err := g.StopAccepting(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("{}")), waitFor) {
		t.Error("a role was disconnected with the devices")
	}
	if c, err := mqtt.Dial(t.Context(), clientOptions(g, "late", accounts.Operator.String())); err == nil {
		c.Close()
		t.Error("a device connected after StopAccepting")
	}
}

// TestStopAcceptingAcknowledges: what is on its way to the disk when the gateway stops is acknowledged, so that devices
// don't send it again.
func TestStopAcceptingAcknowledges(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	g := start(t, d)
	setDevices(g, newDevice("attacker", "v"))
	r := dialRaw(t, g)
	r.logIn()
	for id := range uint16(3) {
		r.send(publish1("nhip/in/position/attacker", id+1, "{}"))
	}
	awaittest.True(t, "all are handed over", func() bool { return len(d.messages()) == 3 })
	stopped := make(chan error, 1)
	go func() { stopped <- g.StopAccepting(t.Context()) }()
	awaittest.True(t, "the gateway is stopping", g.hook.isClosed)
	r.send(publish1("nhip/in/position/attacker", 9, "{}")) // too late
	close(d.hold)
	if got, closed := r.readToEnd(); !closed ||
		!bytes.Equal(got, []byte{0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x40, 2, 0, 3}) {
		t.Errorf("received % x, closed %v", got, closed)
	}
	if err := <-stopped; err != nil || len(d.messages()) != 3 {
		t.Errorf("%v, %d messages accepted", err, len(d.messages()))
	}
}

func TestNewFailsOnPortInUse(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	_, err := New(Options{
		Addr: g.Addr(), Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err == nil || !strings.Contains(err.Error(), g.Addr()) {
		t.Errorf("got %v, want an error that names the address", err)
	}
}

// TestStopWhileClientsDisconnect: clients that come and go while the gateway stops don't hold it up.
func TestStopWhileClientsDisconnect(t *testing.T) {
	g, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(&fakeAcceptor{}); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		dial(t, clientOptions(g, fmt.Sprint("device-", i), accounts.Operator.String()))
	}
	stopped := make(chan struct{})
	var disconnecting sync.WaitGroup
	for range 2 {
		disconnecting.Go(func() {
			for {
				select {
				case <-stopped:
					return
				default:
					conn, err := net.Dial("tcp", g.Addr())
					if err != nil {
						return
					}
					_, _ = conn.Write(connectAs("device-0", accounts.Operator.String()))
					_ = conn.Close()
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
	disconnecting.Wait()
}

// runUntilEnd runs a part until the test ends.
func runUntilEnd(t *testing.T, run func(context.Context) error) {
	t.Helper()
	tasks := task.NewGroup()
	tasks.Go(t.Name(), run)
	t.Cleanup(func() {
		if err := tasks.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
