package app_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/capdoc"
	"nhip/internal/captest"
	"nhip/internal/notify"
	"nhip/internal/notify/smtptest"
)

// delivery is an alert that a webhook received.
type delivery struct {
	alert  nhip.Alert
	signed bool
}

// startWebhook starts a server that receives alerts signed with a secret.
func startWebhook(t *testing.T, secret string) (url string, deliveries <-chan delivery) {
	t.Helper()
	received := make(chan delivery, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var at int64
		_, err := fmt.Sscanf(r.Header.Get("Nhip-Signature"), "t=%d,", &at)
		d := delivery{signed: err == nil && r.Header.Get("Nhip-Signature") == notify.Sign(secret, time.Unix(at, 0), body)}
		if json.Unmarshal(body, &d.alert) == nil {
			received <- d
		}
	}))
	t.Cleanup(hook.Close)
	return hook.URL, received
}

// checkAlerts follows an alert from a reading to the API, the webhook and the mail, and the acknowledgement back.
func checkAlerts(t *testing.T, checked effects) {
	t.Helper()
	mail := smtptest.Start(t)
	hook, deliveries := startWebhook(t, "h00k")
	p := apptest.Up(t, t.TempDir(), fmt.Sprintf(`
air:
  alerts: [{name: dust, measure: VN_AQI, tendency: 100, hysteresis: 5}]
  webhook: {url: %q, secret: h00k}
  mail:
    {host: 127.0.0.1, port: %d, username: clerk, password: p0st, from: nhip@example.org, to: [staff@example.org],
     plain: true}
`, hook, mail.Port))
	hour := time.Now().Truncate(time.Hour)
	for i := range 3 {
		p.Publish(t, apptest.Reading("hn-01", hour.Add(-time.Duration(2-i)*time.Hour), 65)) // VN_AQI 125
	}
	api := p.Client(t)
	var a nhip.Alert
	awaittest.True(t, "the alert is open", func() bool {
		alerts, err := api.Alerts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(alerts.Open) == 1 {
			a = alerts.Open[0]
		}
		return len(alerts.Open) == 1
	})
	if a.Rule != "dust" || a.Station != "hn-01" || a.Grade != nhip.GradeTendency || a.Value != 125 {
		t.Errorf("alert: %+v", a)
	}
	if _, err := api.AckAlert(t.Context(), a.ID, "Lan", "đã biết"); err != nil {
		t.Errorf("acknowledging the alert: %v", err)
	}
	awaittest.True(t, "the alert is acknowledged", func() bool {
		alerts, err := api.Alerts(t.Context())
		return err == nil && len(alerts.Open) == 1 && alerts.Open[0].AckBy == "operator" &&
			alerts.Open[0].AckNote == "đã biết"
	})
	if ack, err := api.AckAlert(t.Context(), a.ID, "Minh", "tôi cũng biết"); err != nil || ack.By != "operator" ||
		ack.Note != "đã biết" {
		t.Errorf("second acknowledgement: %+v, %v", ack, err)
	}
	if _, err := api.AckAlert(t.Context(), "none", "Lan", ""); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("acknowledging an unknown alert: %v", err)
	}
	var d delivery
	awaittest.True(t, "the webhook is called", func() bool {
		select {
		case d = <-deliveries:
			return true
		default:
			return false
		}
	})
	checked.check(t, "air.webhook.url", d.alert.ID == a.ID && d.alert.Grade == 1)
	checked.check(t, "air.webhook.secret", d.signed)
	checkMail(t, checked, mail)
	checkSchedules(t, p, mail)
	checkAlertStream(t, p, a.ID)
	for path, want := range map[string]string{
		"/v1/alerts.atom":     "<link rel=\"alternate\" type=\"application/cap+xml\" href=\"" + p.HTTP + capdoc.Path(a.ID),
		capdoc.Path(a.ID):     "<msgType>Alert</msgType>",
		"/v1/alerts/none.cap": "not_found",
	} {
		if body := getAsOperator(t, p, path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		} else if path == capdoc.Path(a.ID) && captest.Check([]byte(body)) != nil {
			t.Errorf("%s: %v", path, captest.Check([]byte(body)))
		}
	}
}

// getAsOperator returns the body of an answer.
func getAsOperator(t *testing.T, p *apptest.Platform, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token(t))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// checkAlertStream reads the first event of the stream of alerts.
func checkAlertStream(t *testing.T, p *apptest.Platform, id string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/v1/alerts/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token(t))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	first, _ := events.ReadString('\n')
	data, _ := events.ReadString('\n')
	if first != "event: alert\n" || !strings.Contains(data, id) ||
		!strings.Contains(data, `"path":"`+capdoc.Path(id)+`"`) {
		t.Errorf("first event: %q %q", first, data)
	}
}

// checkMail waits for a mail and checks what the server received.
func checkMail(t *testing.T, checked effects, mail *smtptest.Server) {
	t.Helper()
	awaittest.True(t, "a mail is sent", func() bool { return len(mail.Mails()) > 0 })
	all := mail.Lines()
	account := base64.StdEncoding.EncodeToString([]byte("\x00clerk\x00p0st"))
	for key, want := range map[string]string{
		"air.mail.host": "EHLO", "air.mail.port": "EHLO", "air.mail.plain": "EHLO",
		"air.mail.username": account, "air.mail.password": account,
		"air.mail.from": "MAIL FROM:<nhip@example.org>", "air.mail.to": "RCPT TO:<staff@example.org>",
	} {
		checked.check(t, key, strings.Contains(all, want))
	}
}
