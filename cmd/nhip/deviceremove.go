package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/wait"
)

// deviceRemoveCmd is nhip device remove.
type deviceRemoveCmd struct {
	fleetFlags

	IDs []string `arg:"" name:"device" help:"Devices."`
}

// Timing of the wait until a running nhip has taken a removal in.
const (
	inForceWithin = 5 * time.Second
	inForcePoll   = 200 * time.Millisecond
)

// Run removes all of the devices, or none if the fleet lacks one of them, and waits until a running nhip rejects them.
func (c *deviceRemoveCmd) Run(e *env) error {
	err := c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		return fleet.Remove(path, raw, feeds, c.IDs)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "removed: %s\n", strings.Join(c.IDs, " "))
	o := operatorFlags{DataDir: c.DataDir}
	api, err := o.connect()
	if err != nil { // a nhip that runs elsewhere takes the new version in by itself
		return nil
	}
	ctx, cancel := context.WithTimeout(e.ctx, inForceWithin)
	defer cancel()
	for _, id := range c.IDs {
		for {
			_, err := api.Device(ctx, id)
			var problem *nhip.Error
			if errors.As(err, &problem) && problem.Code == nhip.CodeNotFound {
				break
			}
			if wait.Sleep(ctx, inForcePoll) != nil {
				fmt.Fprintf(e.stderr, "nhip: the running nhip has not said yet that %s is removed; see its log\n", id)
				return nil
			}
		}
	}
	fmt.Fprintln(e.stdout, "the running nhip has ended their connections")
	return nil
}
