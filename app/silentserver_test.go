package app_test

import (
	"net"
	"testing"
)

// newSilentServer listens until the test ends, and answers nothing.
func newSilentServer(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}
