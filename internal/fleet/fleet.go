// Package fleet reads the fleet file, which lists stations, vehicles and devices. Stations and vehicles are described
// for people; devices are the clients that may publish, with their topics and secrets. The file is strict: an unknown
// key or an invalid value is an error with its line.
package fleet

import (
	"slices"
	"time"

	"nhip"
)

// Fleet is the content of a fleet file.
type Fleet struct {
	Stations []Station
	Vehicles []Vehicle
	Devices  []Device
}

func (f *Fleet) empty() bool { return len(f.Stations)+len(f.Vehicles)+len(f.Devices) == 0 }

// Kinds of stations, by the quality of their values.
const (
	Reference = "reference" // an instrument that regulation accepts
	LowCost   = "low-cost"  // an optical or electrochemical sensor
)

// Values of Station.Position: whether the position of a station is public.
const (
	Public  = "public"
	Private = "private" // in a private home
)

// Station is a place where an instrument measures the air.
type Station struct {
	ID         string             `json:"id"`
	Name       nhip.LocalizedText `json:"name,omitzero"`
	At         []float64          `json:"at,omitempty"`     // lon, lat in degrees (WGS84); empty: as its readings say
	Mobile     bool               `json:"mobile,omitempty"` // on a vehicle: each reading carries its position
	Owner      string             `json:"owner,omitempty"`
	Kind       string             `json:"kind"`
	Position   string             `json:"position"`           // Public or Private
	Period     time.Duration      `json:"period_ns,omitzero"` // between readings; 0: as its readings say
	Zone       string             `json:"zone,omitempty"`     // IANA name
	Area       string             `json:"area,omitempty"`     // for reports and alerts: a district, a ward, a school
	Quantities []Quantity         `json:"quantities,omitempty"`
}

// Quantity is a quantity that a station measures.
type Quantity struct {
	Name        nhip.Quantity `json:"name"`
	Calibration []Calibration `json:"calibration,omitempty"` // sorted by From
	Correction  string        `json:"correction,omitempty"`  // name of a correction rule; empty: none
}

// Calibration corrects the values of an instrument from a time on: Slope × value + Offset, in the quantity's unit.
type Calibration struct {
	From   time.Time `json:"from"`
	Slope  float64   `json:"slope"`
	Offset float64   `json:"offset"`
}

// Vehicle is a bus.
type Vehicle struct {
	ID       string        `json:"id"`
	Plate    string        `json:"plate,omitempty"`
	Agency   string        `json:"agency,omitempty"` // empty: the feed's agency
	Line     string        `json:"line,omitempty"`   // that it usually serves
	Interval time.Duration `json:"interval_ns,omitzero"`
}

// Device is a client that may publish. Its id is the id of its vehicle or station, and stands in its topics. A device
// with Topics is a bridge, which publishes for others: the gateway of a depot, a LoRaWAN network server.
type Device struct {
	ID       string
	Feed     string   // name of a configured feed
	Topics   []string // MQTT filters under which it may publish; empty: the feed's topic, for this device only
	Secrets  []string // at most MaxSecrets, in the form of Digest, the newest last; none: it presents a certificate
	Rate     int64    // messages a second; 0: the default limit
	Disabled bool

	Mosquitto string // the newest secret in the form of MosquittoDigest; empty: it can't log in to Mosquitto
}

// MaxSecrets is how many secrets of a device may be valid at a time: during a rotation, the old and the new one.
const MaxSecrets = 2

// Device returns the device with an id, or nil.
func (f *Fleet) Device(id string) *Device {
	if i := slices.IndexFunc(f.Devices, func(d Device) bool { return d.ID == id }); i >= 0 {
		return &f.Devices[i]
	}
	return nil
}
