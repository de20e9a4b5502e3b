package notify

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"nhip"

	"github.com/wneessen/go-mail"
)

// Mail sends alerts by e-mail, in Vietnamese and English.
type Mail struct {
	Host     string
	Port     int
	Username string // "": no log-in
	Password string
	From     string
	To       []string
	Plain    bool // without TLS
	Zone     *time.Location
}

// Name returns the name of the channel for logs and metrics.
func (m *Mail) Name() string { return "mail" }

// Deliver sends an alert to all recipients in one message.
func (m *Mail) Deliver(ctx context.Context, a *nhip.Alert) error {
	msg := mail.NewMsg()
	if err := msg.From(m.From); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(m.To...); err != nil {
		return fmt.Errorf("recipients: %w", err)
	}
	grade := nhip.GradeNames[a.Grade]
	msg.Subject(fmt.Sprintf("[Nhịp] %s: %s · %s", a.Station, grade.Vi, a.Rule))
	msg.SetMessageIDWithValue(strings.Map(idRune, Event(a)) + "@nhip")
	msg.SetBodyString(mail.TypeTextPlain, m.text(a))
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTLSPortPolicy(mail.TLSMandatory)}
	if m.Plain {
		options = []mail.Option{mail.WithPort(m.Port), mail.WithTLSPolicy(mail.NoTLS)}
	}
	if m.Username != "" {
		method := mail.SMTPAuthAutoDiscover
		if m.Plain {
			method = mail.SMTPAuthPlainNoEnc
		}
		options = append(options,
			mail.WithSMTPAuth(method), mail.WithUsername(m.Username), mail.WithPassword(m.Password))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// idRune replaces characters that a Message-ID must not contain (RFC 5322).
func idRune(r rune) rune {
	if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-') {
		return r
	}
	return '-'
}

// text returns the body of the message in Vietnamese and English.
func (m *Mail) text(a *nhip.Alert) string {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC
	}
	grade, unit := nhip.GradeNames[a.Grade], nhip.Quantity(a.Measure).Unit()
	const minute = "2006-01-02 15:04 -07:00"
	at, since := a.Time.In(zone).Format(minute), a.Since.In(zone).Format(minute)
	value, peak := math.Round(10*a.Value)/10, math.Round(10*a.Peak)/10
	return fmt.Sprintf(`Trạm %s: %s
%s = %v %s lúc %s (cao nhất %v, bắt đầu %s)
Quy tắc: %s · Mã: %s

Station %s: %s
%s = %v %s at %s (peak %v, since %s)
Rule: %s · Id: %s
`, a.Station, grade.Vi, a.Measure, value, unit, at, peak, since, a.Rule, a.ID,
		a.Station, grade.En, a.Measure, value, unit, at, peak, since, a.Rule, a.ID)
}
