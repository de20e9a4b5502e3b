// Package position decodes our own JSON for vehicles: what a new bus box should speak.
//
//	{"time":"2026-02-16T15:58:02Z","lat":38.9235,"lon":-77.0521,"speed":4.57,"bearing":265,
//	 "route":"C53","trip":"8428100","direction":0,"start_date":"20260216",
//	 "occupancy":"FEW_SEATS_AVAILABLE"}
//
// The vehicle is the topic's last level, as in nhip/in/position/29B-123.45; what a topic can't hold
// is percent-encoded. time, lat and lon are required; the rest may be left out or null:
//
//	time        of the fix, RFC 3339 with its offset
//	lat, lon    WGS84 degrees
//	estimated   true when they are reckoned (odometer, compass) and not received
//	speed       m/s
//	bearing     degrees clockwise from north, 0 to 360
//	route       GTFS route_id              line        the number shown to riders
//	trip        GTFS trip_id               headsign    where it says it goes
//	direction   GTFS direction_id, 0 or 1  start_date  GTFS service day, YYYYMMDD
//	start_time  of the trip, HH:MM, beyond 24:00 after midnight of the service day
//	next_stop   GTFS stop_id               stop        GTFS stop_id of where it stands
//	delay       seconds behind the timetable, negative when ahead
//	occupancy   GTFS-realtime's status     passengers  people on board, as counted
//	boarded     people who got on at stop  alighted    people who got off at stop
//	odometer    metres since the trip began
//	doors_open  whether any door is open
//	deadrun     true when nobody can board: such a position never moves the bus on the map
//	origin      "simulated", and nothing else
//
// A box that had no line sends what it kept as an array of such objects, oldest first, 500 at most.
// Each is a row of its own, in that order; an error names the element as in "[3].lat".
//
// Traps. A field that is not listed is an error, because a typing mistake in a device's program must
// show on its first day and not after three years. A time without offset is an error: nobody can tell
// whose clock it is. A receiver without a fix says 0,0, which is refused; leave the message out. A
// speed in km/h looks like one in m/s until the bus is on the motorway.
//
// To test one: publish it with mosquitto_pub -t nhip/in/position/test -q 1 -f file.json and ask for
// the bus, or for the dead letter that says why there is none.
package position

import (
	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder reads our own JSON for vehicles.
var Decoder = decode.Decoder{Format: "position", Version: 2, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	vehicle := decode.Device(in.Topic)
	s := jsonscan.New(in.Payload)
	faults := in.Faults()
	return decode.Batch(&s, out, faults.Reject, func() error {
		p := nhip.Position{Agency: in.Feed.Agency, Vehicle: vehicle, Event: nhip.Fix}
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
		return nhip.Errorf(nhip.Missing, "time", "is required")
	case !hasLat:
		return nhip.Errorf(nhip.Missing, "lat", "is required")
	case !hasLon:
		return nhip.Errorf(nhip.Missing, "lon", "is required")
	}
	p.Point = nhip.Some(orb.Point{x, y})
	decode.Own(
		&p.Route, &p.Line, &p.Trip, &p.Headsign, &p.StartDate, &p.StartTime, &p.NextStop, &p.Stop,
		(*string)(&p.Occupancy),
	)
	return nil
}

// field reads one value; its texts still lie in the payload. It stands on its own, as a switch, so
// that reading a payload builds no map of setters for each message.
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
		return service(s, key, p)
	}
	return err
}

// service reads what the bus says of its trip.
func service(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
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
		return vehicle(s, key, p)
	}
	return err
}

// vehicle reads what the bus says of itself.
func vehicle(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
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
		return nhip.Errorf(nhip.UnknownField, "", "is not a field of a position")
	}
	return err
}
