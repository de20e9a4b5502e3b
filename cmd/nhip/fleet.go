package main

import (
	"errors"
	"fmt"
	"os"

	"nhip/app"
	"nhip/internal/config"
	"nhip/internal/fleet"
)

// fleetCmd is nhip fleet.
type fleetCmd struct {
	Diff fleetDiffCmd `cmd:"" help:"Show what a new fleet file changes, or what staff have changed beside it."`
}

// fleetDiffCmd is nhip fleet diff.
type fleetDiffCmd struct {
	Old string `arg:"" help:"Old fleet file." type:"existingfile"`
	New string `arg:"" optional:"" help:"New fleet file; default: the changes over the web." type:"existingfile"`
	operatorFlags
	Config string `help:"${help_feeds_config}" type:"path" placeholder:"FILE"`
}

// Run prints a line for each entry that was added, removed or changed, or every fault of the two files.
func (c *fleetDiffCmd) Run(e *env) error {
	set := config.Load(config.Sources{Path: c.Config, Environ: os.Environ()})
	if err := set.Err(); err != nil {
		return err
	}
	feeds := app.FleetFeeds(&set.Config)
	old, oldFaults := fleet.Load(c.Old, feeds)
	if c.New == "" && oldFaults == nil {
		return c.changes(e, old)
	}
	updated, newFaults := fleet.Load(c.New, feeds)
	if err := errors.Join(oldFaults, newFaults); err != nil {
		return printFaults(e, err)
	}
	for _, line := range fleet.Diff(old, updated) {
		fmt.Fprintln(e.stdout, line)
	}
	return nil
}

// changes prints what staff have changed over the web beside a file.
func (c *fleetDiffCmd) changes(e *env, file *fleet.Fleet) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	changes, err := api.FleetChanges(e.ctx)
	if err != nil {
		return err
	}
	for _, line := range fleet.DiffChanges(file, changes) {
		fmt.Fprintln(e.stdout, line)
	}
	return nil
}

// fleetFlags select a fleet.
type fleetFlags struct {
	Fleet   string `help:"Fleet file (fleet); default: that of the data folder." type:"path" placeholder:"FILE"`
	DataDir string `help:"${help_fleet_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config  string `help:"${help_feeds_config}" type:"path" placeholder:"FILE"`
}

// open returns the feeds that the fleet refers to and the path of its file.
func (f *fleetFlags) open() (feeds fleet.Feeds, path string, err error) {
	set := config.Load(config.Sources{
		Path: f.Config, Environ: os.Environ(),
		Flags: []config.Flag{{Name: "--fleet", Key: "fleet", Value: f.Fleet}},
	})
	path, _ = app.FleetPath(&set.Config, f.DataDir)
	return app.FleetFeeds(&set.Config), path, set.Err()
}
