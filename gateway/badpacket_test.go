package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/torturetest"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// The versions of MQTT, as CONNECT names them.
const (
	mqtt311 = 4
	mqtt5   = 5
)

// connectWith returns a CONNECT of a version. A secret is sent only with one.
func connectWith(version byte, id, secret string) []byte {
	flags, login := byte(2), [][]byte(nil)
	if secret != "" {
		flags, login = 0xc2, [][]byte{str(id), str(secret)}
	}
	parts := [][]byte{str("MQTT"), {version, flags, 0, 60}}
	if version == mqtt5 {
		parts = append(parts, []byte{0})
	}
	return pack(0x10, append(append(parts, str(id)), login...)...)
}

// validPackets returns a valid packet of each type, also of those that only a broker sends. Those of MQTT 5 have
// properties.
func validPackets(version byte, topic string) map[string][]byte {
	id := []byte{0, 7}
	none, reason := []byte(nil), []byte(nil)
	user := none
	if version == mqtt5 {
		pair := append([]byte{0x26}, append(str("k"), str("v")...)...)
		user = append([]byte{byte(len(pair))}, pair...)
		none, reason = []byte{0}, append([]byte{0}, user...)
	}
	options := []byte{1}
	connect := connectWith(version, "attacker", "v")
	return map[string][]byte{
		"CONNECT":  connect,
		"CONNACK":  pack(0x20, []byte{0, 0}, none),
		"PUBLISH0": pack(0x30, str(topic), user, []byte("{}")),
		"PUBLISH1": pack(0x32, str(topic), id, user, []byte("{}")),
		"PUBLISH2": pack(0x34, str(topic), id, user, []byte("{}")),
		"PUBACK":   pack(0x40, id, reason), "PUBREC": pack(0x50, id, reason), "PUBREL": pack(0x62, id, reason),
		"PUBCOMP":     pack(0x70, id, reason),
		"SUBSCRIBE":   pack(0x82, id, user, str("nhip/cmd/attacker/#"), options, str("nhip/live/bus/#"), options),
		"SUBACK":      pack(0x90, id, none, options),
		"UNSUBSCRIBE": pack(0xa2, id, user, str("nhip/cmd/attacker/#"), str("a")),
		"UNSUBACK":    pack(0xb0, id, none, options),
		"PINGREQ":     {0xc0, 0}, "PINGRESP": {0xd0, 0},
		"DISCONNECT": pack(0xe0, reason), "AUTH": pack(0xf0, reason),
	}
}

// damaged calls yield with a packet in many damaged forms: cut at every byte, with and without a length that says so;
// with wrong lengths; and with each byte of its body replaced.
func damaged(p []byte, yield func(how string, b []byte)) {
	body := p[2:] // each has a length of one byte
	for n := range body {
		yield(fmt.Sprintf("cut to %d bytes", n), pack(p[0], body[:n]))
		yield(fmt.Sprintf("ends after %d bytes", n), p[:2+n])
	}
	for _, n := range []int{len(body) + 1, len(body) + 60, 127} {
		yield(fmt.Sprintf("length %d", n), append(binary.AppendUvarint(p[:1:1], uint64(n)), body...))
	}
	yield("a byte more", pack(p[0], body, []byte{0}))
	yield("wrong flags", append([]byte{p[0] ^ 0x0f}, p[1:]...))
	for i := range body {
		for k, b := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			if torturetest.Pick((i+k)%2 > 0, false) {
				continue // make test tries every second one
			}
			other := bytes.Clone(body)
			other[i] = b
			yield(fmt.Sprintf("byte %d is %#x", i, b), pack(p[0], other))
		}
	}
}

// badProperties returns packets of MQTT 5 whose properties are wrong.
func badProperties(topic string) [][]byte {
	var out [][]byte
	values := [][]byte{
		nil,
		{0},
		{1},
		{0, 0},
		{0xff, 0xff},
		{0xff, 0xff, 0xff, 0xff},
		{0x80, 0x80, 0x80, 0x80, 0x80, 1},
		str("a"),
		append(str("a"), str("b")...), append(str("a"), 0xff, 0xff),
	}
	for property := range byte(0x30) {
		for _, value := range values {
			p := append([]byte{property}, value...)
			for _, length := range []int{len(p), len(p) + 1, 127} {
				with := append([]byte{byte(length)}, p...)
				out = append(out,
					pack(0x32, str(topic), []byte{0, 7}, with, []byte("{}")),
					pack(0x82, []byte{0, 7}, with, str("nhip/cmd/attacker/#"), []byte{1}),
					pack(0x10, str("MQTT"), []byte{5, 0xc2, 0, 60}, with, str("attacker"), str("attacker"), str("v")),
				)
			}
		}
	}
	return out
}

// stranger opens connections to a listener and sends bytes.
type stranger struct {
	t      testing.TB
	g      *Gateway
	guests *public // nil: the listener for devices
}

// attack logs in, unless the packet is a CONNECT, sends bytes, and waits for the end of the connection.
func (s *stranger) attack(version byte, b []byte) {
	s.t.Helper()
	conn, halfClose := s.dial()
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(waitFor))
	if len(b) == 0 || b[0]>>4 != 1 {
		login := connectWith(version, "attacker", "v")
		if s.guests != nil {
			login = connectWith(version, "attacker", "")
		}
		b = append(login, b...)
	}
	_, _ = conn.Write(b) // fails if the gateway has closed the connection
	halfClose()
	r := &rawClient{Conn: conn}
	if _, closed := r.readToEnd(); !closed {
		s.t.Fatalf("the connection stays open after %x", b)
	}
}

func (s *stranger) dial() (conn net.Conn, halfClose func()) {
	s.t.Helper()
	if s.guests != nil && s.guests.webSocket {
		client := &http.Client{Transport: &http.Transport{DialContext: s.dialTCP, TLSClientConfig: s.guests.roots}}
		ws, _, err := websocket.Dial(s.t.Context(), s.guests.PublicURL(), &websocket.DialOptions{
			Subprotocols: []string{"mqtt"}, HTTPClient: client,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), waitFor)
		return websocket.NetConn(ctx, ws, websocket.MessageBinary), func() {
			_ = ws.CloseNow() // WebSocket knows no half-closed connection
			cancel()
		}
	}
	if s.guests != nil {
		conn := s.guests.dialConn(s.t)
		if secured, ok := conn.(*tls.Conn); ok {
			return conn, func() { _ = secured.CloseWrite() }
		}
		return conn, func() { _ = conn.(*net.TCPConn).CloseWrite() }
	}
	conn, err := s.dialTCP(s.t.Context(), "tcp", s.g.Addr())
	if err != nil {
		s.t.Fatal(err)
	}
	return conn, func() { _ = conn.(*net.TCPConn).CloseWrite() }
}

// dialTCP dials from an address of the loopback network that is seldom used twice: an address that fails to log in too
// often is answered late.
func (s *stranger) dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	n := strangers.Add(1)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(n>>16&63), byte(n>>8), byte(n))}}
	return d.DialContext(ctx, network, addr)
}

// strangers counts the connections of strangers.
var strangers atomic.Uint32

// startStrangers starts a gateway with a neighbour that is connected, and returns the strangers that may attack it: as
// devices, and as guests over a transport.
func startStrangers(
	t testing.TB, acceptor nhip.Acceptor, at transport,
) (tcp, guests *stranger, neighbour *mqtt.Client) {
	t.Helper()
	p := startPublicWith(t, acceptor, at, Options{Public: PublicOptions{Anonymous: true}})
	setDevices(p.Gateway, newDevice("attacker", "v"), newDevice("neighbour", "n"))
	c, err := mqtt.Dial(t.Context(), clientOptions(p.Gateway, "neighbour", "n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &stranger{t, p.Gateway, nil}, &stranger{t, p.Gateway, p}, c
}

// checkUndisturbed checks that the neighbour is served on its connection, and that nothing is left of the strangers.
func checkUndisturbed(t *testing.T, g *Gateway, neighbour *mqtt.Client) {
	t.Helper()
	if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
		t.Fatal("the neighbour's message is not acknowledged")
	}
	awaittest.True(t, "the connections of the strangers are gone", func() bool {
		return testutil.ToFloat64(g.hook.metrics.connections) == 1
	})
	awaittest.True(t, "their sessions are freed", func() bool {
		n := 0
		g.hook.sessions.Range(func(any, any) bool { n++; return true })
		return n == 1
	})
}

// TestTruncatedSubscribe sends the SUBSCRIBE at which the decoder of the broker library panics (mochi v2.7.9).
func TestTruncatedSubscribe(t *testing.T) { onEachTransport(t, truncatedSubscribe) }

func truncatedSubscribe(t *testing.T, at transport) {
	tcp, guests, neighbour := startStrangers(t, &fakeAcceptor{}, at)
	cut := pack(0x82, []byte{0, 1}, []byte{0}, []byte{0, 1, 'a'})
	for range 3 { // the device's own session must not be stuck either
		tcp.attack(mqtt5, cut)
		guests.attack(mqtt5, cut)
	}
	checkUndisturbed(t, tcp.g, neighbour)
	if n := len(tcp.g.server.Clients()); n != 1 { // the neighbour
		t.Errorf("%d clients known, want 1", n)
	}
}

// TestEveryDamagedPacket sends every packet of MQTT 3.1.1 and 5 in damaged forms over the raw listeners. Each may cost
// its sender the connection, and nobody else anything.
func TestEveryDamagedPacket(t *testing.T) { onEachTransport(t, everyDamagedPacket) }

func everyDamagedPacket(t *testing.T, at transport) {
	tcp, guests, neighbour := startStrangers(t, &fakeAcceptor{}, at)
	const own = "nhip/in/position/attacker"
	devices := at == transports[0] // once is enough
	sent := 0
	attack := func(version byte, b []byte) {
		if devices {
			tcp.attack(version, b)
			sent++
		}
	}
	for _, version := range []byte{mqtt311, mqtt5} {
		for _, p := range validPackets(version, own) {
			damaged(p, func(how string, b []byte) {
				attack(version, b)
				if strings.HasPrefix(how, "cut") {
					guests.attack(version, b)
					sent++
				}
			})
		}
	}
	for _, b := range badProperties(own) {
		attack(mqtt5, b)
	}
	t.Logf("%d packets", sent)
	checkUndisturbed(t, tcp.g, neighbour)
}

// TestRandomPackets sends random packets after a log-in.
func TestRandomPackets(t *testing.T) { onEachTransport(t, randomPackets) }

func randomPackets(t *testing.T, at transport) {
	tcp, guests, neighbour := startStrangers(t, &fakeAcceptor{}, at)
	rnd := torturetest.Rand(torturetest.Seed(t), 0)
	for range torturetest.Times(t, 200, 20_000) {
		body := make([]byte, rnd.IntN(40))
		for i := range body {
			body[i] = byte(rnd.Uint32() >> (rnd.UintN(4) * 8) & 0xff)
			if rnd.IntN(2) == 0 {
				body[i] &= 7
			}
		}
		b := pack(byte(rnd.Uint32()), body)
		for _, s := range []*stranger{tcp, guests} {
			s.attack(byte(mqtt311+rnd.IntN(2)), b)
		}
	}
	checkUndisturbed(t, tcp.g, neighbour)
}

// FuzzListener sends bytes over the raw listeners, after a log-in unless they are a CONNECT.
func FuzzListener(f *testing.F) {
	for _, version := range []byte{mqtt311, mqtt5} {
		for _, p := range validPackets(version, "nhip/in/position/attacker") {
			for _, guest := range []bool{false, true} {
				f.Add(version == mqtt5, guest, p)
			}
		}
	}
	f.Add(true, false, pack(0x82, []byte{0, 1}, []byte{0}, []byte{0, 1, 'a'}))
	tcp, guests, _ := startStrangers(f, &fakeAcceptor{}, transports[0])
	f.Fuzz(func(t *testing.T, five, guest bool, b []byte) {
		s := *tcp
		if guest {
			s = *guests
		}
		s.t = t
		version := byte(mqtt311)
		if five {
			version = mqtt5
		}
		s.attack(version, b)
	})
}

// panickingAcceptor panics on the messages of one device.
type panickingAcceptor struct{ fakeAcceptor }

func (d *panickingAcceptor) Accept(m nhip.Message, done func(error)) {
	if strings.HasSuffix(m.Topic, "/attacker") {
		panic("a fault of the acceptor")
	}
	d.fakeAcceptor.Accept(m, done)
}

// TestPanicOfAcceptor: a message at which the acceptor panics is not acknowledged and does not count as in flight.
func TestPanicOfAcceptor(t *testing.T) {
	acceptor := &panickingAcceptor{}
	tcp, _, neighbour := startStrangers(t, acceptor, transports[0])
	for _, qos := range []byte{0x30, 0x32} {
		id := []byte{0, 1}
		if qos == 0x30 {
			id = nil
		}
		tcp.attack(mqtt311, pack(qos, str("nhip/in/position/attacker"), id, []byte("{}")))
	}
	checkUndisturbed(t, tcp.g, neighbour)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/in/position/attacker", strings.NewReader("{}"))
	r.SetBasicAuth("attacker", "v")
	tcp.g.Push().ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a push is answered %d", w.Code)
	}
	if n := testutil.ToFloat64(tcp.g.hook.guard.Count(partAcceptor)); n != 3 {
		t.Errorf("%v panics counted, want 3", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	if err := tcp.g.StopAccepting(ctx); err != nil {
		t.Error(err)
	}
}

// TestPanicOfHandler: a panic of a handler of pushes is answered and counted.
func TestPanicOfHandler(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	w := httptest.NewRecorder()
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") })
	g.hook.recovering(partPush, broken).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusInternalServerError || testutil.ToFloat64(g.hook.guard.Count(partPush)) != 1 {
		t.Errorf("answered %d, or not counted", w.Code)
	}
}

// TestConnackCodes: a client of MQTT 3.1.1 gets the codes of its version (§3.2.2.3), or none if its CONNECT breaks the
// protocol (MQTT-3.1.4-1).
func TestConnackCodes(t *testing.T) {
	g, _, _ := startAttacked(t, Limits{})
	for _, c := range []struct {
		name string
		send []byte
		want []byte // codes; nil: the connection is closed without an answer
	}{
		{"a wrong secret", connectAs("attacker", "w"), []byte{4, 5}},
		{"no secret", pack(0x10, str("MQTT"), []byte{4, 2, 0, 60}, str("attacker")), []byte{4, 5}},
		{
			"another's client id",
			pack(0x10, str("MQTT"), []byte{4, 0xc2, 0, 60}, str("neighbour"), str("attacker"), str("v")),
			[]byte{2, 5},
		},
		{
			"no client id, and no clean session",
			pack(0x10, str("MQTT"), []byte{4, 0xc0, 0, 60}, str(""), str("attacker"), str("v")),
			[]byte{2},
		},
		{"version 6", pack(0x10, str("MQTT"), []byte{6, 2, 0, 60}, str("attacker")), []byte{1}},
		{"version 0", pack(0x10, str("MQTT"), []byte{0, 2, 0, 60}, str("attacker")), []byte{1}},
		{"another protocol", pack(0x10, str("HTTP"), []byte{4, 2, 0, 60}, str("attacker")), nil},
		{"a reserved bit", pack(0x10, str("MQTT"), []byte{4, 3, 0, 60}, str("attacker")), nil},
		{
			"a password without a user", pack(0x10, str("MQTT"), []byte{4, 0x42, 0, 60}, str("attacker"), str("v")),
			[]byte{4, 5},
		},
		{
			"an empty password", pack(0x10, str("MQTT"), []byte{4, 0xc2, 0, 60}, str("attacker"), str("attacker"), str("")),
			[]byte{4, 5},
		},
		{
			"a will with QoS 3",
			pack(0x10, str("MQTT"), []byte{4, 0xde, 0, 60}, str("attacker"), str("w"), str("w"), str("attacker"), str("v")),
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dialRaw(t, g)
			r.send(c.send)
			answer, closed := r.readToEnd()
			switch {
			case !closed:
				t.Errorf("the connection stays open; received %x", answer)
			case c.want == nil && len(answer) > 0:
				t.Errorf("answered %x, want none", answer)
			case c.want != nil && (len(answer) != 4 || answer[0] != 0x20 || answer[2] != 0 ||
				!bytes.Contains(c.want, answer[3:])):
				t.Errorf("answered %x, want a CONNACK with one of %v", answer, c.want)
			}
		})
	}
}

// TestTopicThatNoBrokerTakes: a bridge may publish on the topics of a filter, and some of them would end the connection
// of a gateway to the broker upstream, and block its queue for ever.
func TestTopicThatNoBrokerTakes(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	depot := newDevice("depot", "s")
	depot.Topics = []string{"depot/#", "tele/+/SENSOR"}
	setDevices(g, depot)
	for _, topic := range []string{
		"tele/\x01/SENSOR", "tele/\u0085/SENSOR", "depot/\ufffe", "depot" + strings.Repeat("/", 250),
		"depot/" + strings.Repeat("x", 600),
	} {
		r := dialRaw(t, g)
		r.send(connectAs("depot", "s"))
		r.read(4)
		r.send(publish1(topic, 1, "{}"))
		if _, closed := r.readToEnd(); !closed {
			t.Errorf("the connection stays open after a message on %.40q", topic)
		}
	}
	if n := len(d.messages()); n != 0 {
		t.Errorf("%d messages accepted", n)
	}
}
