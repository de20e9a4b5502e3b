package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"nhip/internal/fleet"
	"nhip/internal/stafftext"
)

// deviceAddCmd is nhip device add.
type deviceAddCmd struct {
	fleetFlags

	ID        string   `arg:"" optional:"" help:"Device: the id of its vehicle or station."`
	Feed      string   `help:"${help_device_feed}" placeholder:"FEED"`
	CSV       string   `help:"${help_device_csv}" type:"path" placeholder:"FILE"`
	Topic     []string `help:"${help_device_topic}" placeholder:"FILTER"`
	Mosquitto bool     `help:"${help_device_mosquitto}"`
	Secret    bool     `help:"${help_device_secret}" default:"true" negatable:""`
	JSON      bool     `help:"Print a JSON object for each device."`
}

// Run adds the devices and prints their secrets. Either all devices are added, or none.
func (c *deviceAddCmd) Run(e *env) error {
	table, err := c.devices()
	if err != nil {
		return err
	}
	devices := table.Devices
	secrets := make([]stafftext.Secret, len(devices))
	for i := range devices {
		secrets[i].ID = devices[i].ID
		if c.Secret {
			secrets[i].Secret = fleet.NewSecret()
			devices[i].Secrets = []string{fleet.Digest(secrets[i].Secret)}
		}
		if c.Secret && c.Mosquitto {
			devices[i].Mosquitto = fleet.MosquittoDigest(secrets[i].Secret)
		}
	}
	err = c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		text, err := fleet.AddAll(path, raw, feeds, devices)
		return text, table.WithFaults(err)
	})
	var faults fleet.AddFaults
	switch {
	case errors.As(err, &faults) && c.CSV != "":
		return c.printLines(e, faults, table.Lines)
	case errors.As(err, &faults):
		return faults[0].Err
	case err != nil:
		return err
	}
	return stafftext.Secrets(e.stdout, e.stderr, secrets, c.JSON, c.CSV != "")
}

// printLines prints the faults of a table, each with its line.
func (c *deviceAddCmd) printLines(e *env, faults fleet.AddFaults, lines []int) error {
	for _, f := range faults {
		for line := range strings.Lines(f.Err.Error()) {
			fmt.Fprintf(e.stderr, "%s:%d: %s\n", c.CSV, lines[f.Index], strings.TrimSuffix(line, "\n"))
		}
	}
	return fmt.Errorf("%s: no device is added, because %d of %d have faults", c.CSV, len(faults), len(lines))
}

// devices returns the devices to add.
func (c *deviceAddCmd) devices() (*fleet.Table, error) {
	switch {
	case c.CSV != "" && c.ID != "":
		return nil, errors.New("--csv: has the devices; leave out the device on the command line")
	case c.CSV != "":
		raw, err := os.ReadFile(c.CSV)
		if err != nil {
			return nil, fmt.Errorf("--csv: %w", err)
		}
		return fleet.ReadTable(c.CSV, raw, fleet.Device{Feed: c.Feed, Topics: c.Topic})
	case c.ID == "":
		return nil, errors.New("expected a device, or a table of devices with --csv FILE")
	case c.Feed == "":
		return nil, errors.New("--feed: is required: a configured feed, as in position")
	}
	return &fleet.Table{Devices: []fleet.Device{{ID: c.ID, Feed: c.Feed, Topics: c.Topic}}}, nil
}
