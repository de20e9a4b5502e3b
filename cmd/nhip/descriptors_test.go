package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"nhip/app/apptest"
	"nhip/internal/influx/influxtest"
)

// TestStrangersLeaveFileDescriptors lets nhip up open 300 files, and opens more connections over HTTP than that.
// Devices connect and are acknowledged, which needs descriptors of MQTT and of the journal.
func TestStrangersLeaveFileDescriptors(t *testing.T) {
	dir := t.TempDir()
	args := append([]string{"-c", `ulimit -n 300 && exec "$0" "$@"`, os.Args[0]},
		"up", "--data-dir", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxtest.Binary(t))
	cmd := exec.Command("sh", args...)
	cmd.Env = append(os.Environ(), "NHIP_TEST_MAIN=1")
	p := launchCommand(t, dir, cmd)
	for i := range 400 {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+i/200), byte(1+i%200))}
		conn, err := (&net.Dialer{LocalAddr: from}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.HTTP, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, "GET /v1/buses HTTP/1.1\r\nX-Slow: ") // fails if it is refused
	}
	var messages []apptest.Message
	for i := range 5 {
		messages = append(messages, apptest.Message{
			Topic: fmt.Sprintf("nhip/in/position/%d", i), Payload: `{"time":"2026-02-16T12:00:00Z","lat":21,"lon":105.8}`,
		})
	}
	p.Publish(t, messages...)
}
