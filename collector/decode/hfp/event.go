package hfp

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// message is what an event says that is not yet a fact.
type message struct {
	lat, lon nhip.Opt[float64]
	seconds  nhip.Opt[int] // tsi
	nowhere  bool          // the source of the coordinates says there are none
	day      time.Time     // oday
	counts   counts
}

// readEvent reads the object under the event's name. Texts that it gives p still lie in the payload.
func readEvent(s *jsonscan.Scanner, p *nhip.Position, zone *time.Location) error {
	var m message
	err := s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return m.where(s, key, p)
	})
	if err != nil {
		return err
	}
	if tsi, ok := m.seconds.Get(); ok && p.Time.IsZero() {
		p.Time = time.Unix(int64(tsi), 0).UTC()
	}
	if p.Time.IsZero() {
		return nhip.Errorf(nhip.Missing, "tst", "is required")
	}
	m.counts.fill(p)
	if err := m.place(p); err != nil {
		return err
	}
	return m.start(p, zone)
}

// place sets the point. Half a place is a fault, none is usual.
func (m *message) place(p *nhip.Position) error {
	lat, hasLat := m.lat.Get()
	lon, hasLon := m.lon.Get()
	switch {
	case hasLat && !hasLon:
		return nhip.Errorf(nhip.Missing, "long", "is required where there is a lat")
	case hasLon && !hasLat:
		return nhip.Errorf(nhip.Missing, "lat", "is required where there is a long")
	case hasLat && !m.nowhere:
		p.Point = nhip.Some(orb.Point{lon, lat})
	default:
		p.Estimated = false
	}
	return nil
}

// where reads a field of when and where the vehicle is.
func (m *message) where(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
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
		m.nowhere = string(source) == "N/A"
		p.Estimated = string(source) == "ODO" || string(source) == "DR" || string(source) == "MAN"
	case "spd":
		p.Speed, err = speed(s)
	case "hdg":
		p.Bearing, err = decode.Bearing(s)
	case "odo":
		p.Odometer, err = number(s)
	default:
		return m.what(s, key, p)
	}
	return err
}

// what reads a field of what the vehicle is doing.
func (m *message) what(s *jsonscan.Scanner, key []byte, p *nhip.Position) (err error) {
	switch string(key) {
	case "desi":
		p.Line, err = s.View()
	case "route":
		p.Route, err = s.View()
	case "dir":
		var dir string
		if dir, err = s.Plain(); err == nil {
			p.Direction, err = direction(dir)
		}
	case "oday":
		m.day, err = serviceDay(s)
	case "start":
		p.StartTime, err = s.View()
	case "stop":
		p.Stop, err = s.Plain()
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
