package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"nhip"
)

// ServiceAlertText is the content of a service alert that a dispatcher writes.
type ServiceAlertText struct {
	Agency      string                `json:"agency"`
	Status      nhip.AlertStatus      `json:"status"`
	Cause       string                `json:"cause"`    // of nhip.AlertCauses
	Effect      string                `json:"effect"`   // of nhip.AlertEffects
	Severity    string                `json:"severity"` // of nhip.AlertSeverities
	Header      nhip.LocalizedText    `json:"header"`
	Description nhip.LocalizedText    `json:"description,omitzero"`
	URL         nhip.LocalizedText    `json:"url,omitzero"`
	Periods     []nhip.Period         `json:"periods"` // the first one begins now if it has no begin
	Informed    []nhip.InformedEntity `json:"informed"`
}

// NewServiceAlert is a service alert to write.
type NewServiceAlert struct {
	ID string `json:"id,omitempty"` // makes a repeated request harmless; "": a new one
	ServiceAlertText
}

// WrittenServiceAlert is a service alert that a dispatcher has written.
type WrittenServiceAlert struct {
	nhip.WrittenAlert
	State   string `json:"state"`   // draft, upcoming, active or ended
	Version int64  `json:"version"` // rises with each change
	By      string `json:"by"`      // who made the last change
}

// WriteServiceAlert stores a service alert. It returns when a collector has it on disk.
func (c *Client) WriteServiceAlert(ctx context.Context, a NewServiceAlert) (w WrittenServiceAlert, err error) {
	err = c.post(ctx, "/v1/service-alerts", a, &w)
	return w, err
}

// ChangeServiceAlert replaces the content of a service alert that has a version; 0 is any.
func (c *Client) ChangeServiceAlert(
	ctx context.Context, id string, version int64, text ServiceAlertText,
) (w WrittenServiceAlert, err error) {
	raw, err := json.Marshal(struct {
		Version int64 `json:"version,omitempty"`
		ServiceAlertText
	}{version, text})
	if err == nil {
		err = c.do(ctx, http.MethodPut, alertPath(id), bytes.NewReader(raw), &w)
	}
	return w, err
}

// EndServiceAlert ends a published service alert now.
func (c *Client) EndServiceAlert(ctx context.Context, id string) (w WrittenServiceAlert, err error) {
	err = c.post(ctx, alertPath(id)+"/end", nil, &w)
	return w, err
}

// DeleteServiceAlert deletes a draft.
func (c *Client) DeleteServiceAlert(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, alertPath(id), nil, nil)
}

// WrittenServiceAlert returns a service alert of a dispatcher.
func (c *Client) WrittenServiceAlert(ctx context.Context, id string) (w WrittenServiceAlert, err error) {
	err = c.get(ctx, alertPath(id), nil, &w)
	return w, err
}

// WrittenServiceAlerts returns the service alerts of dispatchers in a state, of all states for "", of an agency, of all
// agencies for "", the newest first.
func (c *Client) WrittenServiceAlerts(ctx context.Context, state, agency string) ([]WrittenServiceAlert, error) {
	q := query{}
	q.text("state", state)
	q.text("agency", agency)
	var answer struct {
		Alerts []WrittenServiceAlert `json:"alerts"`
	}
	err := c.get(ctx, "/v1/service-alerts/written", q, &answer)
	return answer.Alerts, err
}

// PreviewServiceAlert returns a service alert as riders would see it, and stores nothing.
func (c *Client) PreviewServiceAlert(ctx context.Context, text ServiceAlertText) (s ServiceAlert, err error) {
	err = c.post(ctx, "/v1/service-alerts/preview", text, &s)
	return s, err
}

// ServiceAlert is a service alert as riders see it.
type ServiceAlert struct {
	nhip.ServiceAlert
	Active bool `json:"active"` // now; otherwise it will be
}

// ServiceAlertQuery selects service alerts: of everything, of a stop or of a route.
type ServiceAlertQuery struct {
	Stop, Route string
	Upcoming    bool // also those that will be active
}

// ServiceAlerts returns the service alerts that are active, of dispatchers and of realtime feeds, the newest first.
func (c *Client) ServiceAlerts(ctx context.Context, of ServiceAlertQuery) ([]ServiceAlert, error) {
	q := query{}
	q.text("stop", of.Stop)
	q.text("route", of.Route)
	if of.Upcoming {
		q.text("upcoming", "true")
	}
	var answer struct {
		Alerts []ServiceAlert `json:"alerts"`
	}
	err := c.get(ctx, "/v1/service-alerts", q, &answer)
	return answer.Alerts, err
}

func alertPath(id string) string { return "/v1/service-alerts/" + url.PathEscape(id) }
