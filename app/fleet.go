package app

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"

	"nhip/internal/config"
	"nhip/internal/fleet"
	"nhip/internal/health"
)

// fleetFile is the name of the fleet file in a data folder.
const fleetFile = "fleet.yaml"

// fleetCopy is the name of the copy of the version in force, in a data folder.
const fleetCopy = "fleet-in-force.yaml"

// fleetChangesFile is the name of the copy of what staff have changed over the web, in a data folder.
const fleetChangesFile = "fleet-changes.json"

// FleetFeeds returns the configured feeds by the names that a fleet file uses: a feed's name or else its format. If
// two feeds without a name have the same format, the fleet can refer to neither.
func FleetFeeds(c *config.Config) fleet.Feeds {
	feeds := make(fleet.Feeds)
	count := make(map[string]int)
	for _, f := range c.Feeds {
		name := cmp.Or(f.Name, f.Format)
		if count[name]++; f.Name != "" || count[name] == 1 {
			feeds[name] = fleet.Feed{Topic: f.Topic, Format: f.Format, Agency: f.Agency}
		} else {
			delete(feeds, name)
		}
	}
	return feeds
}

// FleetPath returns the path of the fleet file. Only the data folder's own file may be missing.
func FleetPath(c *config.Config, dataDir string) (path string, optional bool) {
	if c.Fleet != "" {
		return c.Fleet, false
	}
	return filepath.Join(dataDir, fleetFile), true
}

// LoadFleet reads the fleet that is in force. It is empty if the data folder has no fleet file.
func LoadFleet(c *config.Config, dataDir string) (*fleet.Fleet, error) {
	path, optional := FleetPath(c, dataDir)
	f, err := fleet.Load(path, FleetFeeds(c))
	if optional && errors.Is(err, fs.ErrNotExist) {
		return new(fleet.Fleet), nil
	}
	return f, err
}

// watchFleet reads the fleet, and calls apply with this version and with each later one until the role stops.
func (r *runtime) watchFleet(apply func(*fleet.Fleet)) (*fleet.Watch, error) {
	path, optional := FleetPath(&r.conf, r.dir.Path())
	w, err := fleet.NewWatch(fleet.WatchOptions{
		Path: path, Optional: optional, Feeds: FleetFeeds(&r.conf), Logger: r.log, Registry: r.registry,
		Copy: r.dir.Path(fleetCopy), Changes: r.dir.Path(fleetChangesFile),
	})
	if err != nil {
		return nil, err
	}
	w.OnChange(apply)
	r.run("the fleet", w.Run)
	return w, nil
}

// fleetCheck returns a readiness check that fails while the fleet file is not in force.
func (r *runtime) fleetCheck(w *fleet.Watch) health.Check {
	return health.Check{Name: "fleet", Optional: true, OK: w.Current}
}
