package hfp

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// message holds the fields of an event that are not facts by themselves.
type message struct {
	lat, lon nhip.Opt[float64]
	seconds  nhip.Opt[int] // tsi
	noPoint  bool          // loc is N/A: the coordinates are not valid
	day      time.Time     // oday
	counts   counts
}

// readEvent reads the object under the event's name. The strings in p share the payload's memory.
func readEvent(s *jsonscan.Scanner, p *nhip.Position, zone *time.Location) error {
	var m message
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return m.setPosition(s, key, p)
	})
	if err != nil {
		return err
	}
	if tsi, ok := m.seconds.Get(); ok && p.Time.IsZero() {
		p.Time = time.Unix(int64(tsi), 0).UTC()
	}
	if p.Time.IsZero() {
		return nhip.Errorf(nhip.CodeMissing, "tst", "is required")
	}
	m.counts.setCounts(p)
	if err := m.setPoint(p); err != nil {
		return err
	}
	m.setStart(p, zone)
	return nil
}

// setPoint sets the point of p. One coordinate alone is an error; no coordinates are usual.
func (m *message) setPoint(p *nhip.Position) error {
	lat, hasLat := m.lat.Get()
	lon, hasLon := m.lon.Get()
	switch {
	case hasLat && !hasLon:
		return nhip.Errorf(nhip.CodeMissing, "long", "is required with lat")
	case hasLon && !hasLat:
		return nhip.Errorf(nhip.CodeMissing, "lat", "is required with long")
	case hasLat && !m.noPoint:
		p.Point = nhip.Some(orb.Point{lon, lat})
	default:
		p.Estimated = false
	}
	return nil
}

// setPosition reads a field about time, position or movement.
func (m *message) setPosition(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
	switch string(key) {
	case "tst":
		p.Time, err = decode.Time(s)
	case "tsi":
		m.seconds, err = decode.Int(s)
	case "lat":
		m.lat, err = number(s)
	case "long":
		m.lon, err = number(s)
	case "loc":
		var source []byte
		source, err = s.Text()
		m.noPoint = string(source) == "N/A"
		p.Estimated = string(source) == "ODO" || string(source) == "DR" || string(source) == "MAN"
	case "spd":
		p.Speed, err = speed(s)
	case "hdg":
		p.Bearing, err = decode.Bearing(s)
	case "odo":
		p.Odometer, err = number(s)
	default:
		return m.setTrip(s, key, p)
	}
	return err
}

// setTrip reads a field about the trip or the passengers.
func (m *message) setTrip(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
	switch string(key) {
	case "desi":
		p.Line, err = s.View()
	case "route":
		p.Route, err = s.View()
	case "dir":
		var dir string
		if dir, err = s.StringOrNumber(); err == nil {
			p.Direction, err = direction(dir)
		}
	case "oday":
		m.day, err = serviceDay(s)
	case "start":
		p.StartTime, err = s.View()
	case "stop":
		p.Stop, err = s.StringOrNumber()
	case "dl":
		p.Delay, err = delay(s)
	case "drst":
		p.DoorsOpen, err = doors(s)
	case "occu":
		p.Occupancy, err = occu(s)
	case "vehiclecounts":
		return m.counts.read(s)
	default:
		return s.Skip()
	}
	return err
}
