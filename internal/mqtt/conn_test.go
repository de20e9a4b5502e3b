package mqtt

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// connPair returns the two ends of a TCP connection; the client's end is buffered.
func connPair(t *testing.T) (*bufferedConn, net.Conn) {
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

func TestBufferedConnWritesEverythingBeforeClose(t *testing.T) {
	c, server := connPair(t)
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
		t.Fatalf("the peer read %d bytes, want %d", len(got), len(want))
	}
}

func TestBufferedConnReportsLostConnection(t *testing.T) {
	c, server := connPair(t)
	_ = server.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("Read succeeded after the peer closed the connection")
	}
	for {
		if _, err := c.Write(make([]byte, 4096)); err != nil {
			break // Write fails once the writing goroutine has met the loss
		}
	}
	_ = c.Close()
}
