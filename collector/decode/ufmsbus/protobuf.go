package ufmsbus

import (
	"errors"
	"strconv"
	"strings"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/protoscan"

	"google.golang.org/protobuf/encoding/protowire"
)

// parseProtobuf reads a BaseMessage in Protobuf.
func parseProtobuf(payload []byte) (m message, err error) {
	var kind nhip.Opt[int64]
	err = protoscan.Fields(payload, func(f protoscan.Field) (err error) {
		if f.Number == 1 {
			kind, err = integer(f, "msgType")
		}
		return err
	})
	if err == nil && kind.Or(0) == 0 {
		err = nhip.Errorf(nhip.CodeMissing, "msgType", "is required")
	}
	if err != nil || !known(int(kind.Or(0))) {
		return m, err
	}
	m.kind = int(kind.Or(0))
	seen := false
	err = protoscan.Fields(payload, func(f protoscan.Field) error {
		if f.Number != protowire.Number(m.kind) {
			return nil
		}
		msg, err := protoscan.ReadBytes(f, "msg")
		if err == nil && seen {
			err = nhip.Errorf(nhip.CodeMalformed, "msg", "occurs twice")
		}
		if seen = true; err != nil {
			return err
		}
		return m.readProtobuf(msg)
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.CodeMissing, "msg", "is required in field %d, the number of the message type", m.kind)
	}
	return m, err
}

func known(kind int) bool {
	return kind >= busWayPoint && kind <= busWayPoints || kind >= ticketPoint && kind <= recoverPoint
}

func (m *message) readProtobuf(msg []byte) (err error) {
	switch m.kind {
	case busWayPoint:
		m.points = []point{pointOf(msg, wayPointField)}
	case busWayPoints:
		err = m.repeated(msg, 1, wayPointField)
	case busWayPointBatch:
		return m.batch(msg)
	default:
		m.ticket = new(ticket)
		err = m.ticket.read(msg, m.kind)
	}
	return err
}

// setField sets the field of a point with a number in the message.
type setField func(p *point, f protoscan.Field) error

func pointOf(msg []byte, set setField) (p point) {
	p.err = protoscan.Fields(msg, func(f protoscan.Field) error { return tolerate(set(&p, f), p.leaveOut) })
	return p
}

// tolerate passes the fault of a field to leaveOut, and returns it if that returns false.
func tolerate(fault error, leaveOut func(field string, fault error) bool) error {
	var e *nhip.Error
	if !errors.As(fault, &e) {
		return fault
	}
	if field, _, _ := strings.Cut(e.Field, "."); leaveOut(field, fault) {
		return nil
	}
	return fault
}

// repeated reads the points in a repeated field.
func (m *message) repeated(msg []byte, number protowire.Number, set setField) error {
	return protoscan.Fields(msg, func(f protoscan.Field) error {
		if f.Number != number {
			return nil
		}
		if len(m.points) > maxPoints {
			return nhip.Errorf(nhip.CodeOutOfRange, "points", "must be at most %d", maxPoints)
		}
		one, err := protoscan.ReadBytes(f, "points")
		if err != nil {
			return err
		}
		m.points = append(m.points, pointOf(one, set))
		return nil
	})
}

// batch reads a BusWayPointBatch, whose vehicle may follow the points.
func (m *message) batch(msg []byte) error {
	vehicle := ""
	err := protoscan.Fields(msg, func(f protoscan.Field) (err error) {
		if f.Number == 1 {
			vehicle, err = text(f, "vehicle")
		}
		return err
	})
	if err == nil && vehicle == "" {
		err = nhip.Errorf(nhip.CodeMissing, "vehicle", "is required")
	}
	if err == nil {
		err = m.repeated(msg, 3, batchField)
	}
	for i := range m.points {
		m.points[i].vehicle = vehicle
	}
	return err
}

func wayPointField(p *point, f protoscan.Field) (err error) {
	switch f.Number {
	case 1:
		p.vehicle, err = text(f, "vehicle")
	case 3:
		p.speed, err = protoscan.ReadFloat(f, "speed")
	case 4:
		p.time, err = integer(f, "datetime")
	case 5:
		p.x, err = protoscan.ReadDouble(f, "x")
	case 6:
		p.y, err = protoscan.ReadDouble(f, "y")
	case 8:
		p.heading, err = protoscan.ReadFloat(f, "heading")
	case 11:
		p.doorUp, err = boolean(f, "door_up")
	case 12:
		p.doorDown, err = boolean(f, "door_down")
	case 14:
		p.working, err = boolean(f, "working")
	}
	return err
}

func batchField(p *point, f protoscan.Field) (err error) {
	switch f.Number {
	case 1:
		p.time, err = integer(f, "datetime")
	case 2:
		p.speed, err = protoscan.ReadFloat(f, "speed")
	case 3:
		p.x, err = protoscan.ReadDouble(f, "x")
	case 4:
		p.y, err = protoscan.ReadDouble(f, "y")
	case 6:
		p.heading, err = protoscan.ReadFloat(f, "heading")
	case 9:
		p.doorUp, err = boolean(f, "door_up")
	case 10:
		p.doorDown, err = boolean(f, "door_down")
	}
	return err
}

// ticketFields are the numbers of the fields of a ticket message; 0: none.
type ticketFields struct{ x, y, trip, pointType, series, tickets protowire.Number }

func (t *ticket) read(msg []byte, kind int) error {
	at := ticketFields{x: 4, y: 5, series: 9}
	switch kind {
	case startEndPoint:
		at = ticketFields{x: 4, y: 5, trip: 7, pointType: 8, tickets: 9}
	case recoverPoint:
		at = ticketFields{trip: 4, tickets: 5}
	}
	return protoscan.Fields(msg, func(f protoscan.Field) (err error) {
		switch f.Number {
		case 1:
			t.vehicle, err = text(f, "vehicle")
		case 2:
			t.route, err = text(f, "routecode")
		case 3:
			t.time, err = integer(f, timeName(kind))
		case at.x:
			t.x, err = protoscan.ReadDouble(f, "x")
		case at.y:
			t.y, err = protoscan.ReadDouble(f, "y")
		case at.trip:
			t.trip, err = textOrInteger(f, "tripno")
		case at.pointType:
			t.pointType, err = integer(f, "pointtype")
		case at.series:
			t.series, err = textOrInteger(f, "series")
		case at.tickets:
			err = t.addTickets(f)
		}
		return tolerate(err, t.leaveOut)
	})
}

// addTickets adds the number of one kind of tickets.
func (t *ticket) addTickets(f protoscan.Field) error {
	msg, err := protoscan.ReadBytes(f, "tickets")
	if err != nil {
		return err
	}
	return protoscan.Fields(msg, func(f protoscan.Field) error {
		if f.Number != 1 {
			return nil
		}
		n, err := integer(f, "tickets.total")
		if err == nil {
			err = t.addTotal(n.Or(0))
		}
		return err
	})
}

func (t *ticket) addTotal(n int64) error {
	if n < 0 || n > nhip.MaxPassengers {
		return nhip.Errorf(nhip.CodeOutOfRange, "tickets.total",
			"must be between 0 and %d, got %d", nhip.MaxPassengers, n)
	}
	t.total += n
	return nil
}

func integer(f protoscan.Field, name string) (nhip.Opt[int64], error) {
	v, ok := f.Varint()
	return nhip.Some(int64(v)), protoscan.TypeError(ok, f, name, "integer")
}

func boolean(f protoscan.Field, name string) (nhip.Opt[bool], error) {
	v, ok := f.Varint()
	return nhip.Some(v != 0), protoscan.TypeError(ok, f, name, "bool")
}

func text(f protoscan.Field, name string) (string, error) {
	v, err := protoscan.ReadBytes(f, name)
	if err == nil {
		err = nhip.CheckText(name, decode.Clip(string(v)))
	}
	return string(v), err
}

// textOrInteger reads a field whose type differs between makers of boxes.
func textOrInteger(f protoscan.Field, name string) (string, error) {
	if n, ok := f.Varint(); ok {
		return strconv.FormatInt(int64(n), 10), nil
	}
	return text(f, name)
}
