package mqtt

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

func pipe(t *testing.T) (*bufferedConn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newBufferedConn(client), server
}

func TestBufferedConnDeliversEverything(t *testing.T) {
	c, server := pipe(t)
	defer server.Close()
	const writers, each = 8, 1000
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if _, err := c.Write([]byte("0123456789")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	go func() { wg.Wait(); _ = c.Close() }()
	got, err := io.ReadAll(server)
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat([]byte("0123456789"), writers*each); !bytes.Equal(got, want) {
		t.Fatalf("%d bytes arrived of %d", len(got), len(want))
	}
}

func TestBufferedConnReportsADeadLine(t *testing.T) {
	c, server := pipe(t)
	_ = server.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("a read on a closed line succeeds")
	}
	for {
		if _, err := c.Write(make([]byte, 4096)); err != nil {
			break // the line's end reaches the writer
		}
	}
	_ = c.Close()
}
