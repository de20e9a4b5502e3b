package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Mailer sends messages through an SMTP server, over TLS unless that is Plain.
type Mailer struct {
	Host     string
	Port     int    // submissionsPort: with TLS from the begin; others: with STARTTLS
	Username string // "": no log-in
	Password string
	From     string
	Plain    bool // without TLS

	submissions bool           // as if Port were submissionsPort, in tests
	roots       *x509.CertPool // nil: those of the system
}

// submissionsPort is the port of servers that expect TLS from the begin (RFC 8314).
const submissionsPort = 465

// securedAtOnce reports whether TLS begins with the connection.
func (m *Mailer) securedAtOnce() bool {
	return !m.Plain && (m.submissions || m.Port == submissionsPort)
}

// Message is an e-mail. The texts may hold anything: what would end a header is encoded.
type Message struct {
	// ID is the same for each attempt to send the message, so that mail programs recognise a second copy. Characters that
	// a Message-ID must not contain are replaced.
	ID          string
	To          []string // addresses
	Subject     string
	Text        string // the plain form, which every program shows
	HTML        string // "": none
	Attachments []Attachment
}

// Attachment is a file of a message.
type Attachment struct {
	Name string
	Type string // media type
	Data []byte
}

// mailTimeout bounds each of the two parts of a delivery: until the server knows us, and the message itself.
const mailTimeout = time.Minute

// Send hands a message to the server and returns once that has accepted it, or an error. After an error for which
// IsPermanent is false, the server may or may not have accepted it, as RFC 1047 describes.
func (m *Mailer) Send(ctx context.Context, msg *Message) error {
	composed, err := m.compose(msg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // which closes the connection
	client, err := m.client(ctx)
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("connection to the mail server: %w", err)
	}
	err = client.Send(composed)
	_ = client.Close() // what the server has accepted stays accepted if it does not say good-bye
	if composed.IsDelivered() {
		return nil
	}
	return err
}

// IsPermanent reports whether the server has refused a message for good (a reply of 500 to 599), so that sending it
// again is of no use.
func IsPermanent(err error) bool {
	var refused *mail.SendError
	return errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500
}

func (m *Mailer) compose(msg *Message) (*mail.Msg, error) {
	out := mail.NewMsg()
	if err := out.From(m.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := out.To(msg.To...); err != nil {
		return nil, fmt.Errorf("recipients: %w", err)
	}
	out.Subject(strings.Join(strings.Fields(msg.Subject), " "))
	out.SetMessageIDWithValue(strings.Map(idRune, msg.ID) + "@nhip")
	out.SetBodyString(mail.TypeTextPlain, msg.Text)
	if msg.HTML != "" {
		out.AddAlternativeString(mail.TypeTextHTML, msg.HTML)
	}
	for _, a := range msg.Attachments {
		err := out.AttachReader(a.Name, strings.NewReader(string(a.Data)), mail.WithFileContentType(mail.ContentType(a.Type)))
		if err != nil {
			return nil, fmt.Errorf("attachment: %w", err)
		}
	}
	return out, nil
}

// client returns a client whose connection ends with ctx, and at the latest after mailTimeout without the message: a
// server that accepts a connection and says nothing must not hold it.
func (m *Mailer) client(ctx context.Context) (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTimeout(mailTimeout),
		mail.WithDialContextFunc(m.dialUntil(ctx)), mail.WithTLSConfig(m.tls()),
	}
	switch {
	case m.Plain:
		options[1] = mail.WithTLSPolicy(mail.NoTLS)
	case m.securedAtOnce():
		options[1] = mail.WithTLSPolicy(mail.TLSOpportunistic) // beyond the TLS of the connection
	}
	if m.Username != "" {
		method := mail.SMTPAuthAutoDiscover
		if m.Plain {
			method = mail.SMTPAuthPlainNoEnc
		}
		options = append(options,
			mail.WithSMTPAuth(method), mail.WithUsername(m.Username), mail.WithPassword(m.Password))
	}
	return mail.NewClient(m.Host, options...)
}

// tls returns the settings of TLS, with or without STARTTLS.
func (m *Mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.Host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
}

// dialUntil returns a dialer whose connections end with ctx.
func (m *Mailer) dialUntil(ctx context.Context) mail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		if err := conn.SetDeadline(time.Now().Add(mailTimeout)); err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !m.securedAtOnce() {
			return conn, nil
		}
		secured := tls.Client(conn, m.tls())
		return secured, secured.HandshakeContext(dialing)
	}
}

// idRune replaces characters that a Message-ID must not contain (RFC 5322).
func idRune(r rune) rune {
	if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-') {
		return r
	}
	return '-'
}
