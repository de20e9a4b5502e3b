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

// baseline is the least that a server must do for a durable PUBACK: it reads packets, appends those that have arrived
// to a file, syncs the file and acknowledges. It validates and authorizes nothing.
type baseline struct {
	file      *os.File
	published chan publication
	serving   sync.WaitGroup
}

// publication is a PUBLISH without its fixed header, and the writer for its PUBACK.
type publication struct {
	body []byte
	to   *bufio.Writer
}

// StartBaseline starts a baseline server that runs until the benchmark ends. It must be started before its crowd, so
// that it ends after it.
func StartBaseline(b *testing.B) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "baseline"))
	if err != nil {
		b.Fatal(err)
	}
	s := &baseline{file: file, published: make(chan publication, 1<<14)} // more than a crowd has in flight
	ended := make(chan error)
	go func() { ended <- s.commit() }()
	s.serving.Go(func() { s.accept(l) })
	b.Cleanup(func() {
		_ = l.Close()
		s.serving.Wait()
		close(s.published)
		if err := errors.Join(<-ended, file.Close()); err != nil {
			b.Error(err)
		}
	})
	return l.Addr().String()
}

func (s *baseline) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

func (s *baseline) serve(conn net.Conn) {
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
			s.published <- publication{body, out}
		}
	}
}

// commit runs until published is closed. After an error it acknowledges nothing more.
func (s *baseline) commit() (err error) {
	var batch []publication
	for first := range s.published {
		batch = append(batch[:0], first)
		for len(s.published) > 0 {
			batch = append(batch, <-s.published)
		}
		if err = errors.Join(err, s.save(batch)); err == nil {
			acknowledge(batch)
		}
	}
	return err
}

func (s *baseline) save(batch []publication) error {
	var all []byte
	for _, m := range batch {
		all = append(all, m.body...)
	}
	_, err := s.file.Write(all)
	return errors.Join(err, s.file.Sync()) // costs as much as fdatasync while a file grows
}

func acknowledge(batch []publication) {
	touched := make(map[*bufio.Writer]bool)
	for _, m := range batch {
		at := packetIDOffset(m.body)
		_, _ = m.to.Write([]byte{puback, 2, m.body[at], m.body[at+1]}) // a crowd that has ended reports it itself
		touched[m.to] = true
	}
	for to := range touched {
		_ = to.Flush()
	}
}
