// Package position decodes our own JSON for vehicles: what a new bus box should speak.
//
//	{"time":"2026-02-16T15:58:02Z","lat":38.9235,"lon":-77.0521,"speed":4.57,"bearing":265,
//	 "route":"C53","trip":"8428100","direction":0,"start_date":"20260216",
//	 "occupancy":"FEW_SEATS_AVAILABLE"}
//
// time, lat and lon are required; speed is in m/s, bearing in degrees clockwise from north. The
// vehicle is the topic's last level. A field that is not listed here is an error, because a typing
// mistake in a device's program must show on its first day and not after three years.
package position

import (
	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder reads our own JSON for vehicles.
var Decoder = decode.Decoder{Format: "position", Version: 1, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	p := nhip.Position{Agency: in.Feed.Agency, Vehicle: decode.Device(in.Topic), Event: nhip.Fix}
	var lat, lon nhip.Opt[float64]
	s := jsonscan.New(in.Payload)
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return field(&s, key, &p, &lat, &lon)
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	if p.Time.IsZero() {
		return nhip.Errorf(nhip.Missing, "time", "is required")
	}
	y, hasLat := lat.Get()
	x, hasLon := lon.Get()
	if !hasLat {
		return nhip.Errorf(nhip.Missing, "lat", "is required")
	}
	if !hasLon {
		return nhip.Errorf(nhip.Missing, "lon", "is required")
	}
	p.Point = nhip.Some(orb.Point{x, y})
	out.Positions = append(out.Positions, p)
	return nil
}

// field reads one value. It stands on its own, as a switch, so that reading a payload builds no map
// of setters for each message.
func field(s *jsonscan.Scanner, key []byte, p *nhip.Position, lat, lon *nhip.Opt[float64]) (err error) {
	switch string(key) {
	case "time":
		p.Time, err = decode.Time(s)
	case "lat":
		*lat, err = decode.Float(s)
	case "lon":
		*lon, err = decode.Float(s)
	case "speed":
		p.Speed, err = decode.Float(s)
	case "bearing":
		p.Bearing, err = decode.Bearing(s)
	case "route":
		p.Route, err = s.String()
	case "trip":
		p.Trip, err = s.String()
	case "direction":
		p.Direction, err = decode.Int(s)
	case "start_date":
		p.StartDate, err = s.String()
	case "occupancy":
		var text string
		text, err = s.String()
		p.Occupancy = nhip.Occupancy(text)
	case "origin":
		p.Origin, err = decode.Origin(s)
	default:
		return nhip.Errorf(nhip.UnknownField, "", "is not a field of a position")
	}
	return err
}
