package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/fleet"
)

// deviceStateFlags select what is shown of devices.
type deviceStateFlags struct {
	fleetFlags

	URL  string `help:"${help_operator_url}" placeholder:"URL"`
	JSON bool   `help:"Print a JSON object for each device."`
}

// deviceLine is the JSON object of a device: what the fleet file says, and what the gateways know if they were asked.
type deviceLine struct {
	ID       string   `json:"id"`
	Feed     string   `json:"feed"`
	Topics   []string `json:"topics"`
	Secrets  int      `json:"secrets"`
	Disabled bool     `json:"disabled"`

	*deviceKnown
}

// deviceKnown is what the gateways know of a device.
type deviceKnown struct {
	Connected      bool              `json:"connected"`
	ConnectedSince time.Time         `json:"connected_since,omitzero"`
	Heard          time.Time         `json:"heard,omitzero"`
	Gateway        string            `json:"gateway,omitempty"`
	Refused        *nhip.DeviceEvent `json:"refused,omitempty"`
	Limited        *nhip.DeviceEvent `json:"limited,omitempty"`
	TakenOver      *nhip.DeviceEvent `json:"taken_over,omitempty"`
}

// load reads the fleet file.
func (c *deviceStateFlags) load(e *env) (*fleet.Fleet, fleet.Feeds, error) {
	feeds, path, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	f, err := fleet.Load(path, feeds)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w; nhip device add makes one", err)
	}
	if err != nil {
		return nil, nil, printFaults(e, err)
	}
	return f, feeds, nil
}

// connect returns a client of the running nhip. Without one, or if it does not answer, the fleet file is shown alone.
func (c *deviceStateFlags) connect() (*client.Client, error) {
	o := operatorFlags{URL: c.URL, DataDir: c.DataDir}
	return o.connect()
}

// unknown says why nothing is known of connections.
func (c *deviceStateFlags) unknown(e *env, err error) {
	fmt.Fprintf(e.stderr, "nhip: only the fleet file is shown; connections are not known: %v\n", err)
}

func lineOf(d *fleet.Device, feeds fleet.Feeds) deviceLine {
	return deviceLine{ID: d.ID, Feed: d.Feed, Topics: feeds.Topics(d), Secrets: len(d.Secrets), Disabled: d.Disabled}
}

func knownOf(s *nhip.DeviceState) *deviceKnown {
	return &deviceKnown{s.Connected, s.ConnectedSince, s.Heard, s.Gateway, s.Refused, s.Limited, s.TakenOver}
}

// deviceListCmd is nhip device list.
type deviceListCmd struct{ deviceStateFlags }

// maxDevicesPage is the most devices that the API answers with.
const maxDevicesPage = 1000

// Run lists the devices.
func (c *deviceListCmd) Run(e *env) error {
	f, feeds, err := c.load(e)
	if err != nil {
		return err
	}
	known := c.known(e)
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, "DEVICE\tFEED\tSTATE\tSECRETS\tCONNECTED\tHEARD\tREFUSED\tTOPICS")
	}
	for i := range f.Devices {
		line := lineOf(&f.Devices[i], feeds)
		line.deviceKnown = known[line.ID]
		if c.JSON {
			if err := json.NewEncoder(e.stdout).Encode(line); err != nil {
				return err
			}
			continue
		}
		connected, heard, refused := line.cells()
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", line.ID, line.Feed, line.state(), line.Secrets,
			connected, heard, refused, strings.Join(line.Topics, " "))
	}
	return w.Flush()
}

// known returns what the gateways know, by device.
func (c *deviceListCmd) known(e *env) map[string]*deviceKnown {
	known := make(map[string]*deviceKnown)
	api, err := c.connect()
	if err != nil {
		c.unknown(e, err)
		return nil
	}
	for page, err := range api.DevicePages(e.ctx, client.DeviceQuery{Limit: maxDevicesPage}) {
		if err != nil {
			c.unknown(e, err)
			return nil
		}
		for i := range page.Devices {
			known[page.Devices[i].ID] = knownOf(&page.Devices[i])
		}
		if page.Next == "" && len(page.Silent) > 0 {
			fmt.Fprintf(e.stderr, "nhip: %v\n", errIncomplete(page.Silent))
		}
	}
	return known
}

func (l *deviceLine) state() string {
	if l.Disabled {
		return "disabled"
	}
	return "enabled"
}

// cells returns what the gateways know for a table; "?" if they were not asked.
func (l *deviceLine) cells() (connected, heard, refused string) {
	k := l.deviceKnown
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

// deviceShowCmd is nhip device show.
type deviceShowCmd struct {
	deviceStateFlags

	ID string `arg:"" help:"Device."`
}

// Run shows the device.
func (c *deviceShowCmd) Run(e *env) error {
	f, feeds, err := c.load(e)
	if err != nil {
		return err
	}
	d := f.Device(c.ID)
	if d == nil {
		return fmt.Errorf("the fleet contains no device %q", c.ID)
	}
	line := lineOf(d, feeds)
	api, err := c.connect()
	if err == nil {
		var state *nhip.DeviceState
		if state, err = api.Device(e.ctx, c.ID); err == nil {
			line.deviceKnown = knownOf(state)
		}
	}
	if err != nil {
		c.unknown(e, err)
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(line)
	}
	return line.print(e.stdout)
}

// print prints the device as lines of text.
func (l *deviceLine) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	connected, heard, _ := l.cells()
	fmt.Fprintf(w, "device\t%s\nfeed\t%s\ntopics\t%s\nstate\t%s\nsecrets\t%d\nconnected\t%s\nheard\t%s\n",
		l.ID, l.Feed, strings.Join(l.Topics, " "), l.state(), l.Secrets, connected, heard)
	if k := l.deviceKnown; k != nil {
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
