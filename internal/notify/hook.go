// Package notify brings alerts to those who are to know: web hooks and e-mail.
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
)

// Hook posts alerts as JSON to an address.
//
// The header Nhip-Signature is "t=<Unix seconds>,v1=<hex>", where v1 is the HMAC-SHA256 of "<t>.<body>" under the
// secret that both sides know. Nhip-Event is the alert's id with its time and grade: the same twice is a delivery
// that was not answered.
type Hook struct {
	URL    string
	Secret string
	Client *http.Client // nil: one of its own
}

// Name says what it is, for logs and numbers.
func (h *Hook) Name() string { return "webhook" }

// Deliver posts an alert. Any answer but 2xx is an error.
func (h *Hook) Deliver(ctx context.Context, a *nhip.Alert) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Nhip-Event", Event(a))
	req.Header.Set("Nhip-Signature", Sign(h.Secret, time.Now(), body))
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the web hook answered %s", resp.Status)
	}
	return nil
}

// Event names one change of an alert.
func Event(a *nhip.Alert) string {
	return fmt.Sprintf("%s.%d.%d", a.ID, a.Time.Unix(), a.Grade)
}

// Sign makes the value of Nhip-Signature.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
