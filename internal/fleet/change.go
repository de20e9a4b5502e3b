package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"nhip"
)

// Changes are what staff have set over the web, by the id of the device.
type Changes map[string]nhip.DeviceChange

// ChangeState says what a change does.
type ChangeState string

// The states of a change.
const (
	ChangeInForce    ChangeState = "in_force"
	ChangeSuperseded ChangeState = "superseded" // the entry of the file was edited later
	ChangeInvalid    ChangeState = "invalid"    // it names a feed that is not configured, or one without a topic for it
)

// EntryOf returns the entry of a device.
func EntryOf(d *Device) nhip.DeviceEntry {
	return nhip.DeviceEntry{
		Feed: d.Feed, Topics: slices.Clone(d.Topics), Rate: d.Rate, Secrets: slices.Clone(d.Secrets), Mosquitto: d.Mosquitto,
		Disabled: d.Disabled,
	}
}

// deviceOf returns the device of an entry.
func deviceOf(id string, e *nhip.DeviceEntry) Device {
	return Device{
		ID: id, Feed: e.Feed, Topics: e.Topics, Rate: e.Rate, Secrets: e.Secrets, Mosquitto: e.Mosquitto,
		Disabled: e.Disabled,
	}
}

// Base returns the digest of the entry of a file that tells its versions apart; "" for no entry.
func Base(d *Device) string {
	if d == nil {
		return ""
	}
	raw, err := json.Marshal(EntryOf(d)) // never fails for texts and numbers
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// CheckEntry returns an error, which names the key and the rule, if a device can't have an entry.
func CheckEntry(id string, e *nhip.DeviceEntry, feeds Feeds) error {
	return check(deviceOf(id, e), feeds)
}

// With returns a fleet with the changes that are in force, and the state of each. The fleet itself stays as it is.
func (f *Fleet) With(changes Changes, feeds Feeds) (*Fleet, map[string]ChangeState) {
	states := make(map[string]ChangeState, len(changes))
	if len(changes) == 0 {
		return f, states
	}
	out := *f
	out.Devices = nil
	known := make(map[string]bool, len(f.Devices))
	for i := range f.Devices {
		d := &f.Devices[i]
		known[d.ID] = true
		if c, changed := changes[d.ID]; changed {
			states[d.ID] = stateOf(d.ID, &c, d, feeds)
		}
		out.Devices = appendChanged(out.Devices, d, changes[d.ID], states[d.ID])
	}
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[id]; !known[id] {
			if states[id] = stateOf(id, &c, nil, feeds); states[id] == ChangeInForce {
				out.Devices = append(out.Devices, deviceOf(id, &c.DeviceEntry))
			}
		}
	}
	return &out, states
}

// appendChanged appends a device of the file as a change leaves it.
func appendChanged(all []Device, d *Device, c nhip.DeviceChange, state ChangeState) []Device {
	switch {
	case state != ChangeInForce:
		return append(all, *d)
	case c.Removed:
		return all
	}
	return append(all, deviceOf(d.ID, &c.DeviceEntry))
}

// stateOf returns the state of a change of a device; d is its entry in the file, nil if there is none.
func stateOf(id string, c *nhip.DeviceChange, d *Device, feeds Feeds) ChangeState {
	switch {
	case c.Base != Base(d):
		return ChangeSuperseded
	case !c.Removed && CheckEntry(id, &c.DeviceEntry, feeds) != nil:
		return ChangeInvalid
	}
	return ChangeInForce
}

// Agencies returns a function that tells the agency of a device that is a bus: that of the vehicle with its id, or else
// that of its feed if the feed is one of buses and no station has its id. It returns "" for others.
func (f *Fleet) Agencies(feeds Feeds) func(id, feed string) string {
	vehicles, stations := make(map[string]string, len(f.Vehicles)), make(map[string]bool, len(f.Stations))
	for _, v := range f.Vehicles {
		vehicles[v.ID] = v.Agency
	}
	for i := range f.Stations {
		stations[f.Stations[i].ID] = true
	}
	return func(id, feed string) string {
		agency, isVehicle := vehicles[id]
		switch {
		case agency != "":
			return agency
		case isVehicle, !stations[id] && slices.Contains(busFormats, feeds[feed].Format):
			return feeds[feed].Agency
		}
		return ""
	}
}

// busFormats are the formats that only buses send.
var busFormats = []string{"position", "hfp", "ufms", "ufms-bus", "gtfs-rt"}

// DiffChanges compares a fleet file with what staff have changed over the web: a line for each device and for each
// calibration, as Diff has them, with who changed it and when, and one for each change that a later edit of the file
// has superseded.
func DiffChanges(file *Fleet, changes *nhip.FleetChanges) []string {
	return append(diffDevices(file, changes.Changes), diffCalibrations(file, changes.Calibrations)...)
}

// madeBy returns the end of a line about a change over the web.
func madeBy(by string, at time.Time) string {
	return fmt.Sprintf(" (over the web by %s, %s)", by, at.UTC().Format(time.RFC3339))
}

func diffDevices(file *Fleet, changes []nhip.MadeChange) (lines []string) {
	for i := range changes {
		c := &changes[i]
		made := madeBy(c.By, c.Time)
		d := file.Device(c.ID)
		if c.Base != Base(d) {
			lines = append(lines, "! device "+c.ID+": the file was edited later and wins"+made)
			continue
		}
		var before, after Fleet
		if d != nil {
			short := *d
			short.Secrets = nil
			for _, s := range d.Secrets {
				short.Secrets = append(short.Secrets, nhip.ShortSecret(s))
			}
			before.Devices = []Device{short}
		}
		if !c.Removed {
			after.Devices = []Device{deviceOf(c.ID, &c.DeviceEntry)}
		}
		for _, line := range Diff(&before, &after) {
			lines = append(lines, line+made)
		}
	}
	return lines
}
