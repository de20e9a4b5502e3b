package main

import (
	"fmt"
	"strings"

	"nhip/internal/fleet"
	"nhip/internal/running"
)

// deviceRemoveCmd is nhip device remove.
type deviceRemoveCmd struct {
	fleetFlags

	IDs []string `arg:"" name:"device" help:"Devices."`
}

// Run removes all of the devices, or none if the fleet lacks one of them, and waits until a running nhip rejects them.
func (c *deviceRemoveCmd) Run(e *env) error {
	err := c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		return fleet.Remove(path, raw, feeds, c.IDs)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "removed: %s\n", strings.Join(c.IDs, " "))
	api, err := running.API("", c.DataDir)
	if err != nil { // a nhip that runs elsewhere takes the new version in by itself
		return nil
	}
	if id := running.AwaitRemoved(e.ctx, api, c.IDs); id != "" {
		fmt.Fprintf(e.stderr, "nhip: the running nhip has not said yet that %s is removed; see its log\n", id)
		return nil
	}
	fmt.Fprintln(e.stdout, "the running nhip has ended their connections")
	return nil
}
