package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// tcpRelay is a TCP proxy to the upstream broker. It refuses connections until up is called, and keeps its address.
type tcpRelay struct {
	addr string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newTCPRelay(t *testing.T) *tcpRelay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	r := &tcpRelay{addr: l.Addr().String()}
	t.Cleanup(r.down)
	return r
}

func (r *tcpRelay) url() string { return "tcp://" + r.addr }

// up relays new connections to a broker.
func (r *tcpRelay) up(t *testing.T, broker string) {
	t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener = l
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(broker, "tcp://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			if !r.keep(l, near, far) {
				_, _ = near.Close(), far.Close()
				return
			}
			go func() { _, _ = io.Copy(far, near); _, _ = far.Close(), near.Close() }()
			go func() { _, _ = io.Copy(near, far); _, _ = far.Close(), near.Close() }()
		}
	}()
}

// keep records connections. It returns false if down was called in the meantime.
func (r *tcpRelay) keep(l net.Listener, conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != l {
		return false
	}
	r.conns = append(r.conns, conns...)
	return true
}

// cut closes the open connections; new ones are still relayed.
func (r *tcpRelay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// down closes the open connections and refuses new ones.
func (r *tcpRelay) down() {
	r.mu.Lock()
	if r.listener != nil {
		_ = r.listener.Close()
		r.listener = nil
	}
	r.mu.Unlock()
	r.cut()
}

// logBuffer is the output of a logger, which a test may read at any time.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

// testForwarder is a started Forwarder with its log and metrics.
type testForwarder struct {
	*Forwarder
	dir      string
	log      *logBuffer
	registry *prometheus.Registry
	stopped  stoppedOnce
}

func newTestForwarder(t *testing.T, dir, upstream, password string) *testForwarder {
	t.Helper()
	e := &testForwarder{dir: dir, log: &logBuffer{}, registry: prometheus.NewRegistry()}
	var err error
	e.Forwarder, err = NewForwarder(ForwardOptions{
		Dir: dir, Upstream: mqtt.Options{URL: upstream, ClientID: "forwarder", Username: "forwarder", Password: password},
		Logger: slog.New(slog.NewTextHandler(e.log, nil)), Registry: e.registry, retry: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Start()
	t.Cleanup(func() { e.halt(t) })
	return e
}

// halt stops the forwarder once, with time to forward what is pending.
func (e *testForwarder) halt(t *testing.T) { t.Helper(); e.stopped.stop(t, e.Stop) }

// stoppedOnce lets a part be stopped by a test and again at its end.
type stoppedOnce bool

func (s *stoppedOnce) stop(t *testing.T, stop func(context.Context) error) {
	t.Helper()
	if *s {
		return
	}
	*s = true
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// value returns the value of a metric.
func (e *testForwarder) value(t *testing.T, name string) float64 {
	t.Helper()
	families, err := e.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if m := f.GetMetric()[0]; f.GetName() == "nhip_gateway_forward_"+name {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func (e *testForwarder) accept(t *testing.T, client, payload string) {
	t.Helper()
	if err := accept(e, client, payload); err != nil {
		t.Fatal(err)
	}
}

// accept hands one message to an acceptor and waits for the outcome. As in HFP, the topic changes with each message.
func accept(d nhip.Acceptor, client, payload string) error {
	done := make(chan error, 1)
	d.Accept(nhip.Message{
		Client: client, Topic: "/hfp/" + strings.ReplaceAll(payload, " ", "/"), Payload: []byte(payload),
		Received: time.Now(),
	}, func(err error) { done <- err })
	return <-done
}

// publishAll publishes the messages from (inclusive) to to (exclusive) of each device, with the payload "<device>
// <number>", and waits until the gateway has acknowledged all.
func publishAll(t *testing.T, devices []*mqtt.Client, from, to int) {
	t.Helper()
	var tokens []paho.Token
	for i := from; i < to; i++ {
		for d, device := range devices {
			tokens = append(tokens, device.Publish(fmt.Sprintf("/hfp/%d/%d", d, i), 1, false, fmt.Appendf(nil, "%d %d", d, i)))
		}
	}
	for _, tok := range tokens {
		if !acked(tok, waitFor) {
			t.Fatalf("not acknowledged: %v", tok.Error())
		}
	}
}

// receiver holds the messages that arrived upstream.
type receiver interface{ payloads() []string }

func (d *fakeAcceptor) payloads() []string {
	var p []string
	for _, m := range d.messages() {
		p = append(p, string(m.Payload))
	}
	return p
}

// subscriber records the messages that a plain broker delivers.
type subscriber struct {
	mu  sync.Mutex
	got []string
}

func (e *subscriber) payloads() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.got...)
}

func listen(t *testing.T, broker string) *subscriber {
	t.Helper()
	e := &subscriber{}
	c := dial(t, mqtt.Options{
		URL: broker, ClientID: "subscriber", Subscribe: map[string]byte{"#": 1},
		Handle: func(topic string, payload []byte, _ bool) {
			if _, is := topics.ParseCensus(topic); is {
				return
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			e.got = append(e.got, string(payload))
		},
	})
	c.Publish(topics.CensusTopic("subscriber"), 0, true, []byte(`{"filters":["#"]}`))
	return e
}

// startUpstream starts a gateway that others may forward to.
func startUpstream(t *testing.T, d nhip.Acceptor) *Gateway {
	t.Helper()
	g := start(t, d)
	if err := g.PublishCensus("upstream"); err != nil {
		t.Fatal(err)
	}
	return g
}

// allArrived reports whether the first each messages of each device have arrived. It fails the test if a message
// arrived before an earlier one of its device. Duplicates may arrive at any time.
func allArrived(t *testing.T, h receiver, devices, each int) bool {
	t.Helper()
	next := make(map[int]int)
	for _, p := range h.payloads() {
		var d, i int
		if _, err := fmt.Sscanf(p, "%d %d", &d, &i); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		if i > next[d] {
			t.Fatalf("device %d: message %d arrived before %d", d, i, next[d])
		}
		next[d] = max(next[d], i+1)
	}
	for d := range devices {
		if next[d] < each {
			return false
		}
	}
	return true
}

// upstreams are the kinds of broker that a gateway may forward to: a plain broker and another gateway.
var upstreams = map[string]func(*testing.T) (url string, h receiver){
	"a broker": func(t *testing.T) (string, receiver) {
		url := mqtttest.Start(t)
		return url, listen(t, url)
	},
	"a gateway": func(t *testing.T) (string, receiver) {
		d := &fakeAcceptor{}
		return startUpstream(t, d).URL(), d
	},
}

func TestStoreAndForward(t *testing.T) {
	for name, upstream := range upstreams {
		t.Run(name, func(t *testing.T) {
			url, h := upstream(t)
			relay := newTCPRelay(t)
			e := newTestForwarder(t, t.TempDir(), relay.url(), accounts.Operator.String())
			g := start(t, e)
			const n, each = 6, 40
			var devices []*mqtt.Client
			for d := range n {
				devices = append(devices, dial(t, clientOptions(g, fmt.Sprint("device-", d), accounts.Operator.String())))
			}

			publishAll(t, devices, 0, each) // upstream is not reachable
			awaittest.True(t, "the cause is logged", func() bool { return e.log.count("can't reach the MQTT broker") == 1 })
			if e.Connected() || e.Pending() != n*each || e.value(t, "pending") != n*each || e.value(t, "connected") != 0 {
				t.Errorf("connected %v, %d pending", e.Connected(), e.Pending())
			}
			awaittest.True(t, "the oldest message ages", func() bool { return e.value(t, "oldest_seconds") > 0 })

			relay.up(t, url)
			awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, h, n, each) })
			awaittest.True(t, "nothing is pending", func() bool { return e.Pending() == 0 && e.Connected() })
			if e.value(t, "oldest_seconds") != 0 || e.value(t, "forwarded_total") != n*each || e.value(t, "connected") != 1 {
				t.Error("wrong metrics after all messages were forwarded")
			}

			for i := each; i < 3*each; i += each / 2 { // the connections are lost again and again
				go relay.cut()
				publishAll(t, devices, i, i+each/2)
			}
			relay.down()
			awaittest.True(t, "the lost connection is noticed", func() bool { return !e.Connected() })
			publishAll(t, devices, 3*each, 4*each)
			relay.up(t, url)
			awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, h, n, 4*each) })
			awaittest.True(t, "nothing is pending", func() bool { return e.Pending() == 0 })
			e.halt(t)
			if up := e.log.count("reached the MQTT broker"); up < 2 || up != e.log.count("lost the MQTT broker")+1 {
				t.Errorf("logged: %d times connected and %d times lost", up, e.log.count("lost the MQTT broker"))
			}
		})
	}
}

func TestPendingMessagesAreForwardedAfterRestart(t *testing.T) {
	dir, relay, d := t.TempDir(), newTCPRelay(t), &fakeAcceptor{}
	e := newTestForwarder(t, dir, relay.url(), accounts.Operator.String())
	for i := range 10 {
		e.accept(t, "0", fmt.Sprintf("0 %d", i))
	}
	e.halt(t)
	if e.log.count("messages=10") != 1 {
		t.Error("the pending messages are not logged")
	}
	if err := accept(e, "0", "0 10"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("accept after stop: %v, want ErrClosed", err)
	}
	relay.up(t, startUpstream(t, d).URL())
	e = newTestForwarder(t, dir, relay.url(), accounts.Operator.String())
	e.accept(t, "0", "0 10")
	awaittest.True(t, "all messages arrive", func() bool { return allArrived(t, d, 1, 11) })
	e.halt(t)
	e = newTestForwarder(t, dir, relay.url(), accounts.Operator.String())
	if e.Pending() != 0 {
		t.Errorf("%d pending after a complete stop", e.Pending())
	}
	e.accept(t, "0", "0 11")
	awaittest.True(t, "the last message arrives", func() bool { return allArrived(t, d, 1, 12) })
	if n := len(d.messages()); n != 12 {
		t.Errorf("%d messages arrived, want 12, each once", n)
	}
}

func TestStopForwardsPendingMessages(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	e := newTestForwarder(t, t.TempDir(), startUpstream(t, d).URL(), accounts.Operator.String())
	e.accept(t, "0", "0 0")
	awaittest.True(t, "the message is in flight", func() bool { return len(d.messages()) == 1 })
	short, cancel := context.WithTimeout(t.Context(), quietTime)
	defer cancel()
	go func() { <-short.Done(); close(d.hold) }() // upstream answers only after the deadline
	e.stopped = true
	if err := e.Stop(short); err != nil || e.Pending() > 1 {
		t.Errorf("stop: %v, %d pending", err, e.Pending())
	}
	d2 := &fakeAcceptor{}
	e = newTestForwarder(t, t.TempDir(), startUpstream(t, d2).URL(), accounts.Operator.String())
	awaittest.True(t, "upstream is connected", e.Connected)
	for i := range 200 {
		e.accept(t, "0", fmt.Sprintf("0 %d", i))
	}
	e.halt(t)
	if e.Pending() != 0 || !allArrived(t, d2, 1, 200) {
		t.Errorf("%d pending after a stop without time pressure", e.Pending())
	}
}

func TestForwarderRetriesRefusedLogin(t *testing.T) {
	relay, d := newTCPRelay(t), &fakeAcceptor{}
	strict, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: Accounts{Operator: NewSecret("another")}, Clock: nhip.WallClock{},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := strict.Start(&fakeAcceptor{}); err != nil {
		t.Fatal(err)
	}
	defer strict.Stop(t.Context())
	relay.up(t, strict.URL())
	e := newTestForwarder(t, t.TempDir(), relay.url(), accounts.Operator.String())
	e.accept(t, "0", "0 0")
	refusals := strict.hook.metrics.refused.WithLabelValues("credentials")
	awaittest.True(t, "the forwarder retries", func() bool { return testutil.ToFloat64(refusals) > 3*forwardQueues })
	if n := e.log.count("refuses the log-in"); n != 1 || e.Pending() != 1 {
		t.Errorf("logged %d times, %d pending", n, e.Pending())
	}
	relay.down()
	relay.up(t, startUpstream(t, d).URL())
	awaittest.True(t, "the message arrives", func() bool { return allArrived(t, d, 1, 1) })
}

// rejectingAcceptor rejects messages whose payload begins with reject.
type rejectingAcceptor struct {
	fakeAcceptor
	reject string
}

func (p *rejectingAcceptor) Accept(m nhip.Message, done func(error)) {
	p.mu.Lock()
	rejected := p.reject != "" && strings.HasPrefix(string(m.Payload), p.reject)
	p.mu.Unlock()
	if rejected {
		done(errors.New("rejected"))
		return
	}
	p.fakeAcceptor.Accept(m, done)
}

func TestRejectedMessageBlocksOnlyItsQueue(t *testing.T) {
	d := &rejectingAcceptor{reject: "0 3"}
	e := newTestForwarder(t, t.TempDir(), startUpstream(t, d).URL(), accounts.Operator.String())
	for i := range 10 {
		e.accept(t, "0", fmt.Sprintf("0 %d", i))
	}
	awaittest.True(t, "the message counts as stuck", func() bool { return e.value(t, "stuck") == 1 })
	const others = 2 * forwardQueues // some of them use another queue
	for i := range 20 {
		for o := 1; o <= others; o++ {
			e.accept(t, fmt.Sprint(o), fmt.Sprintf("%d %d", o, i))
		}
	}
	awaittest.True(t, "the other queues go on", func() bool { return len(d.messages()) > others*20/2 })
	if e.log.count("topic=/hfp/0/3 bytes=3") != 1 {
		t.Error("the stuck message is not logged exactly once")
	}
	if e.main.window.position() >= 4 {
		t.Error("the cursor has passed a message that is not forwarded")
	}
	d.mu.Lock()
	d.reject = ""
	d.mu.Unlock()
	awaittest.True(t, "all messages arrive", func() bool {
		return allArrived(t, d, others+1, 10) && allArrived(t, d, 1, 10) && e.Pending() == 0
	})
	if e.value(t, "stuck") != 0 {
		t.Error("the message still counts as stuck")
	}
}

func TestForwarderReadsAtMostOneWindow(t *testing.T) {
	e := newTestForwarder(t, t.TempDir(), newTCPRelay(t).url(), "")
	const n = 3 * windowSize
	var outcomes sync.WaitGroup
	for i := range n {
		outcomes.Add(1)
		e.Accept(nhip.Message{Client: fmt.Sprint(i % 1000), Topic: "a", Payload: []byte("x")}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			outcomes.Done()
		})
	}
	outcomes.Wait()
	if e.Pending() != n {
		t.Errorf("%d pending, want %d", e.Pending(), n)
	}
	e.main.window.mu.Lock()
	defer e.main.window.mu.Unlock()
	if read := e.main.window.next - e.main.window.first; read > windowSize {
		t.Errorf("%d messages are in memory", read)
	}
}

func TestForwarderSavesCursorAndFreesDisk(t *testing.T) {
	d := &fakeAcceptor{}
	e := newTestForwarder(t, t.TempDir(), startUpstream(t, d).URL(), accounts.Operator.String())
	var outcomes sync.WaitGroup
	for range 2 * segmentBytes / 60_000 {
		outcomes.Add(1)
		e.Accept(nhip.Message{Client: "0", Topic: "a", Payload: make([]byte, 60_000)}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			outcomes.Done()
		})
	}
	outcomes.Wait()
	awaittest.True(t, "all messages are forwarded", func() bool { return e.Pending() == 0 })
	awaittest.True(t, "a segment is deleted", func() bool { return e.value(t, "journal_bytes") <= segmentBytes })
	awaittest.True(t, "the cursor is at the end", func() bool { // it may have been saved before the last message
		saved, err := os.ReadFile(filepath.Join(e.dir, forwardCursor+".cursor"))
		return err == nil && strings.HasPrefix(string(saved), fmt.Sprint(e.main.journal.LastSeq(), " "))
	})
}

func TestForwarderRefusesInvalidMessages(t *testing.T) {
	e := newTestForwarder(t, t.TempDir(), newTCPRelay(t).url(), "")
	for _, m := range []nhip.Message{
		{Topic: ""}, {Topic: "a/#"}, {Topic: "a", Payload: make([]byte, topics.MaxPacket)},
	} {
		outcome := make(chan error, 1)
		e.Accept(m, func(err error) { outcome <- err })
		err := <-outcome
		if err == nil {
			t.Errorf("%q with %d bytes is accepted", m.Topic, len(m.Payload))
		}
		if len(m.Payload) > 0 && nhip.ErrorCode(err) != nhip.CodeTooLarge { // the sender must not send it again
			t.Errorf("%d bytes: %v", len(m.Payload), err)
		}
	}
	if e.Pending() != 0 {
		t.Errorf("%d pending", e.Pending())
	}
}

// TestLargestMessageIsForwarded: the upstream gateway accepts the largest message that a gateway accepts.
func TestLargestMessageIsForwarded(t *testing.T) {
	d := &fakeAcceptor{}
	e := newTestForwarder(t, t.TempDir(), startUpstream(t, d).URL(), accounts.Operator.String())
	device := dial(t, clientOptions(start(t, e), "device", accounts.Operator.String()))
	const topic, head = "nhip/in/position/1", 5
	payload := make([]byte, topics.MaxPacket-head-len(topic))
	if !acked(device.Publish(topic, 1, false, payload), waitFor) {
		t.Fatal("not acknowledged")
	}
	awaittest.True(t, "the message arrives", func() bool { return len(d.messages()) == 1 })
	if got := d.messages()[0]; len(got.Payload) != len(payload) {
		t.Errorf("%d bytes arrived", len(got.Payload))
	}
}

func TestDamagedJournalCostsNoMessages(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := nhip.Message{Client: "0", Topic: "a", Payload: []byte("0 0")}
	for _, record := range [][]byte{[]byte("nonsense"), appendForwardRecord(nil, &m)} {
		j.Append(record, nil)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, forwardCursor+".cursor"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &fakeAcceptor{}
	e := newTestForwarder(t, dir, startUpstream(t, d).URL(), accounts.Operator.String())
	awaittest.True(t, "the valid message arrives", func() bool { return allArrived(t, d, 1, 1) && e.Pending() == 0 })
	if e.value(t, "unreadable_total") != 1 || e.log.count("level=ERROR") != 2 {
		t.Error("the damage is not counted and logged")
	}
}

func TestForwardOptions(t *testing.T) {
	dir := t.TempDir()
	for what, o := range map[string]ForwardOptions{
		"client id": {Dir: dir, Upstream: mqtt.Options{URL: "tcp://h:1"}},
		"scheme":    {Dir: dir, Upstream: mqtt.Options{URL: "h:1", ClientID: "forwarder"}},
		"dir":       {Upstream: mqtt.Options{URL: "tcp://h:1", ClientID: "forwarder"}},
	} {
		o.Logger, o.Registry = slog.New(slog.DiscardHandler), prometheus.NewRegistry()
		if _, err := NewForwarder(o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want an error with %q", o.Upstream, err, what)
		}
	}
}

func TestForwarderStopWithoutStart(t *testing.T) {
	f, err := NewForwarder(ForwardOptions{
		Dir: t.TempDir(), Upstream: mqtt.Options{URL: "tcp://127.0.0.1:1", ClientID: "forwarder"},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := accept(f, "0", "0 0"); err != nil || f.Pending() != 1 {
		t.Errorf("%v, %d pending", err, f.Pending())
	}
	if err := f.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
