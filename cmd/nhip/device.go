package main

import (
	"fmt"

	"nhip/internal/fleet"
	"nhip/internal/stafftext"
)

// deviceCmd is nhip device.
type deviceCmd struct {
	Add     deviceAddCmd     `cmd:"" help:"Add devices to the fleet and print their secrets once."`
	Remove  deviceRemoveCmd  `cmd:"" help:"Remove devices from the fleet and end their connections."`
	List    deviceListCmd    `cmd:"" help:"List the devices of the fleet, and what the running nhip knows of them."`
	Show    deviceShowCmd    `cmd:"" help:"Show a device of the fleet, and what the running nhip knows of it."`
	Disable deviceDisableCmd `cmd:"" help:"Reject a device and end its connection."`
	Enable  deviceEnableCmd  `cmd:"" help:"Accept a disabled device again."`
	Rotate  deviceRotateCmd  `cmd:"" help:"Give a device a second secret; with --end, remove its old one."`
}

// edit changes the fleet file. A running nhip loads the new version by itself.
func (f *fleetFlags) edit(e *env, change func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error)) error {
	feeds, path, err := f.open()
	if err != nil {
		return err
	}
	err = fleet.EditFile(path, func(raw []byte) ([]byte, error) { return change(path, raw, feeds) })
	return printFaults(e, err)
}

// deviceFlags select a device of the fleet.
type deviceFlags struct {
	fleetFlags

	ID string `arg:"" help:"Device."`
}

func (c *deviceFlags) change(e *env, change func(*fleet.Device) error) error {
	return c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		return fleet.Change(path, raw, feeds, c.ID, change)
	})
}

// deviceDisableCmd is nhip device disable.
type deviceDisableCmd struct{ deviceFlags }

// Run disables the device.
func (c *deviceDisableCmd) Run(e *env) error {
	return c.change(e, func(d *fleet.Device) error {
		d.Disabled = true
		return nil
	})
}

// deviceEnableCmd is nhip device enable.
type deviceEnableCmd struct{ deviceFlags }

// Run enables the device.
func (c *deviceEnableCmd) Run(e *env) error {
	return c.change(e, func(d *fleet.Device) error {
		d.Disabled = false
		return nil
	})
}

// deviceRotateCmd is nhip device rotate.
type deviceRotateCmd struct {
	deviceFlags

	End  bool `help:"End the rotation: remove the old secret."`
	JSON bool `help:"Print a JSON object."`
}

// Run begins or ends a rotation.
func (c *deviceRotateCmd) Run(e *env) error {
	if c.End {
		return c.change(e, endRotation)
	}
	secret := fleet.NewSecret()
	err := c.change(e, func(d *fleet.Device) error {
		if len(d.Secrets) == fleet.MaxSecrets {
			return fmt.Errorf("%s has two secrets already; end that rotation first (nhip device rotate %s --end)", d.ID, d.ID)
		}
		d.Secrets = append(d.Secrets, fleet.Digest(secret))
		if d.Mosquitto != "" {
			d.Mosquitto = fleet.MosquittoDigest(secret)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return stafftext.Secrets(e.stdout, e.stderr, []stafftext.Secret{{ID: c.ID, Secret: secret}}, c.JSON, false)
}

// endRotation leaves a device only its newest secret.
func endRotation(d *fleet.Device) error {
	if len(d.Secrets) < fleet.MaxSecrets {
		return fmt.Errorf("%s has no second secret; begin with nhip device rotate %s", d.ID, d.ID)
	}
	d.Secrets = d.Secrets[len(d.Secrets)-1:]
	return nil
}
