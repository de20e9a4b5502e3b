// Package position decodes our own JSON for vehicles, which new on-board devices should use.
//
//	{"time":"2026-02-16T15:58:02Z","lat":38.9235,"lon":-77.0521,"speed":4.57,"bearing":265,
//	 "route":"C53","trip":"8428100","direction":0,"start_date":"20260216",
//	 "occupancy":"FEW_SEATS_AVAILABLE"}
//
// The vehicle is the last level of the topic, as in nhip/in/position/29B-123.45; characters that are not allowed in
// topics are percent-encoded. time, lat and lon are required; the other fields are optional and may be null:
//
//	time        of the position, RFC 3339 with its offset
//	lat, lon    WGS84 degrees
//	estimated   true if lat and lon are estimated (odometer, compass) and not measured
//	speed       m/s
//	bearing     degrees clockwise from north, 0 to 360
//	route       GTFS route_id              line        the line number shown to passengers
//	trip        GTFS trip_id               headsign    the destination shown to passengers
//	direction   GTFS direction_id, 0 or 1  start_date  GTFS service day, YYYYMMDD
//	start_time  of the trip, HH:MM, beyond 24:00 after midnight of the service day
//	next_stop   GTFS stop_id               stop        GTFS stop_id of the current stop
//	delay       seconds behind the timetable, negative when ahead
//	occupancy   GTFS-realtime status       passengers  counted passengers on board
//	boarded     who got on at stop         alighted    who got off at stop
//	odometer    metres since the trip began
//	doors_open  whether any door is open
//	deadrun     true if passengers can't board: such a position does not move the bus on the map
//	origin      must be "simulated" if present
//
// A device that was offline sends the messages that it buffered as an array of such objects, oldest first, at most 500.
// Each is a row, in this order; an error names the element as in "[3].lat".
//
// Traps: A field that is not listed is an error, so that a misspelt name in a device's program is noticed on its first
// day. A time without an offset is an error, because it is ambiguous. 0,0, which receivers without a fix send, is
// rejected; send no message instead. A speed in km/h is only noticed when it is too large for m/s.
//
// To test one: publish it with mosquitto_pub -t nhip/in/position/test -q 1 -f file.json and query the bus, or the dead
// letter with the error.
package position

import (
	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder decodes our own JSON for vehicles.
var Decoder = decode.Decoder{Format: "position", Version: 2, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	vehicle := decode.Device(in.Topic)
	s := jsonscan.New(in.Payload)
	faults := in.Faults()
	return decode.Batch(&s, out, faults.Reject, func() error {
		p := nhip.Position{Agency: in.Feed.Agency, Vehicle: vehicle, Event: nhip.EventPosition}
		if err := readPosition(&s, &p); err != nil {
			return err
		}
		out.Positions = append(out.Positions, p)
		return nil
	})
}

func readPosition(s *jsonscan.Scanner, p *nhip.Position) error {
	var lat, lon nhip.Opt[float64]
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return field(s, key, p, &lat, &lon)
	})
	if err != nil {
		return err
	}
	y, hasLat := lat.Get()
	x, hasLon := lon.Get()
	switch {
	case p.Time.IsZero():
		return nhip.Errorf(nhip.CodeMissing, "time", "is required")
	case !hasLat:
		return nhip.Errorf(nhip.CodeMissing, "lat", "is required")
	case !hasLon:
		return nhip.Errorf(nhip.CodeMissing, "lon", "is required")
	}
	p.Point = nhip.Some(orb.Point{x, y})
	decode.CloneStrings(
		&p.Route, &p.Line, &p.Trip, &p.Headsign, &p.StartDate, &p.StartTime, &p.NextStop, &p.Stop,
		(*string)(&p.Occupancy),
	)
	return nil
}

// field reads the value of a key. Strings share the payload's memory. It is a switch, because a map of setters would be
// allocated for each message.
func field(s *jsonscan.Scanner, key []byte, p *nhip.Position, lat, lon *nhip.Opt[float64]) (err error) {
	switch string(key) {
	case "time":
		p.Time, err = decode.Time(s)
	case "lat":
		*lat, err = decode.Float(s)
	case "lon":
		*lon, err = decode.Float(s)
	case "estimated":
		p.Estimated, err = s.Bool()
	case "speed":
		p.Speed, err = decode.Float(s)
	case "bearing":
		p.Bearing, err = decode.Bearing(s)
	case "origin":
		p.Origin, err = decode.Origin(s)
	default:
		return tripField(s, key, p)
	}
	return err
}

// tripField reads a field about the trip.
func tripField(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
	switch string(key) {
	case "route":
		p.Route, err = s.View()
	case "line":
		p.Line, err = s.View()
	case "trip":
		p.Trip, err = s.View()
	case "headsign":
		p.Headsign, err = s.View()
	case "direction":
		p.Direction, err = decode.Int(s)
	case "start_date":
		p.StartDate, err = s.View()
	case "start_time":
		p.StartTime, err = s.View()
	case "next_stop":
		p.NextStop, err = s.View()
	case "stop":
		p.Stop, err = s.View()
	case "delay":
		p.Delay, err = decode.Int(s)
	case "deadrun":
		p.Deadrun, err = s.Bool()
	default:
		return vehicleField(s, key, p)
	}
	return err
}

// vehicleField reads a field about the vehicle.
func vehicleField(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
	switch string(key) {
	case "occupancy":
		var text string
		text, err = s.View()
		p.Occupancy = nhip.Occupancy(text)
	case "passengers":
		p.Passengers, err = decode.Int(s)
	case "boarded":
		p.Boarded, err = decode.Int(s)
	case "alighted":
		p.Alighted, err = decode.Int(s)
	case "odometer":
		p.Odometer, err = decode.Float(s)
	case "doors_open":
		p.DoorsOpen, err = decode.Bool(s)
	default:
		return nhip.Errorf(nhip.CodeUnknownField, "", "is not a field of a position")
	}
	return err
}
