// Package track follows buses along the patterns of a timetable: where on its way a bus is, which trip
// it runs, when it passed which stop. Where a bus says its trip, that is believed until its way shows
// otherwise; where it says nothing but points, the trip is inferred from the way it takes and the
// timetable.
//
// A Tracker is online: it knows the past only, and every fix is looked at once.
package track

import (
	"time"

	"nhip/geo/network"
)

// Status says what a bus is doing.
type Status string

// What a bus can be doing.
const (
	InService Status = "in_service" // on the way of a known pattern, past its first stop
	Layover   Status = "layover"    // at the first stop of its next trip, or waiting for one after its last
	OffRoute  Status = "off_route"  // of a known trip, away from its way: a detour
	Unknown   Status = "unknown"    // nobody knows what it runs
)

// Flag is something that is not as it should be.
type Flag string

// The flags of a track.
const (
	Teleport    Flag = "teleport"      // the fix is further away than a bus can drive; it was not used
	Stuck       Flag = "stuck"         // the box repeats one fix, or the bus has not moved for long, away from a terminal
	WrongSignOn Flag = "wrong_sign_on" // the bus does not run the trip that it says
)

// State is what is known of a bus after a fix.
type State struct {
	Time       time.Time // of the fix
	Status     Status
	Pattern    *network.Pattern // nil when unknown
	Run        *network.Run     // nil when the trip is unknown
	Along      float64          // metres along the pattern's line
	Next       int              // index of the next stop; one behind the last when all are passed
	Deviation  float64          // s behind the timetable, negative is ahead; 0 without a Run
	Confidence float64          // 0–1 that route and direction are right
	Inferred   bool             // the bus did not say its trip, or said a wrong one
	Flags      []Flag

	// Passed are the stops that were passed since the fix before, in order.
	Passed []Passing
}

// Passing is a bus at a stop.
type Passing struct {
	Pattern  *network.Pattern
	Run      *network.Run // nil when the trip is unknown
	Stop     int          // index into the pattern's stops
	Arrived  time.Time    // interpolated between fixes; zero at the first stop
	Departed time.Time    // zero as long as it is there, and at the last stop
}

// Tracker follows the buses of one network. It is for one goroutine.
type Tracker struct {
	net      *network.Network
	vehicles map[string]*vehicle
	held     map[*network.Run]*vehicle // who runs what, so that no two infer the same trip
	near     []network.Candidate       // room to use again
	next     []hypothesis
}

// New returns a tracker that knows no bus yet.
func New(n *network.Network) *Tracker {
	return &Tracker{net: n, vehicles: make(map[string]*vehicle), held: make(map[*network.Run]*vehicle)}
}

// Network returns what buses are followed on.
func (t *Tracker) Network() *network.Network { return t.net }

// Forget drops a bus.
func (t *Tracker) Forget(id string) {
	if v := t.vehicles[id]; v != nil {
		v.release(t)
		delete(t.vehicles, id)
	}
}
