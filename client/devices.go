package client

import (
	"context"
	"iter"
	"net/url"

	"nhip"
)

// DeviceQuery selects a page of the devices of the fleet.
type DeviceQuery struct {
	Limit int    // of devices on a page; 0 leaves it to the API
	After string // DevicePage.Next of the page before
}

func (q *DeviceQuery) values() query {
	v := query{}
	v.number("limit", q.Limit)
	v.text("after", q.After)
	return v
}

// DevicePage is a page of devices, by id.
type DevicePage struct {
	Devices []nhip.DeviceState `json:"devices"`
	Next    string             `json:"next,omitempty"`   // for DeviceQuery.After; "" on the last page
	Silent  []string           `json:"silent,omitempty"` // gateways that did not answer: what they know is missing
}

// Devices returns a page of what the gateways know of the devices of the fleet.
func (c *Client) Devices(ctx context.Context, q DeviceQuery) (*DevicePage, error) {
	var page DevicePage
	if err := c.get(ctx, "/v1/devices", q.values(), &page); err != nil {
		return nil, err
	}
	return &page, nil
}

// DevicePages returns the page that q selects and the pages behind it. It ends after the first error.
func (c *Client) DevicePages(ctx context.Context, q DeviceQuery) iter.Seq2[*DevicePage, error] {
	return func(yield func(*DevicePage, error) bool) {
		for {
			page, err := c.Devices(ctx, q)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}

// Device returns what the gateways know of one device.
func (c *Client) Device(ctx context.Context, id string) (*nhip.DeviceState, error) {
	var d nhip.DeviceState
	if err := c.get(ctx, "/v1/devices/"+url.PathEscape(id), nil, &d); err != nil {
		return nil, err
	}
	return &d, nil
}
