package client

import (
	"context"
	"net/url"

	"nhip"
)

// Alerts are all alerts that the API holds.
type Alerts struct {
	Open  []nhip.Alert `json:"open"`  // the highest grade first
	Ended []nhip.Alert `json:"ended"` // the newest first; the API keeps the last thousand
}

// Alerts returns the open alerts and those that have ended.
func (c *Client) Alerts(ctx context.Context) (*Alerts, error) {
	var alerts Alerts
	if err := c.get(ctx, "/v1/alerts", nil, &alerts); err != nil {
		return nil, err
	}
	return &alerts, nil
}

// AckAlert records that a person has seen an open alert. It returns when a collector has that on disk, and the first
// acknowledgement of the alert, which may be that of another person.
func (c *Client) AckAlert(ctx context.Context, id, by, note string) (*nhip.Ack, error) {
	body := struct {
		By   string `json:"by"` // ignored: the name is that of the key
		Note string `json:"note,omitempty"`
	}{by, note}
	var ack nhip.Ack
	if err := c.post(ctx, "/v1/alerts/"+url.PathEscape(id)+"/ack", body, &ack); err != nil {
		return nil, err
	}
	return &ack, nil
}
