package broker

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
	"nhip/internal/mqtt/wsconn"

	"github.com/coder/websocket"
)

// TestWebSocket: guests speak MQTT over WebSocket.
func TestWebSocket(t *testing.T) {
	b := startBroker(t, &testRules{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := wsconn.Accept(w, r); err == nil {
			go b.Serve(conn, "web")
		}
	}))
	t.Cleanup(web.Close)
	ws, _, err := websocket.Dial(t.Context(), web.URL, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{websocket.NetConn(t.Context(), ws, websocket.MessageBinary), t}
	r.send(connectPacket(packet.V5, "c", true, 60)[:5]) // a packet may span frames
	r.send(append(connectPacket(packet.V5, "c", true, 60)[5:], subscribePacket(packet.V5, 1, 0, "a")...))
	if got := r.read(); got[3] != 0 {
		t.Fatalf("CONNACK % x", got)
	}
	r.want(pack(0x90, num(1), []byte{0, 0}))
	_ = b.Publish(Message{Topic: "a", Payload: []byte("x")})
	r.want(publishPacket(packet.V5, 0, "a", 0, "x"))
	r.wantNothing()
	_ = r.Close()
	awaittest.True(t, "it has gone", func() bool { return b.Stats().Connections == 0 })
}

// TestTLS: a connection that does not show its socket.
func TestTLS(t *testing.T) {
	b := startBroker(t, &testRules{})
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	client, server := net.Pipe()
	go b.Serve(tls.Server(server, web.TLS), "tls")
	conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	_ = conn.SetDeadline(time.Now().Add(awaittest.Timeout))
	r := &raw{conn, t}
	r.send(connectPacket(packet.V311, "c", true, 60))
	r.want([]byte{0x20, 2, 0, 0})
	r.subscribe(packet.V311, 1, "a")
	r.send(publishPacket(packet.V311, 1, "a", 1, "x"))
	got := []string{string(r.read()), string(r.read())}
	if got[0] != string(puback(1)) && got[1] != string(puback(1)) {
		t.Errorf("received %q", got)
	}
	_ = r.Close()
}

// TestMosquittoClients needs the command-line clients of Mosquitto.
func TestMosquittoClients(t *testing.T) {
	for _, tool := range []string{"mosquitto_pub", "mosquitto_sub"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	b := startBroker(t, &testRules{})
	host, port, _ := net.SplitHostPort(b.addr)
	for _, version := range []string{"311", "5"} {
		at := []string{"-h", host, "-p", port, "-V", version, "-q", "2", "-t", "a/" + version}
		pub := exec.CommandContext(t.Context(), "mosquitto_pub", append(at, "-m", "hello", "-r")...)
		if out, err := pub.CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_pub: %v\n%s", err, out)
		}
		sub := exec.CommandContext(t.Context(), "mosquitto_sub", append(at, "-C", "1", "-W", "10")...)
		if out, err := sub.CombinedOutput(); err != nil || string(out) != "hello\n" {
			t.Errorf("mosquitto_sub: %v\n%s", err, out)
		}
	}
}
