package stafftext

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
	"nhip/internal/fleet"
)

// Device is the JSON object of a device: what the fleet file says, and what the gateways know if they were asked.
type Device struct {
	ID       string   `json:"id"`
	Feed     string   `json:"feed"`
	Topics   []string `json:"topics"`
	Secrets  int      `json:"secrets"`
	Disabled bool     `json:"disabled"`

	*DeviceKnown
}

// DeviceKnown is what the gateways know of a device.
type DeviceKnown struct {
	Connected      bool              `json:"connected"`
	ConnectedSince time.Time         `json:"connected_since,omitzero"`
	Heard          time.Time         `json:"heard,omitzero"`
	Gateway        string            `json:"gateway,omitempty"`
	Refused        *nhip.DeviceEvent `json:"refused,omitempty"`
	Limited        *nhip.DeviceEvent `json:"limited,omitempty"`
	TakenOver      *nhip.DeviceEvent `json:"taken_over,omitempty"`
}

// NewDevice returns what the fleet file says of a device.
func NewDevice(d *fleet.Device, feeds fleet.Feeds) Device {
	return Device{ID: d.ID, Feed: d.Feed, Topics: feeds.Topics(d), Secrets: len(d.Secrets), Disabled: d.Disabled}
}

// NewDeviceKnown returns what the gateways know of a device.
func NewDeviceKnown(s *nhip.DeviceState) *DeviceKnown {
	return &DeviceKnown{s.Connected, s.ConnectedSince, s.Heard, s.Gateway, s.Refused, s.Limited, s.TakenOver}
}

// DeviceTable prints a line for each device.
func DeviceTable(out io.Writer, devices []Device) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tFEED\tSTATE\tSECRETS\tCONNECTED\tHEARD\tREFUSED\tTOPICS")
	for i := range devices {
		d := &devices[i]
		connected, heard, refused := d.cells()
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", d.ID, d.Feed, d.state(), d.Secrets,
			connected, heard, refused, strings.Join(d.Topics, " "))
	}
	return w.Flush()
}

func (l *Device) state() string {
	if l.Disabled {
		return "disabled"
	}
	return "enabled"
}

// cells returns what the gateways know for a table; "?" if they were not asked.
func (l *Device) cells() (connected, heard, refused string) {
	k := l.DeviceKnown
	if k == nil {
		return "?", "?", "?"
	}
	connected, heard = "no", "never"
	if k.Connected {
		connected = "since " + stamp(k.ConnectedSince)
	}
	if !k.Heard.IsZero() {
		heard = stamp(k.Heard)
	}
	return connected, heard, eventCell(k.Refused)
}

// eventCell formats an event for a table.
func eventCell(e *nhip.DeviceEvent) string {
	if e == nil {
		return "never"
	}
	return stamp(e.Time) + " " + e.Reason
}

// Print prints the device as lines of text.
func (l *Device) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	connected, heard, _ := l.cells()
	fmt.Fprintf(w, "device\t%s\nfeed\t%s\ntopics\t%s\nstate\t%s\nsecrets\t%d\nconnected\t%s\nheard\t%s\n",
		l.ID, l.Feed, strings.Join(l.Topics, " "), l.state(), l.Secrets, connected, heard)
	if k := l.DeviceKnown; k != nil {
		if k.Gateway != "" {
			fmt.Fprintf(w, "gateway\t%s\n", k.Gateway)
		}
		for _, one := range []struct {
			name  string
			event *nhip.DeviceEvent
		}{{"refused", k.Refused}, {"limited", k.Limited}, {"taken over", k.TakenOver}} {
			text := eventCell(one.event)
			if one.event != nil && one.event.Detail != "" {
				text += fmt.Sprintf(" (%s)", one.event.Detail)
			}
			fmt.Fprintf(w, "%s\t%s\n", one.name, text)
		}
	}
	return w.Flush()
}
