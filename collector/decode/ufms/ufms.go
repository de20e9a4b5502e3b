// Package ufms decodes what Vietnamese providers of GPS boxes pass on to the authorities: a Protobuf
// message per way point, or per batch of them, in the protocol that the Ministry of Transport's
// system for vehicles under supervision calls UFMS. The schema, in our words:
//
//	message BaseMessage {              // proto2; the payload of one AMQP or MQTT message
//	  required enum msgType = 1;       // 100 WayPoint, 101 WayPointBatch; others below
//	  extension msg = <msgType>;       // the message of that type, under its number
//	}
//	message WayPoint {
//	  required string vehicle = 1;     // plate
//	  optional string driver = 2;      // number of the driving licence
//	  required float speed = 3;        // unit not stated
//	  required int32 datetime = 4;     // Unix seconds
//	  required double x = 5, y = 6;    // longitude, latitude
//	  optional float z = 7, heading = 8;
//	  optional bool ignition = 9, door = 10, aircon = 11;
//	}
//	message WayPointBatch {
//	  required string vehicle = 1;
//	  optional string driver = 2;
//	  repeated TrackPoint point = 3 {
//	    required int32 datetime = 1; required float speed = 2; required double x = 3, y = 4;
//	    optional float z = 5, heading = 6; optional bool ignition = 7, door = 8, aircon = 11;
//	  }
//	}
//
// A way point of plate 29B-123.45 in text: msgType 100, 100 { vehicle "29B-123.45", speed 31.5,
// datetime 1771257482, x 105.8523, y 21.0287, heading 90, door false }. It comes on
// nhip/in/ufms/<anything>; the vehicle is the plate in the message, as Plate writes it, and its agency
// the feed's.
//
// Traps:
//
//   - Nothing states the unit of speed. Boxes and the sample client behave as if it were km/h, so it
//     is unless the feed says m/s.
//   - x is the longitude. A box that swaps the two says a latitude over 90 in Vietnam, and one without
//     a fix says 0,0: both are turned away.
//   - Plates come as 29B12345, 29B-123.45 and 29b 12345: one vehicle.
//   - A box need speak only every 30 seconds (15 minutes when parked), and its provider may pass it on
//     two minutes late: give the feed a latency of 2m. There is no route or trip.
//   - The message speaks of drivers. We keep nothing of them.
//   - One bad point of a batch is turned away alone, as "point 3" counted from 1.
//   - Speeding, driving time, stops, doors and registrations (200, 210, 211, 220, 230, 310, 311, 400,
//     410, 420) are taken, and say no position. A type that is none of these is an error.
//
// To test one: protoc --encode with the schema above, then
//
//	mosquitto_pub -t nhip/in/ufms/box -f waypoint.bin
package ufms

import (
	"strconv"

	"nhip"
	"nhip/collector/decode"

	"google.golang.org/protobuf/encoding/protowire"
)

// Decoder reads UFMS's messages.
var Decoder = decode.Decoder{Format: "ufms", Version: 1, Decode: read}

// Types of messages, which are also the numbers of the fields they stand in.
const (
	wayPoint      = 100
	wayPointBatch = 101
)

// events are the types without a position of the moment.
var events = map[uint64]bool{
	200: true, 210: true, 211: true, 220: true, 230: true, 310: true, 311: true, 400: true, 410: true, 420: true,
}

func read(in decode.Input, out *nhip.Facts) error {
	perMetre, err := speedUnit(in.Feed.SpeedUnit)
	if err != nil {
		return err
	}
	kind, err := msgType(in.Payload)
	if err != nil || events[kind] {
		return err
	}
	if kind != wayPoint && kind != wayPointBatch {
		return nhip.Errorf(nhip.UnknownField, "msgType", "%d is no type of UFMS", kind)
	}
	msg, err := extension(in.Payload, protowire.Number(kind))
	if err != nil {
		return err
	}
	r := reader{in: &in, perMetre: perMetre, out: out}
	if kind == wayPointBatch {
		return r.batch(msg)
	}
	return r.wayPoint(msg)
}

// speedUnit returns how many of the feed's unit of speed are 1 m/s.
func speedUnit(name string) (float64, error) {
	switch name {
	case decode.MetresPerSecond:
		return 1, nil
	case "", decode.KilometresPerHour:
		return 3.6, nil
	}
	return 0, nhip.Errorf(nhip.Malformed, "feed.speed_unit", "must be %s or %s, got %q", decode.KilometresPerHour, decode.MetresPerSecond, decode.Clip(name))
}

func msgType(payload []byte) (kind uint64, err error) {
	seen := false
	err = each(payload, func(n protowire.Number, v value) (err error) {
		if n == 1 {
			seen = true
			kind, err = v.varint("msgType")
		}
		return err
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.Missing, "msgType", "is required")
	}
	return kind, err
}

func extension(payload []byte, number protowire.Number) (msg []byte, err error) {
	seen := false
	err = each(payload, func(n protowire.Number, v value) (err error) {
		if n == number {
			seen = true
			msg, err = v.bytes("msg")
		}
		return err
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.Missing, "msg", "is required: the message must have field %d, which is its type", number)
	}
	return msg, err
}

// reader turns the points of one message into positions.
type reader struct {
	in       *decode.Input
	perMetre float64 // units of the feed's speed in 1 m/s
	out      *nhip.Facts
}

func (r *reader) wayPoint(msg []byte) error {
	p := point{layout: &wayPointLayout}
	if err := p.read(msg); err != nil {
		return err
	}
	return r.append(&p, p.vehicle)
}

// batch reads the points of a batch, each on its own.
func (r *reader) batch(msg []byte) error {
	vehicle, err := batchVehicle(msg)
	if err != nil {
		return err
	}
	faults := r.in.Faults()
	n := 0
	return each(msg, func(number protowire.Number, v value) error {
		if number != 3 {
			return nil
		}
		n++
		if err := r.trackPoint(v, vehicle); err != nil {
			faults.Reject(decode.Within("point "+strconv.Itoa(n), err))
		}
		return nil
	})
}

// batchVehicle returns the vehicle of a batch. It may stand behind the points.
func batchVehicle(msg []byte) (vehicle string, err error) {
	err = each(msg, func(n protowire.Number, v value) (err error) {
		if n == 1 {
			vehicle, err = v.plate()
		}
		return err
	})
	if err == nil && vehicle == "" {
		err = nhip.Errorf(nhip.Missing, "vehicle", "is required")
	}
	return vehicle, err
}

func (r *reader) trackPoint(v value, vehicle string) error {
	msg, err := v.bytes("")
	if err != nil {
		return err
	}
	p := point{layout: &trackPointLayout}
	if err := p.read(msg); err != nil {
		return err
	}
	return r.append(&p, vehicle)
}

func (r *reader) append(p *point, vehicle string) error {
	if err := p.check(vehicle); err != nil {
		return err
	}
	r.out.Positions = append(r.out.Positions, p.position(r.in.Feed.Agency, vehicle, r.perMetre))
	return nil
}
