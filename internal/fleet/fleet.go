// Package fleet reads the fleet file: who belongs to the city. Stations and vehicles are what its people
// know; devices are who may speak, as what, and with which secret. The file is strict: a key that is not
// known, or a value that can't be, is an error with its line.
package fleet

import (
	"slices"
	"time"

	"nhip"
)

// Fleet is all that a fleet file says.
type Fleet struct {
	Stations []Station
	Vehicles []Vehicle
	Devices  []Device
}

// Kinds of stations: what a value of theirs is worth.
const (
	Reference = "reference" // an instrument that the law accepts
	LowCost   = "low-cost"  // an optical or electrochemical sensor
)

// Who may know where a station stands.
const (
	Public  = "public"
	Private = "private" // on somebody's balcony
)

// Station is a monitor that stands somewhere.
type Station struct {
	ID         string        `json:"id"`
	Name       nhip.Name     `json:"name,omitzero"`
	At         []float64     `json:"at,omitempty"`     // lon, lat in degrees (WGS84); empty: where it says it is
	Mobile     bool          `json:"mobile,omitempty"` // rides on a bus: each reading is of where it was taken
	Owner      string        `json:"owner,omitempty"`
	Kind       string        `json:"kind"`
	Position   string        `json:"position"`           // Public or Private
	Period     time.Duration `json:"period_ns,omitzero"` // how often it reports; 0: as its readings say
	Zone       string        `json:"zone,omitempty"`     // IANA name
	Area       string        `json:"area,omitempty"`     // by which reports are made: a district, a ward, a school
	Quantities []Quantity    `json:"quantities,omitempty"`
}

// Quantity is what a station measures.
type Quantity struct {
	Name        nhip.Quantity `json:"name"`
	Calibration []Calibration `json:"calibration,omitempty"` // by From, rising
	Correction  string        `json:"correction,omitempty"`  // name of a rule; empty: none
}

// Calibration is the line that turns what an instrument says into what it should have said, from a moment
// on: Slope × value + Offset, in the quantity's unit.
type Calibration struct {
	From   time.Time `json:"from"`
	Slope  float64   `json:"slope"`
	Offset float64   `json:"offset"`
}

// Vehicle is a bus.
type Vehicle struct {
	ID       string        `json:"id"`
	Plate    string        `json:"plate,omitempty"`
	Agency   string        `json:"agency,omitempty"` // empty: its feed's
	Line     string        `json:"line,omitempty"`   // that it usually drives
	Interval time.Duration `json:"interval_ns,omitzero"`
}

// Device is somebody who may speak. Its topics name it: a device's id is the id of the vehicle or the
// station that it speaks for. One with topics of its own is a bridge: a depot's gateway, a network server.
type Device struct {
	ID       string
	Feed     string   // name of a feed of the configuration
	Topics   []string // MQTT filters under which it may publish; empty: the feed's, for this device alone
	Secrets  []string // at most MaxSecrets, each as Digest makes it; none: it shows a certificate
	Rate     int64    // messages a second that it may say; 0: as any
	Disabled bool

	Mosquitto string // how Mosquitto keeps the newest secret; empty: it is not meant to log in there
}

// MaxSecrets is how many secrets of a device are valid at a time: the old and the new one while the box
// in the street still has the old.
const MaxSecrets = 2

// Device returns a device by its id; nil where there is none.
func (f *Fleet) Device(id string) *Device {
	if i := slices.IndexFunc(f.Devices, func(d Device) bool { return d.ID == id }); i >= 0 {
		return &f.Devices[i]
	}
	return nil
}
