package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/outbound"
)

func someAlert() *nhip.Alert {
	at := time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)
	return &nhip.Alert{
		ID: "dust.hn-01.1", Rule: "dust", Measure: "pm25", Station: "hn-01", Grade: nhip.GradeExceeding, Value: 160,
		Peak: 171, Since: at, Time: at,
	}
}

func TestWebhookSignature(t *testing.T) {
	status := http.StatusNoContent
	var received nhip.Alert
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seconds, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Nhip-Signature"), "t="), ",")
		at, _ := strconv.ParseInt(seconds, 10, 64)
		if got := r.Header.Get("Nhip-Signature"); got != Sign("s3cret", time.Unix(at, 0), body) ||
			got == Sign("other", time.Unix(at, 0), body) {
			t.Errorf("signed %q", got)
		}
		if err := json.Unmarshal(body, &received); err != nil || r.Header.Get("Nhip-Event") != Event(&received) {
			t.Errorf("%v: %s", err, body)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	refused := &Webhook{URL: s.URL + "/k3y?key=k3y", Secret: "s3cret"}
	if err := refused.Deliver(t.Context(), someAlert()); err == nil || strings.Contains(err.Error(), "k3y") {
		t.Errorf("an internal address: %v", err)
	}
	client, err := NewWebhookClient(outbound.Policy{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &Webhook{URL: s.URL, Secret: "s3cret", Client: client}
	if err := h.Deliver(t.Context(), someAlert()); err != nil || received != *someAlert() {
		t.Errorf("%v: %+v", err, received)
	}
	status = http.StatusBadGateway
	if err := h.Deliver(t.Context(), someAlert()); err == nil {
		t.Error("status 502: no error")
	}
}

// startMailServer starts an SMTP server that accepts one message.
func startMailServer(t *testing.T) (port int, message <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		fmt.Fprint(c, "220 test\r\n")
		var body strings.Builder
		for data := false; ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch {
			case data && line == ".\r\n":
				data = false
				got <- body.String()
				fmt.Fprint(c, "250 accepted\r\n")
			case data:
				body.WriteString(line)
			case strings.HasPrefix(line, "DATA"):
				data = true
				fmt.Fprint(c, "354 go on\r\n")
			case strings.HasPrefix(line, "QUIT"):
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, got
}

func TestMailIsBilingual(t *testing.T) {
	port, message := startMailServer(t)
	m := &Mail{Host: "127.0.0.1", Port: port, From: "nhip@example.org", To: []string{"staff@example.org"}, Plain: true}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := m.Deliver(ctx, someAlert()); err != nil {
		t.Fatal(err)
	}
	got := <-message
	for _, want := range []string{
		"To: <staff@example.org>", "Message-ID: <dust.hn-01.1.1771218000.3@nhip>", "exceeding", "171",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
