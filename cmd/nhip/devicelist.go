package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"nhip"
	"nhip/client"
	"nhip/internal/fleet"
	"nhip/internal/stafftext"
)

// deviceStateFlags select what is shown of devices.
type deviceStateFlags struct {
	fleetFlags

	URL  string `help:"${help_operator_url}" placeholder:"URL"`
	JSON bool   `help:"Print a JSON object for each device."`
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
	devices := make([]stafftext.Device, len(f.Devices))
	for i := range f.Devices {
		devices[i] = stafftext.NewDevice(&f.Devices[i], feeds)
		devices[i].DeviceKnown = known[devices[i].ID]
	}
	if !c.JSON {
		return stafftext.DeviceTable(e.stdout, devices)
	}
	lines := json.NewEncoder(e.stdout)
	for i := range devices {
		if err := lines.Encode(devices[i]); err != nil {
			return err
		}
	}
	return nil
}

// known returns what the gateways know, by device.
func (c *deviceListCmd) known(e *env) map[string]*stafftext.DeviceKnown {
	known := make(map[string]*stafftext.DeviceKnown)
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
			known[page.Devices[i].ID] = stafftext.NewDeviceKnown(&page.Devices[i])
		}
		if page.Next == "" && len(page.Silent) > 0 {
			fmt.Fprintf(e.stderr, "nhip: %v\n", errIncomplete(page.Silent))
		}
	}
	return known
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
	line := stafftext.NewDevice(d, feeds)
	api, err := c.connect()
	if err == nil {
		var state *nhip.DeviceState
		if state, err = api.Device(e.ctx, c.ID); err == nil {
			line.DeviceKnown = stafftext.NewDeviceKnown(state)
		}
	}
	if err != nil {
		c.unknown(e, err)
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(line)
	}
	return line.Print(e.stdout)
}
