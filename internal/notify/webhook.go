// Package notify delivers alerts by webhook and by e-mail.
package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/outbound"
)

// Webhook delivers alerts as JSON in POST requests to an address.
//
// The header Nhip-Signature is "t=<Unix seconds>,v1=<hex>", where v1 is the HMAC-SHA256 of "<t>.<body>" with the shared
// secret. The header Nhip-Event identifies the change of the alert by id, time and grade. A receiver sees the same
// value twice if a delivery was repeated because its answer was lost.
type Webhook struct {
	URL    string
	Secret string
	Client *http.Client // of package outbound; nil: one that reaches public addresses only
}

// Bounds of a delivery.
const (
	webhookTimeout = 30 * time.Second
	webhookAnswer  = 64 << 10 // bytes of an answer that are read
)

// NewWebhookClient returns a client for webhooks.
func NewWebhookClient(p outbound.Policy) (*http.Client, error) {
	return outbound.New(outbound.Options{Policy: p, Timeout: webhookTimeout, MaxBytes: webhookAnswer})
}

// Name returns the name of the channel for logs and metrics.
func (h *Webhook) Name() string { return "webhook" }

// webhookBody is an alert with what its station and its values are called.
type webhookBody struct {
	*nhip.Alert
	Name *nhip.LocalizedText `json:"station_name,omitempty"` // nil: the station has no name
	Unit string              `json:"unit,omitempty"`         // of the values; "" for indices and flags
}

// Deliver posts an alert. It returns an error for any status other than 2xx.
func (h *Webhook) Deliver(ctx context.Context, a *nhip.Alert, s *nhip.Station) error {
	named := webhookBody{Alert: a, Unit: alert.Unit(a.Measure)}
	if s.Name != (nhip.LocalizedText{}) {
		name := s.Name.Full()
		named.Name = &name
	}
	body, err := json.Marshal(named)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return outbound.Redact(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Nhip-Event", Event(a))
	req.Header.Set("Nhip-Signature", Sign(h.Secret, time.Now(), body))
	client := h.Client
	if client == nil {
		if client, err = NewWebhookClient(outbound.Policy{}); err != nil {
			return err
		}
		defer client.CloseIdleConnections()
	}
	resp, err := client.Do(req)
	if err != nil {
		return outbound.Redact(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be reused
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered %s", resp.Status)
	}
	return nil
}

// Event returns the identifier of one change of an alert.
func Event(a *nhip.Alert) string {
	return fmt.Sprintf("%s.%d.%d", a.ID, a.Time.Unix(), a.Grade)
}

// Sign returns the value of Nhip-Signature.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
