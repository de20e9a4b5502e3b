package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// pack returns an MQTT packet: the first byte, the remaining length and the parts.
func pack(first byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

// str returns a string in the encoding of MQTT.
func str(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// connectAs returns a CONNECT of MQTT 3.1.1 with a clean session, a user name and a password.
func connectAs(id, secret string) []byte {
	return pack(0x10, str("MQTT"), []byte{4, 0xc2, 0, 60}, str(id), str(id), str(secret))
}

// publish1 returns a PUBLISH with QoS 1.
func publish1(topic string, id uint16, payload string) []byte {
	return pack(0x32, str(topic), binary.BigEndian.AppendUint16(nil, id), []byte(payload))
}

func subscribe(filters ...string) []byte {
	body := []byte{0, 7}
	for _, f := range filters {
		body = append(append(body, str(f)...), 1)
	}
	return pack(0x82, body)
}

// rawClient is a connection that can send any bytes.
type rawClient struct {
	net.Conn
	t *testing.T
}

func dialRaw(t *testing.T, g *Gateway) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(waitFor))
	return &rawClient{conn, t}
}

func (r *rawClient) send(b []byte) { _, _ = r.Write(b) } // fails if the gateway has closed the connection

// logIn logs in as the device "attacker".
func (r *rawClient) logIn() {
	r.t.Helper()
	r.send(connectAs("attacker", "v"))
	if got := r.read(4); !bytes.Equal(got, []byte{0x20, 2, 0, 0}) {
		r.t.Fatalf("CONNACK %x", got)
	}
}

func (r *rawClient) read(n int) []byte {
	b := make([]byte, n)
	n, _ = io.ReadFull(r, b)
	return b[:n]
}

// readToEnd reads until the gateway closes the connection. It returns false if it does not.
func (r *rawClient) readToEnd() (answer []byte, closed bool) {
	answer, err := io.ReadAll(r)
	var timeout net.Error
	return answer, err == nil || !(asNetError(err, &timeout) && timeout.Timeout())
}

func asNetError(err error, to *net.Error) bool {
	e, ok := err.(net.Error)
	*to = e
	return ok
}

// startAttacked starts a gateway with an attacker and a neighbour in its fleet, and connects the neighbour.
func startAttacked(t *testing.T, l Limits) (*Gateway, *fakeAcceptor, *mqtt.Client) {
	t.Helper()
	d := &fakeAcceptor{}
	g := startWith(t, d, l)
	setDevices(g, newDevice("attacker", "v"), newDevice("neighbour", "n"))
	return g, d, dial(t, clientOptions(g, "neighbour", "n"))
}

// Outcomes of a bad packet.
const (
	disconnected = "disconnected" // the gateway closes the connection
	acknowledged = "acknowledged" // and without another effect
	ignored      = "ignored"      // the connection stays open, and the packet has no effect
)

// TestBadPackets sends packets that MQTT or our rules forbid over the real listener. None may reach the acceptor, and
// the neighbour must not be disturbed.
func TestBadPackets(t *testing.T) {
	g, d, neighbour := startAttacked(t, Limits{})
	deep := strings.Repeat("a/", 5_000)
	mine := "nhip/in/position/attacker"
	sent := 0
	for _, c := range []struct {
		name   string
		logIn  bool
		send   []byte
		finish bool // half-close the connection after that
		want   string
	}{
		{"nothing", false, nil, true, disconnected},
		{"one byte", false, []byte{0x10}, true, disconnected},
		{"half a header", false, []byte{0x10, 0x80}, true, disconnected},
		{"half a CONNECT", false, connectAs("attacker", "v")[:7], true, disconnected},
		{"256 MB", false, []byte{0x10, 0xff, 0xff, 0xff, 0x7f}, false, disconnected},
		{"a length of five bytes", false, []byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x01}, false, disconnected},
		{"a PUBLISH before CONNECT", false, publish1(mine, 1, "{}"), false, disconnected},
		{"a SUBSCRIBE before CONNECT", false, subscribe("#"), false, disconnected},
		{"a PINGREQ before CONNECT", false, []byte{0xc0, 0}, false, disconnected},
		{"another protocol", false, pack(0x10, str("HTTP"), []byte{4, 2, 0, 60}, str("attacker")), false, disconnected},
		{"another level", false, pack(0x10, str("MQTT"), []byte{9, 2, 0, 60}, str("attacker")), false, disconnected},
		{
			"MQTT 3.1 by its old name, without a secret", false,
			pack(0x10, str("MQIsdp"), []byte{3, 2, 0, 60}, str("attacker")), false, disconnected,
		},
		{
			"CONNECT with a reserved bit", false,
			pack(0x10, str("MQTT"), []byte{4, 0xc3, 0, 60}, str("attacker"), str("attacker"), str("v")), false, disconnected,
		},
		{"CONNECT with wrong flags", false, append([]byte{0x1f}, connectAs("attacker", "v")[1:]...), false, disconnected},
		{"a client id that is not UTF-8", false, connectAs("vil\xff", "v"), false, disconnected},
		{"a client id with NUL", false, connectAs("attacker\x00", "v"), false, disconnected},
		{"a client id with a surrogate", false, connectAs("\xed\xa0\x80", "v"), false, disconnected},
		{
			"no client id, and no clean session", false,
			pack(0x10, str("MQTT"), []byte{4, 0xc0, 0, 60}, str(""), str("attacker"), str("v")), false, disconnected,
		},
		{
			"a password without a user", false, pack(0x10, str("MQTT"), []byte{4, 0x42, 0, 60}, str("attacker"), str("v")),
			false, disconnected,
		},
		{"a wrong secret", false, connectAs("attacker", "w"), false, disconnected},
		{"a second CONNECT", true, connectAs("attacker", "v"), false, disconnected},
		{"a packet of type 0", true, []byte{0x00, 0}, false, disconnected},
		{"an empty packet of type 15", true, []byte{0xff, 0}, false, disconnected},
		{"SUBSCRIBE with wrong flags", true, append([]byte{0x80}, subscribe("a")[1:]...), false, disconnected},
		{"SUBSCRIBE without a filter", true, pack(0x82, []byte{0, 7}), false, disconnected},
		{"PUBLISH with QoS 3", true, append([]byte{0x36}, publish1(mine, 1, "{}")[1:]...), false, disconnected},
		{"PUBLISH with packet id 0", true, publish1(mine, 0, "{}"), false, disconnected},
		{"PUBLISH without a topic", true, publish1("", 1, "{}"), false, disconnected},
		{"PUBLISH to #", true, publish1("#", 1, "{}"), false, disconnected},
		{"PUBLISH to +", true, publish1("nhip/in/position/+", 1, "{}"), false, disconnected},
		{"PUBLISH to a topic with NUL", true, publish1(mine+"\x00", 1, "{}"), false, disconnected},
		{"PUBLISH to a topic that is not UTF-8", true, publish1(mine+"\xff", 1, "{}"), false, disconnected},
		{"PUBLISH to the longest topic", true, publish1(strings.Repeat("a", 65_500), 1, ""), false, disconnected},
		{"PUBLISH to 5,000 levels", true, publish1(deep, 1, "{}"), false, disconnected},
		{"PUBLISH to ..", true, publish1("nhip/in/position/../neighbour", 1, "{}"), false, disconnected},
		{"PUBLISH to the neighbour's topic", true, publish1("nhip/in/position/neighbour", 1, "{}"), false, disconnected},
		{"PUBLISH to a live topic", true, publish1("nhip/live/bus/a/1", 1, "{}"), false, disconnected},
		{"PUBLISH of 1 MB", true, publish1(mine, 1, strings.Repeat("x", 1<<20)), false, disconnected},
		{
			"PUBLISH of a topic longer than the packet", true, pack(0x32, []byte{0xff, 0xff}, []byte("abc")), false,
			disconnected,
		},
		{"PUBLISH to $SYS", true, publish1("$SYS/broker/clients", 1, "{}"), false, acknowledged},
		{"PUBLISH to $share", true, publish1("$share/a/"+mine, 1, "{}"), false, disconnected},
		{"PUBACK of what was never sent", true, pack(0x40, []byte{0, 9}), false, ignored},
		{"PUBREC of what was never sent", true, pack(0x50, []byte{0, 9}), false, ignored},
		{"PUBREL of what was never sent", true, pack(0x62, []byte{0, 9}), false, ignored},
		{"PUBCOMP of what was never sent", true, pack(0x70, []byte{0, 9}), false, ignored},
		{"SUBSCRIBE to everything", true, subscribe("#", "+/+", "$share/x/#", "$SYS/#"), false, ignored},
		{
			"SUBSCRIBE to 10,000 filters", true, subscribe(strings.Split(strings.Repeat("a/b,", 9_999)+"c", ",")...), false,
			disconnected,
		},
		{"UNSUBSCRIBE of what was never subscribed", true, pack(0xa2, []byte{0, 7}, str("a")), false, ignored},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dialRaw(t, g)
			if c.logIn {
				r.logIn()
			}
			r.send(c.send)
			if c.finish {
				_ = r.Conn.(*net.TCPConn).CloseWrite()
			}
			if c.want == acknowledged && r.readUntil([]byte{0x40, 2, 0, 1}) == nil {
				t.Error("there is no PUBACK")
			}
			if c.want == ignored || c.want == acknowledged {
				r.send([]byte{0xc0, 0}) // PINGREQ
				if r.readUntil([]byte{0xd0, 0}) == nil {
					t.Error("the connection was closed")
				}
			} else if answer, closed := r.readToEnd(); !closed {
				t.Errorf("the connection stays open; received %x", answer)
			}
			sent++
			if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
				t.Fatal("the neighbour's message is not acknowledged")
			}
		})
	}
	for _, m := range d.messages() {
		if m.Client != "neighbour" || m.Topic != "nhip/in/position/neighbour" || string(m.Payload) != "{}" {
			t.Errorf("accepted %.100q", fmt.Sprint(m))
		}
	}
	if n := len(d.messages()); n != sent {
		t.Errorf("%d messages accepted, want %d", n, sent)
	}
}

// readUntil reads until some bytes have come. It returns nil if the connection ends first.
func (r *rawClient) readUntil(end []byte) []byte {
	var got []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(got, end) {
		if _, err := r.Read(one); err != nil {
			return nil
		}
		got = append(got, one[0])
	}
	return got
}

// TestPacketIDInFlight: each message is acknowledged, even if a device reuses a packet id that is in flight.
func TestPacketIDInFlight(t *testing.T) {
	g, d, _ := startAttacked(t, Limits{})
	r := dialRaw(t, g)
	r.logIn()
	r.send(publish1("nhip/in/position/attacker", 5, "1"))
	r.send(publish1("nhip/in/position/attacker", 5, "2"))
	if got := r.read(8); !bytes.Equal(got, []byte{0x40, 2, 0, 5, 0x40, 2, 0, 5}) || len(d.messages()) != 2 {
		t.Errorf("received %x, %d messages accepted", got, len(d.messages()))
	}
}

// TestReadsAheadOfDisk: a connection is read on while its messages are on their way to the disk, and they are
// acknowledged in the order in which they came.
func TestReadsAheadOfDisk(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	g := start(t, d)
	setDevices(g, newDevice("attacker", "v"))
	r := dialRaw(t, g)
	r.logIn()
	const sent = 200
	var want []byte
	for id := range uint16(sent) {
		r.send(publish1("nhip/in/position/attacker", id+1, fmt.Sprint(id)))
		want = append(want, 0x40, 2, byte((id+1)>>8), byte(id+1))
	}
	awaittest.True(t, "all are handed over before one is on disk", func() bool { return len(d.messages()) == sent })
	for i, m := range d.messages() {
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %s is handed over as number %d", m.Payload, i)
		}
	}
	close(d.hold)
	if got := r.read(len(want)); !bytes.Equal(got, want) {
		t.Errorf("acknowledged as % x", got)
	}
}

// TestConnectionsBeyondLimit: connections beyond the limits are closed and counted, and do not disturb others.
func TestConnectionsBeyondLimit(t *testing.T) {
	g, _, neighbour := startAttacked(t, Limits{PerAddress: 20})
	for range 500 {
		_ = dialRaw(t, g)
	}
	awaittest.True(t, "connections beyond the limit are counted", func() bool {
		return testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classAddress)) >= 480
	})
	if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
		t.Error("the neighbour's message is not acknowledged")
	}
	if n := testutil.ToFloat64(g.hook.metrics.connections); n > 20 {
		t.Errorf("%v open connections, want at most 20", n)
	}
}

// TestReconnectingReplacesConnection: a device that connects again and again leaves no state of its former connections.
func TestReconnectingReplacesConnection(t *testing.T) {
	g, _, _ := startAttacked(t, Limits{})
	for range 100 {
		r := dialRaw(t, g)
		r.logIn()
	}
	awaittest.True(t, "one connection is left", func() bool {
		n := 0
		g.hook.sessions.Range(func(_, s any) bool {
			if s.(*session).kind == Device {
				n++
			}
			return true
		})
		return n == 2 && testutil.ToFloat64(g.hook.metrics.connections) == 2 // the other one is the neighbour's
	})
}

// TestFloodIsThrottled: messages beyond a device's rate are delayed and not lost.
func TestFloodIsThrottled(t *testing.T) {
	g, d, neighbour := startAttacked(t, Limits{MessageRate: 50})
	r := dialRaw(t, g)
	r.logIn()
	const flood = 300
	began := time.Now()
	go func() {
		for i := range flood {
			r.send(publish1("nhip/in/position/attacker", uint16(i+1), "{}"))
		}
	}()
	if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
		t.Error("the neighbour's message is not acknowledged")
	}
	if got := r.read(4 * flood); len(got) != 4*flood {
		t.Fatalf("%d of %d messages acknowledged", len(got)/4, flood)
	}
	if took := time.Since(began); took < (flood-burstSeconds*50)*time.Second/50-quietTime {
		t.Errorf("%d messages accepted in %s, which is too fast", flood, took)
	}
	if len(d.messages()) != flood+1 || testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classMessageRate)) == 0 {
		t.Error("throttled messages were lost or not counted")
	}
}

// TestDeviceCannotRetain: retained messages of a device are not stored.
func TestDeviceCannotRetain(t *testing.T) {
	g, _, _ := startAttacked(t, Limits{})
	before := g.server.Stats().Retained
	r := dialRaw(t, g)
	r.logIn()
	for i := range 100 {
		r.send(append([]byte{0x33}, publish1("nhip/in/position/attacker", uint16(i+1), fmt.Sprint(i))[1:]...))
	}
	if got := r.read(400); len(got) != 400 {
		t.Fatalf("%d messages acknowledged, want 100", len(got)/4)
	}
	if after := g.server.Stats().Retained; after != before {
		t.Errorf("%d more retained messages", after-before)
	}
}

// TestKeepAliveBounds: in the library, a keep-alive of 43,691 s and its half add up to 0.
func TestKeepAliveBounds(t *testing.T) {
	g, _, _ := startAttacked(t, Limits{})
	for _, k := range []uint16{0, 1, 43_691, 65_535} {
		r := dialRaw(t, g)
		r.send(pack(0x10, str("MQTT"), []byte{4, 0xc2, byte(k >> 8), byte(k)}, str("attacker"), str("attacker"), str("v")))
		r.read(4)
		<-time.After(quietTime)
		r.send([]byte{0xc0, 0})
		if got := r.read(2); !bytes.Equal(got, []byte{0xd0, 0}) {
			t.Errorf("a keep-alive of %d s closes the connection at once", k)
		}
		_ = r.Close()
	}
}
