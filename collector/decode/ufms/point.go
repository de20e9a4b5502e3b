package ufms

import (
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"google.golang.org/protobuf/encoding/protowire"
)

// meaning is what a field of a point says.
type meaning int

const (
	nothing meaning = iota // to us
	vehicle
	datetime
	speed
	x
	y
	heading
	door
)

// layout tells the meaning of a point's fields by their numbers. The two kinds of points say the
// same under different ones.
type layout [12]meaning

var (
	wayPointLayout   = layout{1: vehicle, 3: speed, 4: datetime, 5: x, 6: y, 8: heading, 10: door}
	trackPointLayout = layout{1: datetime, 2: speed, 3: x, 4: y, 6: heading, 8: door}
)

// point is what a box says of one moment, as it says it.
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
	return each(msg, func(n protowire.Number, v value) error {
		if int(n) >= len(p.layout) {
			return nil
		}
		return p.field(p.layout[n], v)
	})
}

func (p *point) field(m meaning, v value) (err error) {
	switch m {
	case vehicle:
		p.vehicle, err = v.plate()
	case datetime:
		var t uint64
		t, err = v.varint("datetime")
		p.time = nhip.Some(int64(t)) // a negative one is sign-extended to 64 bits
	case speed:
		p.speed, err = v.float("speed")
	case x:
		p.x, err = v.double("x")
	case y:
		p.y, err = v.double("y")
	case heading:
		p.heading, err = v.float("heading")
	case door:
		var open uint64
		open, err = v.varint("door")
		p.door = nhip.Some(open != 0)
	case nothing:
	}
	return err
}

// check refuses a point that lacks what the schema requires.
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
			return nhip.Errorf(nhip.Missing, f.name, "is required")
		}
	}
	return nil
}

// position returns a checked point in our units.
func (p *point) position(agency, vehicle string, perMetre float64) nhip.Position {
	bearing := p.heading
	if bearing.Or(0) == 360 { // north
		bearing = nhip.Some(0.0)
	}
	return nhip.Position{
		Agency: agency, Vehicle: vehicle, Event: nhip.Fix,
		Time:      time.Unix(p.time.Or(0), 0).UTC(),
		Point:     nhip.Some(orb.Point{p.x.Or(0), p.y.Or(0)}),
		Speed:     nhip.Some(p.speed.Or(0) / perMetre),
		Bearing:   bearing,
		DoorsOpen: p.door,
	}
}
