package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"
	"nhip/internal/mqtt"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// transport is one way in which guests reach the gateway.
type transport struct {
	name      string
	webSocket bool
	secured   bool
}

// transports are all of them. The tests of guests run on each.
var transports = []transport{
	{"WebSocket", true, false},
	{"WebSocket over TLS", true, true},
	{"MQTT", false, false},
	{"MQTT over TLS", false, true},
}

// onEachTransport runs a test on each transport.
func onEachTransport(t *testing.T, test func(t *testing.T, at transport)) {
	t.Helper()
	for _, at := range transports {
		t.Run(at.name, func(t *testing.T) { test(t, at) })
	}
}

// public is a gateway with a listener for guests.
type public struct {
	*Gateway
	transport
	roots *tls.Config // of clients; nil: plain
}

// startPublicOn starts a gateway that guests reach over a transport.
func startPublicOn(t testing.TB, at transport, o Options) *public {
	t.Helper()
	return startPublicWith(t, &fakeAcceptor{}, at, o)
}

func startPublicWith(t testing.TB, acceptor nhip.Acceptor, at transport, o Options) *public {
	t.Helper()
	p := &public{transport: at}
	if at.secured {
		authority := certstest.New(t, "guests")
		o.Public.TLS = &tls.Config{
			Certificates: []tls.Certificate{authority.Issue("gateway", time.Now().Add(time.Hour))},
			MinVersion:   tls.VersionTLS12,
		}
		p.roots = &tls.Config{RootCAs: authority.Pool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	}
	*o.Public.at(at) = "127.0.0.1:0"
	p.Gateway = startAs(t, acceptor, o)
	return p
}

// at returns the address of a transport's listener.
func (o *PublicOptions) at(at transport) *string {
	switch {
	case at.webSocket:
		return &o.WebSocket
	case at.secured:
		return &o.MQTTS
	}
	return &o.MQTT
}

// listener returns the listener of the transport.
func (p *public) listener() *listener {
	for _, l := range []*listener{p.public.webSocket, p.public.mqtt, p.public.mqtts} {
		if l != nil {
			return l
		}
	}
	return nil
}

// dialConn connects from an address of the loopback network, with TLS where the transport has it.
func (p *public) dialConn(t testing.TB) net.Conn {
	t.Helper()
	s := &stranger{t: t}
	conn, err := s.dialTCP(t.Context(), "tcp", p.listener().Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(waitFor))
	if p.roots != nil {
		return tls.Client(conn, p.roots)
	}
	return conn
}

// tcpOf returns the connection of TCP below a guest's.
func tcpOf(conn net.Conn) *net.TCPConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*net.TCPConn)
}

// dialStream connects as MQTT clients do, over WebSocket with a library. The stream is that of the packets.
func (p *public) dialStream(t testing.TB) net.Conn {
	t.Helper()
	if !p.webSocket {
		return p.dialConn(t)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: p.roots}}
	ws, resp, err := websocket.Dial(t.Context(), p.PublicURL(), &websocket.DialOptions{
		Subprotocols: []string{"mqtt"}, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Sec-WebSocket-Protocol") != "mqtt" {
		t.Error("the sub-protocol is not negotiated")
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	t.Cleanup(cancel)
	return websocket.NetConn(ctx, ws, websocket.MessageBinary)
}

// dialGuest connects and logs in. It returns the code of the CONNACK; 0xff if there was none.
func dialGuest(t *testing.T, p *public, id, secret string) (*rawClient, byte) {
	t.Helper()
	r := &rawClient{p.dialStream(t), t}
	t.Cleanup(func() { _ = r.Close() })
	if secret == "" {
		r.send(pack(0x10, str("MQTT"), []byte{4, 2, 0, 60}, str(id)))
	} else {
		r.send(connectAs(id, secret))
	}
	answer := r.read(4)
	if len(answer) < 4 {
		return r, 0xff
	}
	return r, answer[3]
}

// rawGuest is a connection to a public listener that can send any bytes and reads only when it is told to.
type rawGuest struct {
	*rawClient
	in        *bufio.Reader
	webSocket bool
}

// upgrade is the request that makes a connection a WebSocket. More headers may follow.
const upgrade = "GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n"

// dialRawGuest connects, and makes the connection a WebSocket where the transport is one.
func dialRawGuest(t testing.TB, p *public) *rawGuest {
	t.Helper()
	conn := p.dialConn(t)
	r := &rawGuest{&rawClient{Conn: conn}, bufio.NewReaderSize(conn, 512), p.webSocket}
	if !p.webSocket {
		return r
	}
	r.send([]byte(upgrade + "\r\n"))
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %v, %v", resp, err)
	}
	return r
}

// sendPacket sends an MQTT packet, or the beginning of one.
func (r *rawGuest) sendPacket(p []byte) {
	if r.webSocket {
		p = frame(wsBinary, p)
	}
	r.send(p)
}

// payload reads the next packet, or the payload of the next frame; nil if the connection has ended.
func (r *rawGuest) payload() []byte {
	if r.webSocket {
		return r.framePayload()
	}
	head, err := r.in.ReadByte()
	if err != nil {
		return nil
	}
	b := []byte{head}
	size := 0
	for shift := 0; ; shift += 7 {
		digit, err := r.in.ReadByte()
		if err != nil {
			return nil
		}
		b = append(b, digit)
		size |= int(digit&0x7f) << shift
		if digit < 0x80 {
			break
		}
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r.in, body); err != nil {
		return nil
	}
	return append(b, body...)
}

// framePayload reads the payload of the next frame of a WebSocket.
func (r *rawGuest) framePayload() []byte {
	var head [2]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return nil
	}
	size := int(head[1] & 0x7f)
	if size == 126 {
		var long [2]byte
		if _, err := io.ReadFull(r.in, long[:]); err != nil {
			return nil
		}
		size = int(long[0])<<8 | int(long[1])
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return nil
	}
	return b
}

// logIn sends a CONNECT and returns the answer.
func (r *rawGuest) logIn(t testing.TB, connect []byte) []byte {
	t.Helper()
	r.sendPacket(connect)
	answer := r.payload()
	if len(answer) < 4 || answer[0] != 0x20 || answer[3] != 0 {
		t.Fatalf("CONNACK %x", answer)
	}
	return answer
}

// ended reports whether the gateway ends the connection.
func (r *rawGuest) ended() bool {
	_, err := io.Copy(io.Discard, r.in)
	var timeout net.Error
	return err == nil || !(asNetError(err, &timeout) && timeout.Timeout())
}

// startGuests starts a gateway that anonymous guests reach over a transport, and a role.
func startGuests(t testing.TB, at transport, o Options) (*public, *mqtt.Client) {
	t.Helper()
	o.Public.Anonymous = true
	p := startPublicOn(t, at, o)
	role, err := mqtt.Dial(t.Context(), clientOptions(p.Gateway, "role", accounts.Role))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(role.Close)
	return p, role
}

// guestConnect is a CONNECT of a guest.
var guestConnect = pack(0x10, str("MQTT"), []byte{4, 2, 0, 60}, str("x"))

// TestSharesOfListeners: an address has one share of the connections of guests, however many listeners it uses.
func TestSharesOfListeners(t *testing.T) {
	authority := certstest.New(t, "guests")
	g := startAs(t, &fakeAcceptor{}, Options{
		Limits: Limits{PerAddress: 2},
		Public: PublicOptions{
			WebSocket: "127.0.0.1:0", MQTT: "127.0.0.1:0", MQTTS: "127.0.0.1:0", Anonymous: true,
			TLS: &tls.Config{
				Certificates: []tls.Certificate{authority.Issue("gateway", time.Now().Add(time.Hour))},
				MinVersion:   tls.VersionTLS12,
			},
		},
	})
	dial := func(l *listener) *rawClient {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(waitFor))
		return &rawClient{conn, t}
	}
	dial(g.public.webSocket)
	dial(g.public.mqtts)
	awaittest.True(t, "both are counted", func() bool { return testutil.ToFloat64(g.hook.metrics.connections) == 2 })
	third := dial(g.public.mqtt)
	third.send(guestConnect)
	if answer, closed := third.readToEnd(); !closed || len(answer) > 0 {
		t.Errorf("a third connection is answered %x", answer)
	}
	device := dial(g.devices) // devices have a share of their own
	device.send(connectAs("x", accounts.Operator.String()))
	if answer := device.read(4); !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
		t.Errorf("a device is answered %x", answer)
	}
}
