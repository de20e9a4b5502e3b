package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// testRules admit everybody. Each func that is not nil replaces the default.
type testRules struct {
	limits    *Limits
	view      View
	connect   func(c *Client, p *packet.Connect) (Grant, error)
	control   func(c *Client, t packet.Type) error
	subscribe func(c *Client, filter string) bool
	publish   func(c *Client, m *Message, done func(error)) Decision

	mu    sync.Mutex
	ended []string
}

func (r *testRules) Connect(c *Client, p *packet.Connect) (Grant, error) {
	if r.connect != nil {
		return r.connect(c, p)
	}
	return Grant{KeepAlive: p.KeepAlive, Limits: r.limits, View: r.view, Identity: string(p.Username)}, nil
}

func (r *testRules) Control(c *Client, t packet.Type, _ int) error {
	if r.control != nil {
		return r.control(c, t)
	}
	return nil
}

func (r *testRules) MaySubscribe(c *Client, filter string) bool {
	return r.subscribe == nil || r.subscribe(c, filter)
}

func (r *testRules) Publish(c *Client, m *Message, done func(error)) Decision {
	if r.publish != nil {
		return r.publish(c, m, done)
	}
	return Route
}

func (r *testRules) Ended(c *Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, c.ID())
}

// persistent lets sessions outlive their connections.
var persistent = &Limits{SessionExpiry: 3600, TopicAliases: 4}

// testBroker is a server with a TCP listener.
type testBroker struct {
	*Server
	addr    string
	mu      sync.Mutex
	panics  []any
	dropped map[string]int
	limited map[string]int
}

func startBroker(t testing.TB, rules *testRules) *testBroker {
	return startBrokerWith(t, Options{Rules: rules})
}

func startBrokerWith(t testing.TB, o Options) *testBroker {
	t.Helper()
	b := &testBroker{dropped: make(map[string]int), limited: make(map[string]int)}
	o.Observer = Observer{
		Panicked: func(_ *Client, value any, stack []byte) { b.count(func() { b.panics = append(b.panics, value) }) },
		Dropped:  func(_, cause string) { b.count(func() { b.dropped[cause]++ }) },
		Limited:  func(_ *Client, class string) { b.count(func() { b.limited[class]++ }) },
	}
	b.Server = New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.Serve(conn, "test")
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.panics {
			if p != errDeliberate {
				t.Errorf("panic: %v", p)
			}
		}
	})
	return b
}

// errDeliberate is a panic that a test causes.
var errDeliberate = errors.New("deliberate")

func (b *testBroker) count(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *testBroker) counted(of map[string]int, key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return of[key]
}

// raw is a client that can send any bytes.
type raw struct {
	net.Conn
	t testing.TB
}

func (b *testBroker) dial(t testing.TB) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(awaittest.Timeout))
	return &raw{conn, t}
}

// login connects with a version, an id and flags of CONNECT, and returns the client and the CONNACK.
func (b *testBroker) login(t testing.TB, version byte, id string, clean bool, props ...byte) (*raw, []byte) {
	t.Helper()
	r := b.dial(t)
	r.send(connectPacket(version, id, clean, 60, props...))
	got := r.read()
	if len(got) < 4 || got[0] != 0x20 || got[3] != 0 {
		t.Fatalf("CONNACK % x", got)
	}
	return r, got
}

func (r *raw) send(b []byte) { _, _ = r.Write(b) } // fails if the server has closed the connection

// read returns the next packet; nil if the connection ends.
func (r *raw) read() []byte {
	head := make([]byte, 1, 8)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil
	}
	for shift, n := 0, 0; ; shift += 7 {
		one := make([]byte, 1)
		if _, err := io.ReadFull(r, one); err != nil {
			return nil
		}
		head = append(head, one[0])
		n |= int(one[0]&0x7f) << shift
		if one[0] < 0x80 {
			body := make([]byte, n)
			if _, err := io.ReadFull(r, body); err != nil {
				return nil
			}
			return append(head, body...)
		}
	}
}

// want fails the test unless the next packets are these.
func (r *raw) want(packets ...[]byte) {
	r.t.Helper()
	for _, p := range packets {
		if got := r.read(); !bytes.Equal(got, p) {
			r.t.Fatalf("received % x, want % x", got, p)
		}
	}
}

// wantNothing checks that the server sends nothing before the answer to a PINGREQ.
func (r *raw) wantNothing() {
	r.t.Helper()
	r.send(pingreq)
	r.want(pingresp)
}

// wantEnd checks that the server closes the connection, after a packet if one is given.
func (r *raw) wantEnd(last ...[]byte) {
	r.t.Helper()
	r.want(last...)
	if got := r.read(); got != nil {
		r.t.Fatalf("received % x, want the end", got)
	}
}

var (
	pingreq  = []byte{0xc0, 0}
	pingresp = []byte{0xd0, 0}
)

// pack returns a packet: the first byte, the remaining length and the parts.
func pack(first byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

func str(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

func num(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

// withProps returns properties with their length for MQTT 5, else nothing.
func withProps(version byte, props ...byte) []byte {
	if version < packet.V5 {
		return nil
	}
	return append([]byte{byte(len(props))}, props...)
}

func connectPacket(version byte, id string, clean bool, keepAlive uint16, props ...byte) []byte {
	var flags byte
	if clean {
		flags = 2
	}
	return pack(0x10, str("MQTT"), []byte{version, flags}, num(keepAlive), withProps(version, props...), str(id))
}

func publishPacket(version, qos byte, topic string, id uint16, payload string, props ...byte) []byte {
	var packetID []byte
	if qos > 0 {
		packetID = num(id)
	}
	return pack(0x30|qos<<1, str(topic), packetID, withProps(version, props...), []byte(payload))
}

// retainedPacket is publishPacket with RETAIN.
func retainedPacket(version, qos byte, topic string, id uint16, payload string, props ...byte) []byte {
	p := publishPacket(version, qos, topic, id, payload, props...)
	p[0] |= 1
	return p
}

func subscribePacket(version byte, id uint16, options byte, filters ...string) []byte {
	parts := [][]byte{num(id), withProps(version)}
	for _, f := range filters {
		parts = append(parts, str(f), []byte{options})
	}
	return pack(0x82, parts...)
}

func unsubscribePacket(version byte, id uint16, filters ...string) []byte {
	parts := [][]byte{num(id), withProps(version)}
	for _, f := range filters {
		parts = append(parts, str(f))
	}
	return pack(0xa2, parts...)
}

// puback returns a PUBACK with reason 0 or, to a client of MQTT 5, another.
func puback(id uint16, reason ...byte) []byte { return pack(0x40, num(id), reason) }

// subscribe subscribes and waits for the SUBACK.
func (r *raw) subscribe(version, qos byte, filters ...string) {
	r.t.Helper()
	r.send(subscribePacket(version, 9, qos, filters...))
	codes := bytes.Repeat([]byte{qos & 3}, len(filters))
	r.want(pack(0x90, num(9), withProps(version), codes))
}

// eachVersion runs a test with both versions.
func eachVersion(t *testing.T, test func(t *testing.T, version byte)) {
	for _, version := range []byte{packet.V311, packet.V5} {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) { test(t, version) })
	}
}

// held are messages that Rules have taken.
type held struct {
	mu    sync.Mutex
	all   []*Message
	dones []func(error)
}

func (h *held) take(_ *Client, m *Message, done func(error)) Decision {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, m)
	h.dones = append(h.dones, done)
	return Take
}

func (h *held) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

func (h *held) done(i int, err error) {
	h.mu.Lock()
	f := h.dones[i]
	h.mu.Unlock()
	f(err)
}

func (h *held) payloads() (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.all {
		all = append(all, string(m.Payload))
	}
	return slices.Clone(all)
}
