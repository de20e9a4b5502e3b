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
	"nhip/internal/await"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// relay is the line to the broker upstream: it is down until a test puts it up, and keeps its
// address.
type relay struct {
	addr string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	r := &relay{addr: l.Addr().String()}
	t.Cleanup(r.down)
	return r
}

func (r *relay) url() string { return "tcp://" + r.addr }

// up leads what connects from now on to a broker.
func (r *relay) up(t *testing.T, broker string) {
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

// keep notes a connection, unless the line went down meanwhile.
func (r *relay) keep(l net.Listener, conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != l {
		return false
	}
	r.conns = append(r.conns, conns...)
	return true
}

// cut ends the connections; new ones get through.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

func (r *relay) down() {
	r.mu.Lock()
	if r.listener != nil {
		_ = r.listener.Close()
		r.listener = nil
	}
	r.mu.Unlock()
	r.cut()
}

// logged is what a logger writes, for tests to read while it does.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

// edge is a gateway that runs alone.
type edge struct {
	*Forwarder
	dir      string
	log      *logged
	registry *prometheus.Registry
	stopped  bool
}

func newEdge(t *testing.T, dir, upstream, password string) *edge {
	t.Helper()
	e := &edge{dir: dir, log: &logged{}, registry: prometheus.NewRegistry()}
	var err error
	e.Forwarder, err = NewForwarder(ForwardOptions{
		Dir: dir, Upstream: mqtt.Options{URL: upstream, ClientID: "edge", Username: "edge", Password: password},
		Logger: slog.New(slog.NewTextHandler(e.log, nil)), Registry: e.registry, retry: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Start()
	t.Cleanup(func() { e.halt(t) })
	return e
}

// halt stops the forwarder, once, with a moment for what can be forwarded.
func (e *edge) halt(t *testing.T) {
	t.Helper()
	if e.stopped {
		return
	}
	e.stopped = true
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// value returns a metric.
func (e *edge) value(t *testing.T, name string) float64 {
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

func (e *edge) takeIn(t *testing.T, client, payload string) {
	t.Helper()
	if err := accept(e, client, payload); err != nil {
		t.Fatal(err)
	}
}

// accept lets one message in, on a topic that is not the device, as HFP's.
func accept(d nhip.Door, client, payload string) error {
	done := make(chan error, 1)
	d.Accept(nhip.Message{
		Client: client, Topic: "/hfp/" + strings.ReplaceAll(payload, " ", "/"), Payload: []byte(payload), Received: time.Now(),
	}, func(err error) { done <- err })
	return <-done
}

// speak lets devices publish messages from to to, "<device> <number>", and waits until the gateway
// has acknowledged all.
func speak(t *testing.T, boxes []*mqtt.Client, from, to int) {
	t.Helper()
	var tokens []paho.Token
	for i := from; i < to; i++ {
		for d, box := range boxes {
			tokens = append(tokens, box.Publish(fmt.Sprintf("/hfp/%d/%d", d, i), 1, false, fmt.Appendf(nil, "%d %d", d, i)))
		}
	}
	for _, tok := range tokens {
		if !acked(tok, waitFor) {
			t.Fatalf("not acknowledged: %v", tok.Error())
		}
	}
}

// heard is what arrived upstream.
type heard interface{ payloads() []string }

func (d *door) payloads() []string {
	var p []string
	for _, m := range d.messages() {
		p = append(p, string(m.Payload))
	}
	return p
}

// ear hears what a plain broker passes on.
type ear struct {
	mu  sync.Mutex
	got []string
}

func (e *ear) payloads() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.got...)
}

func listen(t *testing.T, broker string) *ear {
	t.Helper()
	e := &ear{}
	dial(t, mqtt.Options{
		URL: broker, ClientID: "ear", Subscribe: map[string]byte{"#": 1},
		Handle: func(_ string, payload []byte, _ bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.got = append(e.got, string(payload))
		},
	})
	return e
}

// all reports whether each device's messages up to each have come, and fails the test when one came
// before its elder. Again they may come at any time.
func all(t *testing.T, h heard, devices, each int) bool {
	t.Helper()
	next := make(map[int]int)
	for _, p := range h.payloads() {
		var d, i int
		if _, err := fmt.Sscanf(p, "%d %d", &d, &i); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		if i > next[d] {
			t.Fatalf("of device %d, message %d came before %d", d, i, next[d])
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

// upstreams are the kinds of broker a gateway may forward to: anybody's, and another of ours.
var upstreams = map[string]func(*testing.T) (url string, h heard){
	"a broker": func(t *testing.T) (string, heard) {
		url := mqtttest.Start(t)
		return url, listen(t, url)
	},
	"a gateway": func(t *testing.T) (string, heard) {
		d := &door{}
		return start(t, d).URL(), d
	},
}

func TestStoreAndForward(t *testing.T) {
	for name, upstream := range upstreams {
		t.Run(name, func(t *testing.T) {
			url, h := upstream(t)
			line := newRelay(t)
			e := newEdge(t, t.TempDir(), line.url(), accounts.Operator)
			g := start(t, e)
			const devices, each = 6, 40
			var boxes []*mqtt.Client
			for d := range devices {
				boxes = append(boxes, dial(t, as(g, fmt.Sprint("box-", d), accounts.Operator)))
			}

			speak(t, boxes, 0, each) // with nobody upstream
			await.True(t, "the cause is told", func() bool { return e.log.count("can't reach the MQTT broker") == 1 })
			if e.Connected() || e.Pending() != devices*each || e.value(t, "pending") != devices*each || e.value(t, "connected") != 0 {
				t.Errorf("connected %v, %d pending", e.Connected(), e.Pending())
			}
			await.True(t, "the oldest gets older", func() bool { return e.value(t, "oldest_seconds") > 0 })

			line.up(t, url)
			await.True(t, "all arrives", func() bool { return all(t, h, devices, each) })
			await.True(t, "nothing is pending", func() bool { return e.Pending() == 0 && e.Connected() })
			if e.value(t, "oldest_seconds") != 0 || e.value(t, "forwarded_total") != devices*each || e.value(t, "connected") != 1 {
				t.Error("the numbers don't say so")
			}

			for i := each; i < 3*each; i += each / 2 { // the line is lost again and again in the midst
				go line.cut()
				speak(t, boxes, i, i+each/2)
			}
			line.down()
			await.True(t, "the line is seen to be down", func() bool { return !e.Connected() })
			speak(t, boxes, 3*each, 4*each)
			line.up(t, url)
			await.True(t, "all arrives", func() bool { return all(t, h, devices, 4*each) })
			await.True(t, "nothing is pending", func() bool { return e.Pending() == 0 })
			e.halt(t)
			if n := e.log.count("reached the MQTT broker"); n < 2 || n != e.log.count("lost the MQTT broker")+1 {
				t.Errorf("%d times up and %d times down are told", n, e.log.count("lost the MQTT broker"))
			}
		})
	}
}

func TestWhatIsNotForwardedGoesOutAfterTheNextStart(t *testing.T) {
	dir, line, d := t.TempDir(), newRelay(t), &door{}
	e := newEdge(t, dir, line.url(), accounts.Operator)
	for i := range 10 {
		e.takeIn(t, "0", fmt.Sprintf("0 %d", i))
	}
	e.halt(t)
	if e.log.count("messages=10") != 1 {
		t.Error("what is left is not told")
	}
	if err := accept(e, "0", "0 10"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after the stop, a message is answered with %v", err)
	}
	line.up(t, start(t, d).URL())
	e = newEdge(t, dir, line.url(), accounts.Operator)
	e.takeIn(t, "0", "0 10")
	await.True(t, "all arrives", func() bool { return all(t, d, 1, 11) })
	e.halt(t)
	e = newEdge(t, dir, line.url(), accounts.Operator)
	if e.Pending() != 0 {
		t.Errorf("%d pending after a stop with nothing left", e.Pending())
	}
	e.takeIn(t, "0", "0 11")
	await.True(t, "the last arrives", func() bool { return all(t, d, 1, 12) })
	if n := len(d.messages()); n != 12 {
		t.Errorf("%d messages arrived, want 12, each once", n)
	}
}

func TestAStopForwardsWhatItCan(t *testing.T) {
	d := &door{hold: make(chan struct{})}
	e := newEdge(t, t.TempDir(), start(t, d).URL(), accounts.Operator)
	e.takeIn(t, "0", "0 0")
	await.True(t, "it is on its way", func() bool { return len(d.messages()) == 1 })
	short, cancel := context.WithTimeout(t.Context(), absent)
	defer cancel()
	go func() { <-short.Done(); close(d.hold) }() // upstream lets go of it only later
	e.stopped = true
	if err := e.Stop(short); err != nil || e.Pending() > 1 {
		t.Errorf("stop: %v, %d pending", err, e.Pending())
	}
	d2 := &door{}
	e = newEdge(t, t.TempDir(), start(t, d2).URL(), accounts.Operator)
	await.True(t, "the line is up", e.Connected)
	for i := range 200 {
		e.takeIn(t, "0", fmt.Sprintf("0 %d", i))
	}
	e.halt(t)
	if e.Pending() != 0 || !all(t, d2, 1, 200) {
		t.Errorf("%d pending after a stop that had time", e.Pending())
	}
}

func TestUpstreamRefusesUsAndThenNot(t *testing.T) {
	line, d := newRelay(t), &door{}
	strict, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: Accounts{Operator: "another"}, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := strict.Start(&door{}); err != nil {
		t.Fatal(err)
	}
	defer strict.Stop(t.Context())
	line.up(t, strict.URL())
	e := newEdge(t, t.TempDir(), line.url(), accounts.Operator)
	e.takeIn(t, "0", "0 0")
	refusals := strict.hook.metrics.refused.WithLabelValues("credentials")
	await.True(t, "it tries again and again", func() bool { return testutil.ToFloat64(refusals) > 3*forwardLanes })
	if n := e.log.count("refuses the log-in"); n != 1 || e.Pending() != 1 {
		t.Errorf("told %d times, %d pending", n, e.Pending())
	}
	line.down()
	line.up(t, start(t, d).URL())
	await.True(t, "it arrives", func() bool { return all(t, d, 1, 1) })
}

// picky is a door that does not take one device's messages while it is told so.
type picky struct {
	door
	refuse string
}

func (p *picky) Accept(m nhip.Message, done func(error)) {
	p.mu.Lock()
	refused := p.refuse != "" && strings.HasPrefix(string(m.Payload), p.refuse)
	p.mu.Unlock()
	if refused {
		done(errors.New("not this one"))
		return
	}
	p.door.Accept(m, done)
}

func TestWhatUpstreamDoesNotTakeStaysFirstAndStopsNobodyElse(t *testing.T) {
	d := &picky{refuse: "0 3"}
	e := newEdge(t, t.TempDir(), start(t, d).URL(), accounts.Operator)
	for i := range 10 {
		e.takeIn(t, "0", fmt.Sprintf("0 %d", i))
	}
	await.True(t, "it is noticed", func() bool { return e.value(t, "stuck") == 1 })
	const others = 2 * forwardLanes // some of them go by another lane
	for i := range 20 {
		for o := 1; o <= others; o++ {
			e.takeIn(t, fmt.Sprint(o), fmt.Sprintf("%d %d", o, i))
		}
	}
	await.True(t, "the other lanes go on", func() bool { return len(d.messages()) > others*20/2 })
	if e.log.count("topic=/hfp/0/3 bytes=3") != 1 {
		t.Error("it is not told, or not once")
	}
	if e.window.position() >= 4 {
		t.Error("the cursor has passed what is not forwarded")
	}
	d.mu.Lock()
	d.refuse = ""
	d.mu.Unlock()
	await.True(t, "all arrives", func() bool { return all(t, d, others+1, 10) && all(t, d, 1, 10) && e.Pending() == 0 })
	if e.value(t, "stuck") != 0 {
		t.Error("it still counts as stuck")
	}
}

func TestNoMoreIsReadThanCanBeOnItsWay(t *testing.T) {
	e := newEdge(t, t.TempDir(), newRelay(t).url(), "")
	const n = 3 * windowSize
	var answered sync.WaitGroup
	for i := range n {
		answered.Add(1)
		e.Accept(nhip.Message{Client: fmt.Sprint(i % 1000), Topic: "a", Payload: []byte("x")}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			answered.Done()
		})
	}
	answered.Wait()
	if e.Pending() != n {
		t.Errorf("%d pending, want %d", e.Pending(), n)
	}
	e.window.mu.Lock()
	defer e.window.mu.Unlock()
	if read := e.window.next - e.window.first; read > windowSize {
		t.Errorf("%d messages are in memory", read)
	}
}

func TestTheCursorIsSavedAndTheDiskGivenBack(t *testing.T) {
	d := &door{}
	e := newEdge(t, t.TempDir(), start(t, d).URL(), accounts.Operator)
	var answered sync.WaitGroup
	for range 2 * segmentBytes / 60_000 {
		answered.Add(1)
		e.Accept(nhip.Message{Client: "0", Topic: "a", Payload: make([]byte, 60_000)}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			answered.Done()
		})
	}
	answered.Wait()
	await.True(t, "all is forwarded", func() bool { return e.Pending() == 0 })
	await.True(t, "a segment is given back", func() bool { return e.value(t, "journal_bytes") <= segmentBytes })
	await.True(t, "the cursor stands at the end", func() bool { // it may have been saved half way before
		saved, err := os.ReadFile(filepath.Join(e.dir, forwardCursor+".cursor"))
		return err == nil && strings.HasPrefix(string(saved), fmt.Sprint(e.journal.LastSeq(), " "))
	})
}

func TestWhatCantBeForwardedIsNotLetIn(t *testing.T) {
	e := newEdge(t, t.TempDir(), newRelay(t).url(), "")
	for _, m := range []nhip.Message{
		{Topic: ""}, {Topic: "a/#"}, {Topic: "a", Payload: make([]byte, mqtt.MaxPacket)},
	} {
		answer := make(chan error, 1)
		e.Accept(m, func(err error) { answer <- err })
		if <-answer == nil {
			t.Errorf("%q with %d bytes is taken in", m.Topic, len(m.Payload))
		}
	}
	if e.Pending() != 0 {
		t.Errorf("%d pending", e.Pending())
	}
}

// TestTheGreatestMessagePassesBothGateways: what one of our gateways takes, the next one takes too.
func TestTheGreatestMessagePassesBothGateways(t *testing.T) {
	d := &door{}
	e := newEdge(t, t.TempDir(), start(t, d).URL(), accounts.Operator)
	box := dial(t, as(start(t, e), "box", accounts.Operator))
	const topic, head = "nhip/in/position/1", 5
	payload := make([]byte, mqtt.MaxPacket-head-len(topic))
	if !acked(box.Publish(topic, 1, false, payload), waitFor) {
		t.Fatal("not acknowledged")
	}
	await.True(t, "it arrives", func() bool { return len(d.messages()) == 1 })
	if got := d.messages()[0]; len(got.Payload) != len(payload) {
		t.Errorf("%d bytes arrived", len(got.Payload))
	}
}

func TestADamagedFolderCostsNoMessages(t *testing.T) {
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
	d := &door{}
	e := newEdge(t, dir, start(t, d).URL(), accounts.Operator)
	await.True(t, "the good one arrives", func() bool { return all(t, d, 1, 1) && e.Pending() == 0 })
	if e.value(t, "unreadable_total") != 1 || e.log.count("level=ERROR") != 2 {
		t.Error("the damage is not told")
	}
}

func TestForwardOptions(t *testing.T) {
	dir := t.TempDir()
	for what, o := range map[string]ForwardOptions{
		"client id": {Dir: dir, Upstream: mqtt.Options{URL: "tcp://h:1"}},
		"tcp://":    {Dir: dir, Upstream: mqtt.Options{URL: "h:1", ClientID: "edge"}},
		"dir":       {Upstream: mqtt.Options{URL: "tcp://h:1", ClientID: "edge"}},
	} {
		o.Logger, o.Registry = slog.New(slog.DiscardHandler), prometheus.NewRegistry()
		if _, err := NewForwarder(o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want one that says %q", o.Upstream, err, what)
		}
	}
}

func TestAForwarderThatWasNeverStarted(t *testing.T) {
	f, err := NewForwarder(ForwardOptions{
		Dir: t.TempDir(), Upstream: mqtt.Options{URL: "tcp://127.0.0.1:1", ClientID: "edge"},
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
