package mqtttest

import (
	"bufio"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// bare is the least that a server must do for a durable PUBACK: read packets, append what came in
// meanwhile to a file, sync it, acknowledge. It checks nothing and knows nobody.
type bare struct {
	file    *os.File
	said    chan said
	serving sync.WaitGroup
}

// said is a PUBLISH without its fixed header, and where its PUBACK goes.
type said struct {
	body []byte
	to   *bufio.Writer
}

// StartBare serves until the benchmark ends, and after the crowd.
func StartBare(b *testing.B) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	s := &bare{file: file, said: make(chan said, 1<<14)} // more than the crowd has on the way
	ended := make(chan error)
	go func() { ended <- s.commit() }()
	s.serving.Go(func() { s.accept(l) })
	b.Cleanup(func() {
		_ = l.Close()
		s.serving.Wait()
		close(s.said)
		if err := errors.Join(<-ended, file.Close()); err != nil {
			b.Error(err)
		}
	})
	return l.Addr().String()
}

func (s *bare) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

func (s *bare) serve(conn net.Conn) {
	defer conn.Close()
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		kind, body, err := readPacket(in)
		if err != nil {
			return
		}
		switch kind {
		case connect:
			_, _ = conn.Write([]byte{connack, 2, 0, 0})
		case publish:
			s.said <- said{body, out}
		}
	}
}

// commit ends with the channel; after an error nobody is acknowledged any more.
func (s *bare) commit() (err error) {
	var batch []said
	for first := range s.said {
		batch = append(batch[:0], first)
		for len(s.said) > 0 {
			batch = append(batch, <-s.said)
		}
		if err = errors.Join(err, s.save(batch)); err == nil {
			acknowledge(batch)
		}
	}
	return err
}

func (s *bare) save(batch []said) error {
	var all []byte
	for _, m := range batch {
		all = append(all, m.body...)
	}
	_, err := s.file.Write(all)
	return errors.Join(err, s.file.Sync()) // as dear as fdatasync where a file grows
}

func acknowledge(batch []said) {
	touched := make(map[*bufio.Writer]bool)
	for _, m := range batch {
		at := packetIDAt(m.body)
		_, _ = m.to.Write([]byte{puback, 2, m.body[at], m.body[at+1]}) // a crowd that is gone says so itself
		touched[m.to] = true
	}
	for to := range touched {
		_ = to.Flush()
	}
}
