package ufmsbus

import (
	"math"
	"time"

	"nhip"
	"nhip/collector/decode/ufms"

	"github.com/paulmach/orb"
)

// point is a way point as received.
type point struct {
	vehicle          string
	time             nhip.Opt[int64]   // Unix seconds
	speed            nhip.Opt[float64] // km/h
	x, y, heading    nhip.Opt[float64]
	doorUp, doorDown nhip.Opt[bool]
	working          nhip.Opt[bool]
	err              error // why the point can't be read
	dropped          []dropped
}

// dropped is an optional field that can't be read, with the fault.
type dropped struct {
	field string
	fault error
}

// leaveOut removes an optional field that can't be read: a bus without a speed is still where it is. It returns false
// for a field that a point can't do without.
func (p *point) leaveOut(field string, fault error) bool {
	switch field {
	case "speed":
		p.speed = nhip.Opt[float64]{}
	case "heading":
		p.heading = nhip.Opt[float64]{}
	case "door_up":
		p.doorUp = nhip.Opt[bool]{}
	case "door_down":
		p.doorDown = nhip.Opt[bool]{}
	case "working":
		p.working = nhip.Opt[bool]{}
	default:
		return false
	}
	p.dropped = append(p.dropped, dropped{field, fault})
	return true
}

// kilometresPerHour is 1 m/s in km/h.
const kilometresPerHour = 3.6

// position returns the point in the platform's units.
func (p *point) position(agency string) (out nhip.Position, err error) {
	if p.err != nil {
		return out, p.err
	}
	plate, err := ufms.Plate(p.vehicle)
	if err != nil {
		return out, err
	}
	for _, f := range [...]struct {
		name  string
		known bool
	}{{"datetime", p.time.Known()}, {"x", p.x.Known()}, {"y", p.y.Known()}} {
		if !f.known {
			return out, nhip.Errorf(nhip.CodeMissing, f.name, "is required")
		}
	}
	out = nhip.Position{
		Agency: agency, Vehicle: plate, Event: nhip.EventPosition, Time: time.Unix(p.time.Or(0), 0).UTC(),
		Point: nhip.Some(orb.Point{p.x.Or(0), p.y.Or(0)}), Bearing: bearing(p.heading),
	}
	if v, ok := p.speed.Get(); ok {
		out.Speed = nhip.Some(v / kilometresPerHour)
	}
	if p.doorUp.Known() || p.doorDown.Known() {
		out.DoorsOpen = nhip.Some(p.doorUp.Or(false) || p.doorDown.Or(false))
	}
	out.Deadrun = !p.working.Or(true)
	return out, nil
}

// bearing returns a heading that a receiver may send without having one: another value than an angle is none.
func bearing(heading nhip.Opt[float64]) nhip.Opt[float64] {
	v, ok := heading.Get()
	switch {
	case !ok || math.IsNaN(v) || v < 0 || v > 360:
		return nhip.Opt[float64]{}
	case v == 360: // north
		return nhip.Some(0.0)
	}
	return heading
}
