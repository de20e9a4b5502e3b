package ufms

import (
	"time"

	"nhip"
	"nhip/collector/decode/protoscan"

	"github.com/paulmach/orb"
)

// pointField is a field of a point.
type pointField int

const (
	unused pointField = iota
	vehicle
	datetime
	speed
	x
	y
	heading
	door
)

// layout maps the numbers of fields in a message to the fields of a point. The two types of points have the same
// fields under different numbers.
type layout [12]pointField

var (
	wayPointLayout   = layout{1: vehicle, 3: speed, 4: datetime, 5: x, 6: y, 8: heading, 10: door}
	trackPointLayout = layout{1: datetime, 2: speed, 3: x, 4: y, 6: heading, 8: door}
)

// point is a WayPoint or TrackPoint as received.
type point struct {
	layout  *layout
	vehicle string
	time    nhip.Opt[int64] // Unix seconds
	speed   nhip.Opt[float64]
	x, y    nhip.Opt[float64]
	heading nhip.Opt[float64]
	door    nhip.Opt[bool]
}

func (p *point) read(msg []byte) error {
	return protoscan.Fields(msg, func(f protoscan.Field) error {
		if int(f.Number) >= len(p.layout) {
			return nil
		}
		return p.set(p.layout[f.Number], f)
	})
}

func (p *point) set(to pointField, f protoscan.Field) (err error) {
	switch to {
	case vehicle:
		p.vehicle, err = plate(f)
	case datetime:
		var t uint64
		t, err = varint(f, "datetime")
		p.time = nhip.Some(int64(t))
	case speed:
		p.speed, err = protoscan.ReadFloat(f, "speed")
	case x:
		p.x, err = protoscan.ReadDouble(f, "x")
	case y:
		p.y, err = protoscan.ReadDouble(f, "y")
	case heading:
		p.heading, err = protoscan.ReadFloat(f, "heading")
	case door:
		var open uint64
		open, err = varint(f, "door")
		p.door = nhip.Some(open != 0)
	case unused:
	}
	return err
}

// check returns an error if the point lacks a required field.
func (p *point) check(vehicle string) error {
	for _, f := range [...]struct {
		name  string
		known bool
	}{
		{"vehicle", vehicle != ""},
		{"datetime", p.time.Known()},
		{"speed", p.speed.Known()},
		{"x", p.x.Known()},
		{"y", p.y.Known()},
	} {
		if !f.known {
			return nhip.Errorf(nhip.CodeMissing, f.name, "is required")
		}
	}
	return nil
}

// position returns a checked point in the platform's units.
func (p *point) position(agency, vehicle string, perMetre float64) nhip.Position {
	bearing := p.heading
	if bearing.Or(0) == 360 { // north
		bearing = nhip.Some(0.0)
	}
	return nhip.Position{
		Agency: agency, Vehicle: vehicle, Event: nhip.EventPosition,
		Time:      time.Unix(p.time.Or(0), 0).UTC(),
		Point:     nhip.Some(orb.Point{p.x.Or(0), p.y.Or(0)}),
		Speed:     nhip.Some(p.speed.Or(0) / perMetre),
		Bearing:   bearing,
		DoorsOpen: p.door,
	}
}
