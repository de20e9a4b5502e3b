package main

import (
	"bytes"
	"io"
	"testing"

	"nhip/internal/await"

	"github.com/coder/websocket"
)

// guest listens at a public listener for what speaks of HFP, and returns what tells whether a text was heard.
func guest(t *testing.T, url string) (hears func(text string) bool) {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	conn := websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
	t.Cleanup(func() { _ = conn.Close() })
	say := "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01g" + "\x82\x0e\x00\x01\x00\x09/hfp/v2/#\x00" // CONNECT and SUBSCRIBE
	if _, err := conn.Write([]byte(say)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 9)); err != nil { // CONNACK and SUBACK
		t.Fatal(err)
	}
	return func(text string) bool {
		var heard bytes.Buffer
		some := make([]byte, 4096)
		await.True(t, "a guest hears "+text, func() bool {
			n, err := conn.Read(some)
			heard.Write(some[:n])
			return err != nil || bytes.Contains(heard.Bytes(), []byte(text))
		})
		return bytes.Contains(heard.Bytes(), []byte(text))
	}
}
