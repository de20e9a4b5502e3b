package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"nhip/internal/config"
	"nhip/internal/durable"
	"nhip/internal/fleet"

	"golang.org/x/sys/unix"
)

// deviceCmd is nhip device.
type deviceCmd struct {
	Add     deviceAddCmd     `cmd:"" help:"Add a device to the fleet, and print its secret, once."`
	List    deviceListCmd    `cmd:"" help:"List the devices of the fleet."`
	Disable deviceDisableCmd `cmd:"" help:"Let a device in no more, and end its connection."`
	Enable  deviceEnableCmd  `cmd:"" help:"Let a device in again."`
	Rotate  deviceRotateCmd  `cmd:"" help:"Give a device a new secret beside its old one; with --end, end the old one."`
}

// fleetFlags say which fleet is meant.
type fleetFlags struct {
	Fleet   string `help:"The fleet file (fleet); default: that of the data folder." type:"path" placeholder:"FILE"`
	DataDir string `help:"Data folder, for its fleet." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config  string `help:"Configuration file (YAML), for its feeds." type:"path" placeholder:"FILE"`
}

// open returns the configuration and where the fleet is.
func (f *fleetFlags) open() (*config.Config, string, error) {
	set := config.Load(config.Sources{Path: f.Config, Environ: os.Environ(), Flags: []config.Flag{{Name: "--fleet", Key: "fleet", Value: f.Fleet}}})
	path, _ := fleetPath(&set.Config, f.DataDir)
	return &set.Config, path, set.Err()
}

// edit changes the fleet file. A running nhip takes the new version up by itself.
func (f *fleetFlags) edit(e *env, change func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error)) error {
	conf, path, err := f.open()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("can't read the fleet: %w", err)
	}
	changed, err := change(path, raw, fleetFeeds(conf))
	if err != nil {
		return tellFaults(e, err)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays one
	}
	return durable.WriteFile(path, changed)
}

// lockFile waits until nobody else changes the file that the lock stands beside.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks
}

// deviceAddCmd is nhip device add.
type deviceAddCmd struct {
	fleetFlags

	ID        string   `arg:"" help:"The device: the id of the vehicle or station that it speaks for."`
	Feed      string   `required:"" help:"The feed of the configuration that it belongs to."`
	Topic     []string `help:"MQTT filter under which it may publish, where the feed does not tell one device's; may be repeated." placeholder:"FILTER"`
	Mosquitto bool     `help:"Also keep what Mosquitto makes of the secret, for nhip broker-config."`
	Secret    bool     `help:"Give it a secret; a device that shows a certificate needs none." default:"true" negatable:""`
}

// Run adds the device.
func (c *deviceAddCmd) Run(e *env) error {
	secret := fleet.NewSecret()
	d := fleet.Device{ID: c.ID, Feed: c.Feed, Topics: c.Topic}
	if c.Secret {
		d.Secrets = []string{fleet.Digest(secret)}
		if c.Mosquitto {
			d.Mosquitto = fleet.MosquittoDigest(secret)
		}
	}
	err := c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		return fleet.Add(path, raw, feeds, d)
	})
	if err != nil || !c.Secret {
		return err
	}
	return tellSecret(e, c.ID, secret)
}

// tellSecret prints a secret: the only time that anybody sees it.
func tellSecret(e *env, id, secret string) error {
	fmt.Fprintf(e.stderr, "user name and client id: %s; the secret is shown this once\n", id)
	_, err := fmt.Fprintf(e.stdout, "secret: %s\n", secret)
	return err
}

// deviceListCmd is nhip device list.
type deviceListCmd struct {
	fleetFlags

	JSON bool `help:"As JSON lines."`
}

// deviceLine is one device as it is listed.
type deviceLine struct {
	ID       string   `json:"id"`
	Feed     string   `json:"feed"`
	Topics   []string `json:"topics"`
	Secrets  int      `json:"secrets"`
	Disabled bool     `json:"disabled"`
}

// Run lists the devices.
func (c *deviceListCmd) Run(e *env) error {
	conf, path, err := c.open()
	if err != nil {
		return err
	}
	f, err := fleet.Load(path, fleetFeeds(conf))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; nhip device add makes one", err)
	}
	if err != nil {
		return tellFaults(e, err)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, "DEVICE\tFEED\tSTATE\tSECRETS\tTOPICS")
	}
	for i := range f.Devices {
		d := &f.Devices[i]
		line := deviceLine{d.ID, d.Feed, fleetFeeds(conf).Topics(d), len(d.Secrets), d.Disabled}
		if c.JSON {
			if err := json.NewEncoder(e.stdout).Encode(line); err != nil {
				return err
			}
			continue
		}
		state := "enabled"
		if d.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", line.ID, line.Feed, state, line.Secrets, strings.Join(line.Topics, " "))
	}
	return w.Flush()
}

// oneDevice is a device that is there.
type oneDevice struct {
	fleetFlags

	ID string `arg:"" help:"The device."`
}

func (c *oneDevice) change(e *env, change func(*fleet.Device) error) error {
	return c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		return fleet.Change(path, raw, feeds, c.ID, change)
	})
}

// deviceDisableCmd is nhip device disable.
type deviceDisableCmd struct{ oneDevice }

// Run disables the device.
func (c *deviceDisableCmd) Run(e *env) error {
	return c.change(e, func(d *fleet.Device) error {
		d.Disabled = true
		return nil
	})
}

// deviceEnableCmd is nhip device enable.
type deviceEnableCmd struct{ oneDevice }

// Run enables the device.
func (c *deviceEnableCmd) Run(e *env) error {
	return c.change(e, func(d *fleet.Device) error {
		d.Disabled = false
		return nil
	})
}

// deviceRotateCmd is nhip device rotate.
type deviceRotateCmd struct {
	oneDevice

	End bool `help:"End the rotation: the old secret opens no more."`
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
	return tellSecret(e, c.ID, secret)
}

// endRotation leaves a device its newest secret.
func endRotation(d *fleet.Device) error {
	if len(d.Secrets) < fleet.MaxSecrets {
		return fmt.Errorf("%s has no second secret; begin with nhip device rotate %s", d.ID, d.ID)
	}
	d.Secrets = d.Secrets[len(d.Secrets)-1:]
	return nil
}
