package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/notify"
)

// post is a mail server that lets one user in. What is said to it is told line by line.
func post(t *testing.T) (port int, lines <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	said := make(chan string, 10_000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveMail(c, said)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, said
}

func serveMail(c net.Conn, said chan<- string) {
	defer c.Close()
	in := bufio.NewReader(c)
	fmt.Fprint(c, "220 post\r\n")
	for data := false; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		said <- strings.TrimSpace(line)
		switch {
		case data && line != ".\r\n":
		case data:
			data = false
			fmt.Fprint(c, "250 taken\r\n")
		case strings.HasPrefix(line, "EHLO"):
			fmt.Fprint(c, "250-post\r\n250 AUTH PLAIN\r\n")
		case strings.HasPrefix(line, "AUTH"):
			fmt.Fprint(c, "235 come in\r\n")
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
}

// seeAlerts follows an alert from a reading to everybody who is to know, and the acknowledgement back.
func seeAlerts(t *testing.T, seen effects) {
	t.Helper()
	port, mail := post(t)
	hooked := make(chan nhip.Alert, 10)
	signed := true
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var at int64
		_, err := fmt.Sscanf(r.Header.Get("Nhip-Signature"), "t=%d,", &at)
		signed = err == nil && r.Header.Get("Nhip-Signature") == notify.Sign("h00k", time.Unix(at, 0), body)
		var a nhip.Alert
		if json.Unmarshal(body, &a) == nil {
			hooked <- a
		}
	}))
	t.Cleanup(hook.Close)
	dir := t.TempDir()
	p := up(t, dir, "--config", writeYAML(t, fmt.Sprintf(`
air:
  alerts: [{name: dust, measure: VN_AQI, tendency: 100, hysteresis: 5}]
  webhook: {url: %q, secret: h00k}
  mail: {host: 127.0.0.1, port: %d, username: clerk, password: p0st, from: nhip@example.org, to: [staff@example.org], plain: true}
`, hook.URL, port)))
	c := apitest.New(t, p.HTTP)
	staff := []string{"Authorization", "Bearer " + p.token(t)}
	hour := time.Now().Truncate(time.Hour)
	for i := range 3 {
		p.publish(t, reading("hn-01", hour.Add(-time.Duration(2-i)*time.Hour), 65)) // 125
	}
	var board struct{ Open, Ended []nhip.Alert }
	await.True(t, "the alert is on the board", func() bool {
		answerInto(t, c.Get(t, "/v1/alerts", staff...), &board)
		return len(board.Open) == 1
	})
	a := board.Open[0]
	if a.Rule != "dust" || a.Station != "hn-01" || a.Grade != nhip.Tendency || a.Value != 125 {
		t.Errorf("it is %+v", a)
	}
	if got := c.Post(t, "/v1/alerts/"+a.ID+"/ack", `{"by":"Lan","note":"đã biết"}`, staff...); got.Status != http.StatusCreated {
		t.Errorf("acknowledged with %d %s", got.Status, got.Body)
	}
	await.True(t, "it is acknowledged on the board", func() bool {
		answerInto(t, c.Get(t, "/v1/alerts", staff...), &board)
		return len(board.Open) == 1 && board.Open[0].AckBy == "Lan" && board.Open[0].AckNote == "đã biết"
	})
	if got := c.Post(t, "/v1/alerts/none/ack", `{"by":"Lan"}`, staff...); got.Status != http.StatusNotFound {
		t.Errorf("an alert that is not there: %d", got.Status)
	}
	var told nhip.Alert
	await.True(t, "the hook is called", func() bool {
		select {
		case told = <-hooked:
			return true
		default:
			return false
		}
	})
	seen.see(t, "air.webhook.url", told.ID == a.ID && told.Grade == 1)
	seen.see(t, "air.webhook.secret", signed)
	seeMail(t, seen, mail)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/v1/alerts/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(staff[0], staff[1])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	first, _ := events.ReadString('\n')
	data, _ := events.ReadString('\n')
	if first != "event: alert\n" || !strings.Contains(data, a.ID) {
		t.Errorf("the stream begins with %q %q", first, data)
	}
}

// seeMail reads what the mail server heard until it has a whole mail.
func seeMail(t *testing.T, seen effects, mail <-chan string) {
	t.Helper()
	var heard []string
	await.True(t, "a mail is sent", func() bool {
		for {
			select {
			case line := <-mail:
				heard = append(heard, line)
				if line == "." {
					return true
				}
			default:
				return false
			}
		}
	})
	all := strings.Join(heard, "\n")
	who := base64.StdEncoding.EncodeToString([]byte("\x00clerk\x00p0st"))
	for key, want := range map[string]string{
		"air.mail.host": "EHLO", "air.mail.port": "EHLO", "air.mail.plain": "EHLO", "air.mail.username": who, "air.mail.password": who,
		"air.mail.from": "MAIL FROM:<nhip@example.org>", "air.mail.to": "RCPT TO:<staff@example.org>",
	} {
		seen.see(t, key, strings.Contains(all, want))
	}
}
