package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nhip/internal/config"
	"nhip/internal/fleet"
	"nhip/internal/settings"
)

// fleetFile is the fleet's file in a data folder.
const fleetFile = "fleet.yaml"

// fleetFeeds are the feeds by what the fleet calls them. Of two without a name and with one format, neither
// can be called by it.
func fleetFeeds(c *config.Config) fleet.Feeds {
	feeds := make(fleet.Feeds)
	times := make(map[string]int)
	for _, f := range c.Feeds {
		name := cmp.Or(f.Name, f.Format)
		if times[name]++; f.Name != "" || times[name] == 1 {
			feeds[name] = fleet.Feed{Topic: f.Topic, Format: f.Format}
		} else {
			delete(feeds, name)
		}
	}
	return feeds
}

// fleetPath is where the fleet is, and whether it may be missing.
func fleetPath(c *config.Config, dataDir string) (path string, optional bool) {
	if c.Fleet != "" {
		return c.Fleet, false
	}
	return filepath.Join(dataDir, fleetFile), true
}

// readFleet reads the fleet that holds; an empty one where there is none.
func readFleet(c *config.Config, dataDir string) (*fleet.Fleet, error) {
	path, optional := fleetPath(c, dataDir)
	f, err := fleet.Load(path, fleetFeeds(c))
	if optional && errors.Is(err, fs.ErrNotExist) {
		return new(fleet.Fleet), nil
	}
	return f, err
}

// watchFleet reads the fleet, and hands each of its versions on for as long as the process lives.
func (p *process) watchFleet(apply ...func(*fleet.Fleet)) error {
	path, optional := fleetPath(&p.conf, p.dir.Path())
	w, err := fleet.NewWatch(fleet.WatchOptions{
		Path: path, Optional: optional, Feeds: fleetFeeds(&p.conf), Logger: p.log, Registry: p.registry,
	})
	if err != nil {
		return err
	}
	for _, f := range apply {
		w.OnChange(f)
	}
	p.run("the fleet", w.Run)
	p.fleet = w
	return nil
}

// fleetCmd is nhip fleet.
type fleetCmd struct {
	Diff fleetDiffCmd `cmd:"" help:"Show what one version of a fleet file makes of another."`
}

// fleetDiffCmd is nhip fleet diff.
type fleetDiffCmd struct {
	Old    string `arg:"" help:"The fleet file before." type:"existingfile"`
	New    string `arg:"" help:"The fleet file after." type:"existingfile"`
	Config string `help:"Configuration file (YAML), for its feeds." type:"path" placeholder:"FILE"`
}

// Run prints a line for each thing that came, went or changed, or every fault of the two.
func (c *fleetDiffCmd) Run(e *env) error {
	conf, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	var both [2]*fleet.Fleet
	var faults []error
	for i, path := range []string{c.Old, c.New} {
		both[i], err = fleet.Load(path, fleetFeeds(conf))
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return tellFaults(e, err)
	}
	for _, line := range fleet.Diff(both[0], both[1]) {
		fmt.Fprintln(e.stdout, line)
	}
	return nil
}

// loadConfig is the configuration that holds for a tool.
func loadConfig(path string) (*config.Config, error) {
	set := config.Load(config.Sources{Path: path, Environ: os.Environ()})
	return &set.Config, set.Err()
}

// tellFaults prints faults as they are, so that an editor finds the lines.
func tellFaults(e *env, err error) error {
	if faults := settings.Faults(nil); !errors.As(err, &faults) {
		return err
	}
	fmt.Fprintln(e.stderr, err)
	return errFaulty
}
