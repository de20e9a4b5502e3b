package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"nhip"
)

// NewSchedule is a report to mail again and again, as its owner sets it.
type NewSchedule struct {
	Name       string         `json:"name"`              // what people call it
	Report     string         `json:"report"`            // nhip.ReportMonthly or nhip.ReportExceedances
	Station    string         `json:"station,omitempty"` // only of this station; not with Area
	Area       string         `json:"area,omitempty"`    // only of the stations of this area
	Lang       string         `json:"lang,omitempty"`    // vi or en; "" is vi
	Recipients []string       `json:"recipients"`        // e-mail addresses, 1 to nhip.MaxRecipients
	Every      string         `json:"every"`             // nhip.EveryDay, nhip.EveryWeek or nhip.EveryMonth
	Day        int            `json:"day,omitempty"`     // of the month, 1 to 31, or of the week, 1 is Monday
	At         string         `json:"at"`                // HH:MM in the time zone of the city
	Active     nhip.Opt[bool] `json:"active,omitzero"`   // unset it is active
}

// Schedule is a report that is mailed again and again, with what was and is to be sent.
type Schedule struct {
	ID string `json:"id"`
	NewSchedule
	Owner   string    `json:"owner"` // name of who made it
	Mine    bool      `json:"mine"`  // the owner is the caller
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
	nhip.ScheduleState
}

// Schedules returns the scheduled reports that the caller may change, by their ids.
func (c *Client) Schedules(ctx context.Context) ([]Schedule, error) {
	var answer struct {
		Schedules []Schedule `json:"schedules"`
	}
	err := c.get(ctx, "/v1/schedules", nil, &answer)
	return answer.Schedules, err
}

// Schedule returns a scheduled report.
func (c *Client) Schedule(ctx context.Context, id string) (s Schedule, err error) {
	err = c.get(ctx, schedulePath(id), nil, &s)
	return s, err
}

// AddSchedule schedules a report. It returns when a collector has it on disk.
func (c *Client) AddSchedule(ctx context.Context, n NewSchedule) (s Schedule, err error) {
	err = c.post(ctx, "/v1/schedules", n, &s)
	return s, err
}

// ChangeSchedule replaces what is set of a scheduled report. What was due before is not sent any more.
func (c *Client) ChangeSchedule(ctx context.Context, id string, n NewSchedule) (s Schedule, err error) {
	raw, err := json.Marshal(n)
	if err == nil {
		err = c.do(ctx, http.MethodPut, schedulePath(id), bytes.NewReader(raw), &s)
	}
	return s, err
}

// SendSchedule mails a scheduled report to its recipients now, once.
func (c *Client) SendSchedule(ctx context.Context, id string) (s Schedule, err error) {
	err = c.post(ctx, schedulePath(id)+"/send", nil, &s)
	return s, err
}

// RemoveSchedule removes a scheduled report.
func (c *Client) RemoveSchedule(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, schedulePath(id), nil, nil)
}

func schedulePath(id string) string { return "/v1/schedules/" + url.PathEscape(id) }
