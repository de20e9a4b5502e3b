// Package smtptest has an SMTP server for tests, which refuses, stalls and drops connections as they like.
package smtptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Drop and Stall are what Server.Reply may return instead of a reply.
const (
	Drop  = "drop"  // the connection is closed without a reply
	Stall = "stall" // no reply until the client or the test ends
)

// Mail is a message that the server has accepted.
type Mail struct {
	From string
	To   []string
	Data string // as it was sent, with CR LF
}

// Server accepts messages from everybody.
type Server struct {
	Port int

	mu    sync.Mutex
	reply func(verb, line string) string
	mails []Mail
	lines []string
	ended chan struct{}
}

// Start starts a server on 127.0.0.1 that stops with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartTLS(t, nil)
}

// StartTLS starts one that expects TLS from the begin; nil: none.
func StartTLS(t testing.TB, secured *tls.Config) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	s := &Server{Port: port, ended: make(chan struct{})}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(s.ended)
		connections.Wait()
	})
	return s
}

// Reply sets what the server replies, by the verb of the command: "CONNECT" for the greeting, "." for the end of a
// message, else the first word of the line. "" is the usual reply; Drop and Stall are no replies. A message is accepted
// if the reply to its end is the usual one, or begins with 2, or is Drop: then it is accepted and the client is not
// told.
func (s *Server) Reply(f func(verb, line string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = f
}

// Mails returns the accepted messages, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Lines returns all that clients have sent.
func (s *Server) Lines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// session is one connection.
type session struct {
	*Server
	conn net.Conn
	in   *bufio.Reader
	mail Mail
}

func (s *Server) serve(conn net.Conn) {
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-s.ended:
		case <-stop:
		}
		_ = conn.Close()
	}()
	c := &session{Server: s, conn: conn, in: bufio.NewReader(conn)}
	if !c.answer("CONNECT", "", "220 ready") {
		return
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil || !c.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// command handles one command, and returns false if the connection ends.
func (c *session) command(line string) bool {
	c.note(line)
	verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0])
	switch verb {
	case "EHLO":
		return c.answer(verb, line, "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN")
	case "AUTH":
		return c.answer(verb, line, "235 ok")
	case "MAIL":
		c.mail = Mail{From: line}
	case "RCPT":
		ok := c.answer(verb, line, "250 ok")
		c.mail.To = append(c.mail.To, strings.Trim(strings.TrimPrefix(line, "RCPT TO:"), "<>"))
		return ok
	case "DATA":
		if c.replyTo(verb, line) == "" {
			return c.send("", "354 go on") && c.data()
		}
	case "QUIT":
		c.answer(verb, line, "221 bye")
		return false
	}
	return c.answer(verb, line, "250 ok")
}

// data reads a message.
func (c *session) data() bool {
	var body strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		c.note(strings.TrimRight(line, "\r\n"))
		if line == ".\r\n" {
			break
		}
		body.WriteString(line)
	}
	c.mail.Data = body.String()
	reply := c.replyTo(".", "")
	if reply == "" || reply == Drop || strings.HasPrefix(reply, "2") {
		c.mu.Lock()
		c.mails = append(c.mails, c.mail)
		c.mu.Unlock()
	}
	return c.send(reply, "250 accepted")
}

func (c *session) note(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
}

func (c *session) replyTo(verb, line string) string {
	c.mu.Lock()
	f := c.reply
	c.mu.Unlock()
	if f == nil {
		return ""
	}
	return f(verb, line)
}

func (c *session) answer(verb, line, usual string) bool { return c.send(c.replyTo(verb, line), usual) }

func (c *session) send(reply, usual string) bool {
	switch reply {
	case Drop:
		return false
	case Stall:
		_, _ = c.in.ReadByte() // until one of the two ends
		return false
	case "":
		reply = usual
	}
	_, err := fmt.Fprint(c.conn, reply+"\r\n")
	return err == nil
}
