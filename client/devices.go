package client

import (
	"context"
	"iter"
	"net/http"
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
	if err := c.get(ctx, devicePath(id), nil, &d); err != nil {
		return nil, err
	}
	return &d, nil
}

// NewDevice is a device to be added to the fleet.
type NewDevice struct {
	ID     string   `json:"id"`               // that of its vehicle or station
	Feed   string   `json:"feed"`             // name of a configured feed
	Topics []string `json:"topics,omitempty"` // MQTT filters under which it may publish; none: the feed's, for itself
	Rate   int64    `json:"rate,omitempty"`   // messages a second; 0: the default limit
}

// AddDevice adds a device to the fleet and returns its secret, which the platform tells only now.
func (c *Client) AddDevice(ctx context.Context, d NewDevice) (secret string, err error) {
	var answer struct{ Secret string }
	err = c.post(ctx, "/v1/devices", d, &answer)
	return answer.Secret, err
}

// RotateDevice gives a device a second secret and returns it. The first one is valid until EndDeviceRotation.
func (c *Client) RotateDevice(ctx context.Context, id string) (secret string, err error) {
	var answer struct{ Secret string }
	err = c.post(ctx, devicePath(id)+"/rotate", struct{}{}, &answer)
	return answer.Secret, err
}

// EndDeviceRotation leaves a device only its newest secret.
func (c *Client) EndDeviceRotation(ctx context.Context, id string) error {
	return c.post(ctx, devicePath(id)+"/rotate", map[string]bool{"end": true}, nil)
}

// DisableDevice makes the gateways reject a device.
func (c *Client) DisableDevice(ctx context.Context, id string) error {
	return c.post(ctx, devicePath(id)+"/disable", nil, nil)
}

// EnableDevice makes the gateways accept a disabled device again.
func (c *Client) EnableDevice(ctx context.Context, id string) error {
	return c.post(ctx, devicePath(id)+"/enable", nil, nil)
}

// RemoveDevice removes a device from the fleet.
func (c *Client) RemoveDevice(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, devicePath(id), nil, nil)
}

// FleetChanges returns what staff have changed of devices and calibrations over the web, beside the fleet file.
func (c *Client) FleetChanges(ctx context.Context) (*nhip.FleetChanges, error) {
	answer := new(nhip.FleetChanges)
	if err := c.get(ctx, "/v1/fleet/changes", nil, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

func devicePath(id string) string { return "/v1/devices/" + url.PathEscape(id) }
