// Package ufmsbus decodes the messages of the boxes in Vietnam's city buses (UFMS_BUS): way points, the start and end
// of trips, and tickets, in Protobuf or JSON. The schema, in our words:
//
//	message BaseMessage {              // the payload of one AMQP or MQTT message
//	  enum msgType = 1;                // 102, 103, 104, 500, 501, 502; others below
//	  extension msg = <msgType>;       // the message of that type, under its number
//	}
//	message BusWayPoint {              // 102; repeated in field 1 of 104 BusWayPoints
//	  string vehicle = 1, driver = 2;  // number plate
//	  float speed = 3;                 // km/h
//	  int32 datetime = 4;              // Unix seconds
//	  double x = 5, y = 6;             // longitude, latitude
//	  float z = 7, heading = 8;
//	  bool ignition = 9, aircon = 10, door_up = 11, door_down = 12, sos = 13, working = 14;
//	}
//	message BusWayPointBatch {         // 103
//	  string vehicle = 1, driver = 2;
//	  repeated points = 3 { int32 datetime = 1; float speed = 2; double x = 3, y = 4; float z = 5, heading = 6;
//	    bool ignition = 7, aircon = 8, door_up = 9, door_down = 10, sos = 11; }
//	}
//	message BusTicketPoint {           // 500: one ticket is sold
//	  string vehicle = 1, routecode = 2; int32 datetime = 3; double x = 4, y = 5; string stationname = 6;
//	  tickettype = 7; fare = 8; series = 9;
//	}
//	message BusTicketStartEndPoint {   // 501
//	  string vehicle = 1, routecode = 2; int32 datetime = 3; double x = 4, y = 5; string stationname = 6;
//	  tripno = 7; enum pointtype = 8;  // 1 START, 2 END
//	  repeated tickets = 9 { total = 1; series = 2; type = 3; }
//	}
//	message BusTicketRecoverPoint {    // 502: the tickets of a trip that were not sent
//	  string vehicle = 1, routecode = 2; int32 date = 3; tripno = 4; repeated tickets = 5;
//	}
//
// In JSON, msgType is a name and the message stands under a name of its own:
//
//	{"msgType":"MsgType_BusWayPoint","msgBusWayPoint":{"vehicle":"29B-123.45","datetime":1771257482,
//	 "x":105.8523,"y":21.0287,"speed":31.5,"heading":90,"door_up":true,"working":true}}
//
// The topic is nhip/in/ufms-bus/<source>; the vehicle is the plate in the message, see ufms.Plate. The agency is that
// of the feed.
//
// Facts: a way point is a position, with doors_open if either door is open. START is the event vja (signs on), END
// vjout (signs off), both with the line and the trip "<routecode>/<tripno>"; END has the tickets of the trip as
// boarded. The live state gives the line and the trip of START to the positions that follow it, until END. A ticket is
// the event apc-partial with one person boarded, and recovered tickets are the event apc.
//
// Traps:
//
//   - working false is a bus that is not in service. In JSON an absent boolean is false, so a message without working
//     is of a bus out of service; in Protobuf an absent field says nothing.
//   - Two tickets may be sold in one second. They are one person each, so the milliseconds of a ticket's time are a
//     hash of its series; a ticket that is sent twice has the same time.
//   - A place of 0,0 or outside the world costs a ticket its place. A way point without a place is rejected.
//   - Driver, series, fare and type of a ticket are not stored. Messages of other types (drivers, students) are
//     accepted and dropped, because a dead letter would store them.
//   - A faulty point of several is rejected alone, as "points 3", counted from 1.
//   - Speed, heading, doors and working of a point, the place and the series of a ticket, and the tickets of START and
//     END are left out alone if they can't be read.
package ufmsbus

import (
	"bytes"
	"strconv"

	"nhip"
	"nhip/collector/decode"
)

// Decoder decodes messages of UFMS_BUS.
var Decoder = decode.Decoder{Format: "ufms-bus", Version: 2, Decode: read}

// Types of messages, which are also the numbers of the fields that contain them.
const (
	busWayPoint      = 102
	busWayPointBatch = 103
	busWayPoints     = 104
	ticketPoint      = 500
	startEndPoint    = 501
	recoverPoint     = 502
)

// maxPoints is the largest number of points in a message; see decode.MaxBatch.
const maxPoints = decode.MaxBatch

// message is a message in either form.
type message struct {
	kind   int
	points []point // of way points; faulty ones have an error
	ticket *ticket // of the other types
}

func read(in decode.Input, out *nhip.Facts) error {
	parse := parseProtobuf
	if trimmed := bytes.TrimLeft(in.Payload, " \t\r\n\xef\xbb\xbf"); len(trimmed) > 0 && trimmed[0] == '{' {
		parse = parseJSON
	}
	m, err := parse(in.Payload)
	if err != nil {
		return err
	}
	if m.ticket != nil {
		return m.ticket.appendTo(out, m.kind, &in)
	}
	if len(m.points) > maxPoints {
		return nhip.Errorf(nhip.CodeOutOfRange, "points", "must be at most %d, got %d", maxPoints, len(m.points))
	}
	faults, row := in.Faults(), ""
	for i := range m.points {
		if m.kind != busWayPoint {
			out.BeginRow("points ", i+1, "")
			row = "points " + strconv.Itoa(i+1)
		}
		p, err := m.points[i].position(in.Feed.Agency)
		switch {
		case err == nil:
			out.Positions = append(out.Positions, p)
			report(&in, row, m.points[i].dropped)
		case m.kind == busWayPoint:
			return err
		default:
			faults.Reject(decode.InRow(row, err))
		}
	}
	return nil
}

// report reports the fields that are left out of a row.
func report(in *decode.Input, row string, fields []dropped) {
	for _, d := range fields {
		in.DropField(row, d.field, d.fault)
	}
}
