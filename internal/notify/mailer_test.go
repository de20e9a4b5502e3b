package notify

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"nhip/internal/certs/certstest"
	"nhip/internal/notify/smtptest"
)

func mailerOf(s *smtptest.Server) *Mailer {
	return &Mailer{Host: "127.0.0.1", Port: s.Port, From: "nhip@example.org", Plain: true}
}

// replyTo replies to one verb, and as usual to others.
func replyTo(verb, reply string) func(string, string) string {
	return func(v, _ string) string {
		if v == verb {
			return reply
		}
		return ""
	}
}

func TestMailerTellsWhatIsRefusedForGood(t *testing.T) {
	for _, c := range []struct {
		verb, reply string
		sent        int
		ok          bool
		permanent   bool
	}{
		{"", "", 1, true, false},
		{"CONNECT", "421 too busy", 0, false, false},
		{"CONNECT", smtptest.Drop, 0, false, false},
		{"MAIL", "451 later", 0, false, false},
		{"RCPT", "550 no such user", 0, false, true},
		{"RCPT", "450 greylisted", 0, false, false},
		{"DATA", "554 spam", 0, false, true},
		{".", "552 too large", 0, false, true},
		{".", "452 disk full", 0, false, false},
		{".", smtptest.Drop, 1, false, false}, // accepted, but the client can't know
		{"RSET", "500 unknown", 1, true, false},
		{"QUIT", smtptest.Drop, 1, true, false},
	} {
		server := smtptest.Start(t)
		server.Reply(replyTo(c.verb, c.reply))
		err := mailerOf(server).Send(t.Context(), &Message{ID: "a", To: []string{"b@example.org"}, Text: "c"})
		if (err == nil) != c.ok || IsPermanent(err) != c.permanent || len(server.Mails()) != c.sent {
			t.Errorf("%s %q: %v, %d mails", c.verb, c.reply, err, len(server.Mails()))
		}
	}
}

func TestSilentServerDoesNotHoldMailer(t *testing.T) {
	for _, verb := range []string{"CONNECT", "EHLO", "RCPT", "."} {
		server := smtptest.Start(t)
		ctx, cancel := context.WithCancel(t.Context())
		server.Reply(func(v, _ string) string {
			if v == verb {
				cancel()
				return smtptest.Stall
			}
			return ""
		})
		begin := time.Now()
		if err := mailerOf(server).Send(ctx, &Message{ID: "a", To: []string{"b@example.org"}, Text: "c"}); err == nil {
			t.Errorf("%s: no error", verb)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: %v", verb, took)
		}
	}
}

func TestMailHeadersCanNotBeInjected(t *testing.T) {
	server := smtptest.Start(t)
	m := mailerOf(server)
	err := m.Send(t.Context(), &Message{
		ID: "a\r\nBcc: x@example.org", To: []string{"b@example.org"}, Subject: "Báo cáo\r\nBcc: y@example.org",
		Text: "text", HTML: "<p>text</p>",
		Attachments: []Attachment{{Name: "a\r\nBcc: z@example.org.csv", Type: "text/csv", Data: []byte("x,y\n")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	if strings.Contains(got.Data, "\nBcc:") || len(got.To) != 1 {
		t.Errorf("recipients %q of\n%s", got.To, got.Data)
	}
	for _, to := range []string{
		"b@example.org\r\nRCPT TO:<c@example.org>", "b@example.org\r\nBcc: c@example.org", "",
		"b",
	} {
		if m.Send(t.Context(), &Message{ID: "a", To: []string{to}, Text: "c"}) == nil {
			t.Errorf("sent to %q", to)
		}
	}
}

// TestMailerBeginsWithTLSWhereThatIsUsual sends through a server that expects TLS from the begin, as port 465 does.
func TestMailerBeginsWithTLSWhereThatIsUsual(t *testing.T) {
	authority := certstest.New(t, "authority")
	secured := &tls.Config{Certificates: []tls.Certificate{authority.Issue("localhost", time.Now().Add(time.Hour))}}
	server := smtptest.StartTLS(t, secured)
	m := Mailer{
		Host: "127.0.0.1", Port: server.Port, From: "nhip@example.org", Username: "nhip", Password: "secret",
		submissions: true,
	}
	if err := m.Send(t.Context(), &Message{ID: "a", To: []string{"b@example.org"}, Text: "c"}); err == nil {
		t.Error("a certificate of an unknown authority is accepted")
	}
	m.roots = authority.Pool()
	if err := m.Send(t.Context(), &Message{ID: "a", To: []string{"b@example.org"}, Text: "c"}); err != nil {
		t.Fatal(err)
	}
	if len(server.Mails()) != 1 || !strings.Contains(server.Lines(), "AUTH PLAIN") {
		t.Errorf("%d mails, %s", len(server.Mails()), server.Lines())
	}
	for port, want := range map[int]bool{465: true, 587: false, 25: false} {
		for _, plain := range []bool{false, true} {
			if m := (&Mailer{Port: port, Plain: plain}); m.securedAtOnce() != (want && !plain) {
				t.Errorf("port %d, plain %t: TLS from the begin is %t", port, plain, !want)
			}
		}
	}
}
