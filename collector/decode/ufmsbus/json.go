package ufmsbus

import (
	"strings"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// kinds are the names of the types in JSON, without "MsgType_".
var kinds = map[string]int{
	"BusWayPoint": busWayPoint, "BusWayPointBatch": busWayPointBatch, "BusWayPoints": busWayPoints,
	"BusTicketPoint": ticketPoint, "BusTicketStartEndPoint": startEndPoint, "BusTicketRecoverPoint": recoverPoint,
}

// names are the keys of the messages in JSON.
var names = map[int]string{
	busWayPoint: "msgBusWayPoint", busWayPointBatch: "msgBusWayPointBatch", busWayPoints: "msgBusWayPoints",
	ticketPoint: "msgBusTicketPoint", startEndPoint: "msgBusTicketStartEndPoint", recoverPoint: "msgBusTicketRecoverPoint",
}

// parseJSON reads a BaseMessage in JSON.
func parseJSON(payload []byte) (m message, err error) {
	kind := ""
	s := jsonscan.New(payload)
	err = s.Object(func(key []byte) error {
		if string(key) != "msgType" {
			return s.Skip()
		}
		kind, err = s.StringOrNumber()
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err == nil && kind == "" {
		err = nhip.Errorf(nhip.CodeMissing, "msgType", "is required")
	}
	if err != nil {
		return m, err
	}
	if m.kind = kindOf(kind); m.kind == 0 {
		return m, nil
	}
	seen := false
	s = jsonscan.New(payload)
	err = s.Object(func(key []byte) error {
		if string(key) != names[m.kind] {
			return s.Skip()
		}
		seen = true
		return m.readJSON(&s)
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.CodeMissing, names[m.kind], "is required")
	}
	return m, err
}

// kindOf returns the type with a name or a number, and 0 for other types.
func kindOf(text string) int {
	if kind := kinds[strings.TrimPrefix(text, "MsgType_")]; kind != 0 {
		return kind
	}
	for _, kind := range kinds {
		if text == numberOf(kind) {
			return kind
		}
	}
	return 0
}

func numberOf(kind int) string {
	return string([]byte{byte('0' + kind/100), byte('0' + kind/10%10), byte('0' + kind%10)})
}

func (m *message) readJSON(s *jsonscan.Scanner) error {
	switch m.kind {
	case busWayPoint:
		p := newJSONPoint()
		p.working = nhip.Some(false)
		err := p.readJSON(s)
		m.points = []point{p}
		return err
	case busWayPoints, busWayPointBatch:
		return m.pointsJSON(s)
	}
	m.ticket = new(ticket)
	return m.ticket.readJSON(s)
}

// newJSONPoint returns a point whose absent booleans are false.
func newJSONPoint() point {
	return point{doorUp: nhip.Some(false), doorDown: nhip.Some(false)}
}

// pointsJSON reads a message with a vehicle, perhaps, and an array of points, whose name differs between makers.
func (m *message) pointsJSON(s *jsonscan.Scanner) error {
	vehicle := ""
	err := s.Object(func(key []byte) (err error) {
		switch {
		case string(key) == "vehicle":
			vehicle, err = s.String()
			return err
		case s.Next() != '[' || m.points != nil:
			return s.Skip()
		}
		return s.Array(func() error {
			if len(m.points) == maxPoints {
				return nhip.Errorf(nhip.CodeOutOfRange, "", "must contain at most %d elements", maxPoints)
			}
			p := newJSONPoint()
			if m.kind == busWayPoints {
				p.working = nhip.Some(false)
			}
			start := *s
			if p.err = p.readJSON(s); p.err != nil { // the scanner continues after the point, if that is JSON
				*s = start
				if err := s.Skip(); err != nil {
					return err
				}
			}
			m.points = append(m.points, p)
			return nil
		})
	})
	for i := range m.points {
		if m.points[i].vehicle == "" {
			m.points[i].vehicle = vehicle
		}
	}
	return err
}

func (p *point) readJSON(s *jsonscan.Scanner) error {
	return fieldsJSON(s, func(key string) error { return p.fieldJSON(s, key) }, p.leaveOut)
}

// fieldsJSON reads the fields of an object with read. One that can't be read is passed to leaveOut, and is an error if
// that returns false.
func fieldsJSON(
	s *jsonscan.Scanner, read func(key string) error, leaveOut func(field string, fault error) bool,
) error {
	return s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		name := string(key)
		fault, broken := decode.Recover(s, func() error { return read(name) })
		if broken != nil || fault == nil || leaveOut(name, fault) {
			return broken
		}
		return fault
	})
}

func (p *point) fieldJSON(s *jsonscan.Scanner, key string) (err error) {
	switch key {
	case "vehicle":
		p.vehicle, err = s.String()
	case "datetime":
		p.time, err = seconds(s)
	case "speed":
		p.speed, err = decode.Float(s)
	case "x":
		p.x, err = decode.Float(s)
	case "y":
		p.y, err = decode.Float(s)
	case "heading":
		p.heading, err = decode.Float(s)
	case "door_up":
		p.doorUp, err = decode.Bool(s)
	case "door_down":
		p.doorDown, err = decode.Bool(s)
	case "working":
		p.working, err = decode.Bool(s)
	default:
		err = s.Skip()
	}
	return err
}

func seconds(s *jsonscan.Scanner) (nhip.Opt[int64], error) {
	n, err := s.Int()
	return nhip.Some(int64(n)), err
}

func (t *ticket) readJSON(s *jsonscan.Scanner) error {
	return fieldsJSON(s, func(key string) error { return t.fieldJSON(s, key) }, t.leaveOut)
}

func (t *ticket) fieldJSON(s *jsonscan.Scanner, key string) (err error) {
	switch key {
	case "vehicle":
		t.vehicle, err = s.String()
	case "routecode":
		t.route, err = s.StringOrNumber()
	case "datetime", "date":
		t.time, err = seconds(s)
	case "x":
		t.x, err = decode.Float(s)
	case "y":
		t.y, err = decode.Float(s)
	case "tripno":
		t.trip, err = s.StringOrNumber()
	case "series":
		t.series, err = s.StringOrNumber()
	case "pointtype":
		t.pointType, err = pointType(s)
	case "tickets":
		err = s.Array(func() error { return t.ticketsJSON(s) })
	default:
		err = s.Skip()
	}
	return err
}

func pointType(s *jsonscan.Scanner) (nhip.Opt[int64], error) {
	text, err := s.StringOrNumber()
	switch text = text[strings.LastIndexByte(text, '_')+1:]; text {
	case "START", "1":
		return nhip.Some(int64(start)), err
	case "END", "2":
		return nhip.Some(int64(end)), err
	}
	return nhip.Opt[int64]{}, err
}

func (t *ticket) ticketsJSON(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) error {
		if string(key) != "total" || s.Null() {
			return s.Skip()
		}
		n, err := s.Int()
		if err == nil {
			err = t.addTotal(int64(n))
		}
		return err
	})
}
