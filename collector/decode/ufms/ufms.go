// Package ufms decodes the messages that Vietnamese providers of GPS trackers send to the authorities: way points in
// Protobuf, alone or in batches. The Ministry of Transport's system for supervised vehicles calls this protocol UFMS.
// The schema, in our words:
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
// A way point of plate 29B-123.45 as text: msgType 100, 100 { vehicle "29B-123.45", speed 31.5,
// datetime 1771257482, x 105.8523, y 21.0287, heading 90, door false }. The topic is nhip/in/ufms/<anything>. The
// vehicle is the plate in the message in its canonical form (see Plate), the agency is that of the feed.
//
// Traps:
//
//   - The schema does not state the unit of speed. Trackers and the sample client use km/h, which is the default; the
//     feed can set m/s.
//   - x is the longitude. A tracker that swaps x and y sends a latitude over 90 in Vietnam, and one without a GPS fix
//     sends 0,0: both are rejected.
//   - The plates 29B12345, 29B-123.45 and 29b 12345 are one vehicle.
//   - A tracker has to report only every 30 seconds (15 minutes when parked), and its provider may forward a message
//     two minutes late: set the latency of the feed to 2m. There is no route or trip.
//   - Messages contain data about drivers, which is not stored.
//   - A faulty point of a batch is rejected alone, as "point 3", counted from 1.
//   - Messages about speeding, driving time, stops, doors and registrations (200, 210, 211, 220, 230, 310, 311, 400,
//     410, 420) are accepted and contain no position. Other types are an error.
//
// To test one: protoc --encode with the schema above, then
//
//	mosquitto_pub -t nhip/in/ufms/box -f waypoint.bin
package ufms

import (
	"strconv"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/protoscan"

	"google.golang.org/protobuf/encoding/protowire"
)

// Decoder decodes messages of UFMS.
var Decoder = decode.Decoder{Format: "ufms", Version: 1, Decode: read}

// Types of messages, which are also the numbers of the fields that contain them.
const (
	wayPoint      = 100
	wayPointBatch = 101
)

// events are the types without a current position.
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
		return nhip.Errorf(nhip.CodeUnknownField, "msgType", "%d is not a message type of UFMS", kind)
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

// speedUnit returns 1 m/s in the feed's unit of speed.
func speedUnit(name string) (float64, error) {
	switch name {
	case decode.MetresPerSecond:
		return 1, nil
	case "", decode.KilometresPerHour:
		return 3.6, nil
	}
	return 0, nhip.Errorf(nhip.CodeMalformed, "feed.speed_unit", "must be %s or %s, got %q",
		decode.KilometresPerHour, decode.MetresPerSecond, decode.Clip(name))
}

func msgType(payload []byte) (kind uint64, err error) {
	seen := false
	err = protoscan.Fields(payload, func(f protoscan.Field) (err error) {
		if f.Number == 1 {
			seen = true
			kind, err = varint(f, "msgType")
		}
		return err
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.CodeMissing, "msgType", "is required")
	}
	return kind, err
}

func extension(payload []byte, number protowire.Number) (msg []byte, err error) {
	seen := false
	err = protoscan.Fields(payload, func(f protoscan.Field) (err error) {
		if f.Number == number {
			seen = true
			msg, err = protoscan.ReadBytes(f, "msg")
		}
		return err
	})
	if err == nil && !seen {
		err = nhip.Errorf(nhip.CodeMissing, "msg", "is required in field %d, the number of the message type", number)
	}
	return msg, err
}

// reader converts the points of one message to positions.
type reader struct {
	in       *decode.Input
	perMetre float64 // 1 m/s in the feed's unit of speed
	out      *nhip.Facts
}

func (r *reader) wayPoint(msg []byte) error {
	p := point{layout: &wayPointLayout}
	if err := p.read(msg); err != nil {
		return err
	}
	return r.append(&p, p.vehicle)
}

// batch reads the points of a batch, and rejects faulty ones alone.
func (r *reader) batch(msg []byte) error {
	vehicle, err := batchVehicle(msg)
	if err != nil {
		return err
	}
	faults := r.in.Faults()
	n := 0
	return protoscan.Fields(msg, func(f protoscan.Field) error {
		if f.Number != 3 {
			return nil
		}
		n++
		r.out.BeginRow("point ", n, "")
		if err := r.trackPoint(f, vehicle); err != nil {
			faults.Reject(decode.InRow("point "+strconv.Itoa(n), err))
		}
		return nil
	})
}

// batchVehicle returns the vehicle of a batch, which may follow the points.
func batchVehicle(msg []byte) (vehicle string, err error) {
	err = protoscan.Fields(msg, func(f protoscan.Field) (err error) {
		if f.Number == 1 {
			vehicle, err = plate(f)
		}
		return err
	})
	if err == nil && vehicle == "" {
		err = nhip.Errorf(nhip.CodeMissing, "vehicle", "is required")
	}
	return vehicle, err
}

func (r *reader) trackPoint(f protoscan.Field, vehicle string) error {
	msg, err := protoscan.ReadBytes(f, "")
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
