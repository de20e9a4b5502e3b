package notify

import (
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/notify/smtptest"
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
	var received struct {
		nhip.Alert
		Name nhip.LocalizedText `json:"station_name"`
		Unit string             `json:"unit"`
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seconds, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Nhip-Signature"), "t="), ",")
		at, _ := strconv.ParseInt(seconds, 10, 64)
		if got := r.Header.Get("Nhip-Signature"); got != Sign("s3cret", time.Unix(at, 0), body) ||
			got == Sign("other", time.Unix(at, 0), body) {
			t.Errorf("signed %q", got)
		}
		if err := json.Unmarshal(body, &received); err != nil || r.Header.Get("Nhip-Event") != Event(&received.Alert) {
			t.Errorf("%v: %s", err, body)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	refused := &Webhook{URL: s.URL + "/k3y?key=k3y", Secret: "s3cret"}
	if err := refused.Deliver(t.Context(), someAlert(), someStation); err == nil || strings.Contains(err.Error(), "k3y") {
		t.Errorf("an internal address: %v", err)
	}
	client, err := NewWebhookClient(outbound.Policy{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &Webhook{URL: s.URL, Secret: "s3cret", Client: client}
	if err := h.Deliver(t.Context(), someAlert(), someStation); err != nil ||
		!reflect.DeepEqual(received.Alert, *someAlert()) ||
		received.Name != someStation.Name || received.Unit != "µg/m³" {
		t.Errorf("%v: %+v", err, received)
	}
	status = http.StatusBadGateway
	if err := h.Deliver(t.Context(), someAlert(), someStation); err == nil {
		t.Error("status 502: no error")
	}
}

var someStation = &nhip.Station{
	ID: "hn-01", Name: nhip.LocalizedText{Vi: "Hoàn Kiếm", En: "Hoan Kiem"}, Area: "Hoàn Kiếm", Zone: "Asia/Ho_Chi_Minh",
}

func TestMailTellsAlertInBothLanguages(t *testing.T) {
	server := smtptest.Start(t)
	m := &Mail{
		Mailer: Mailer{Host: "127.0.0.1", Port: server.Port, From: "nhip@example.org", Plain: true},
		To:     []string{"staff@example.org"}, PublicURL: "https://air.example/",
	}
	a := someAlert()
	a.Value, a.Threshold = 160.0499, nhip.Some(150.0)
	if err := m.Deliver(t.Context(), a, someStation); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	header, body, _ := strings.Cut(mails[0].Data, "\r\n\r\n")
	for _, want := range []string{"To: <staff@example.org>", "Message-ID: <dust.hn-01.1.1771218000.3@nhip>"} {
		if !strings.Contains(header, want) {
			t.Errorf("no %q in\n%s", want, header)
		}
	}
	raw, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Trạm Hoàn Kiếm (hn-01) · Hoàn Kiếm: vượt ngưỡng", "Bụi mịn PM2.5: 160 µg/m³ lúc 12:00 16/02/2026 (UTC+07:00)",
		"Ngưỡng: 150 µg/m³ · Cao nhất: 171 µg/m³", "Station Hoan Kiem (hn-01) · Hoàn Kiếm: exceeding",
		"at 16 February 2026 12:00 (UTC+07:00)", "Threshold: 150 µg/m³ · Peak: 171 µg/m³", "Rule: dust · Id: dust.hn-01.1",
		"Map: https://air.example/air/station/hn-01",
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %q in\n%s", want, raw)
		}
	}
}
