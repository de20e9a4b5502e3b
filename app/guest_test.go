package app_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"nhip/internal/awaittest"

	"github.com/coder/websocket"
)

// dialGuest connects to a public listener: over WebSocket, or to tcp://host:port.
func dialGuest(t *testing.T, url string) net.Conn {
	t.Helper()
	var conn net.Conn
	if at, plain := strings.CutPrefix(url, "tcp://"); plain {
		var err error
		if conn, err = net.Dial("tcp", at); err != nil {
			t.Fatal(err)
		}
	} else {
		ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
		if err != nil {
			t.Fatal(err)
		}
		conn = websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// subscribeGuest subscribes a guest of a public listener to HFP. The function that it returns waits for a text.
func subscribeGuest(t *testing.T, url string) (receives func(text string) bool) {
	t.Helper()
	conn := dialGuest(t, url)
	// CONNECT and SUBSCRIBE
	packets := "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01g" + "\x82\x0e\x00\x01\x00\x09/hfp/v2/#\x00"
	if _, err := conn.Write([]byte(packets)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 9)); err != nil { // CONNACK and SUBACK
		t.Fatal(err)
	}
	return func(text string) bool {
		var received bytes.Buffer
		buffer := make([]byte, 4096)
		awaittest.True(t, "a guest receives "+text, func() bool {
			n, err := conn.Read(buffer)
			received.Write(buffer[:n])
			return err != nil || bytes.Contains(received.Bytes(), []byte(text))
		})
		return bytes.Contains(received.Bytes(), []byte(text))
	}
}
