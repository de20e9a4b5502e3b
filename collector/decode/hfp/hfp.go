// Package hfp decodes HSL's High-Frequency Positioning, version 2.
//
// The topic names the vehicle and, for a bus on a journey, its line, headsign and next stop:
//
//	/hfp/v2/<journey_type>/<temporal_type>/<event>/<mode>/<operator>/<vehicle>/<route>/<direction>/
//	  <headsign>/<start>/<next_stop>/<geohash_level>/<geohash…>
//
// The topics of dead runs and sign-offs end after the vehicle. The payload is one object under the
// event's name in capitals; all of it but tst and tsi may be null. Operator and vehicle number
// together are the vehicle ("0018/01029"). dl counts seconds AHEAD of the timetable, so its sign is
// turned; direction 1 and 2 become GTFS's 0 and 1. Source: HSL, "High-frequency positioning".
package hfp

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder reads HFP v2.
var Decoder = decode.Decoder{Format: "hfp", Version: 1, Decode: read}

// endOfLine is the next stop of a bus that has passed its last.
const endOfLine = "EOL"

func read(in decode.Input, out *nhip.Facts) error {
	p := nhip.Position{Agency: in.Feed.Agency}
	if err := readTopic(in.Topic, &p); err != nil {
		return err
	}
	s := jsonscan.New(in.Payload)
	seen := false
	err := s.Object(func(key []byte) error {
		if seen || !strings.EqualFold(string(key), p.Event) {
			return nhip.Errorf(nhip.Malformed, "", "the topic says this is one %s event", strings.ToUpper(p.Event))
		}
		seen = true
		return readEvent(&s, &p)
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	if !seen {
		return nhip.Errorf(nhip.Missing, strings.ToUpper(p.Event), "is required")
	}
	out.Positions = append(out.Positions, p)
	return nil
}

// readTopic takes from the topic who speaks, what happened and what the bus is doing.
func readTopic(topic string, p *nhip.Position) error {
	rest, ok := strings.CutPrefix(topic, "/hfp/v2/")
	if !ok {
		return nhip.Errorf(nhip.Malformed, "topic", "must begin with /hfp/v2/")
	}
	var level [11]string // journey, temporal, event, mode, operator, vehicle, route, direction, headsign, start, next stop
	n := 0
	for ; n < len(level) && rest != ""; n++ {
		level[n], rest, _ = strings.Cut(rest, "/")
	}
	if n < 6 || level[4] == "" || level[5] == "" {
		return nhip.Errorf(nhip.Malformed, "topic", "must name operator and vehicle")
	}
	switch level[0] {
	case "journey":
	case "deadrun", "signoff":
		p.Deadrun = true
	default:
		return nhip.Errorf(nhip.Malformed, "topic", "journey type %q is not journey, deadrun or signoff", level[0])
	}
	if !events[level[2]] {
		return nhip.Errorf(nhip.Malformed, "topic", "event %q is not one of HFP v2", level[2])
	}
	p.Event = strings.Clone(level[2])
	p.Vehicle = level[4] + "/" + level[5]
	p.Route = strings.Clone(level[6])
	p.Direction = direction(level[7])
	p.Headsign = strings.Clone(level[8])
	p.StartTime = strings.Clone(level[9])
	if level[10] != endOfLine {
		p.NextStop = strings.Clone(level[10])
	}
	return nil
}

// readEvent reads the object under the event's name. Fields that are none of our business are
// passed over: the format is HSL's and may grow.
func readEvent(s *jsonscan.Scanner, p *nhip.Position) error {
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
	if p.Time.IsZero() {
		return nhip.Errorf(nhip.Missing, "tst", "is required")
	}
	y, hasLat := lat.Get()
	x, hasLon := lon.Get()
	if hasLat && hasLon {
		p.Point = nhip.Some(orb.Point{x, y})
	}
	return nil
}

func field(s *jsonscan.Scanner, key []byte, p *nhip.Position, lat, lon *nhip.Opt[float64]) (err error) {
	switch string(key) {
	case "tst":
		p.Time, err = decode.Time(s)
	case "lat":
		*lat, err = decode.Float(s)
	case "long":
		*lon, err = decode.Float(s)
	case "spd":
		p.Speed, err = speed(s)
	case "hdg":
		p.Bearing, err = decode.Bearing(s)
	case "desi":
		p.Line, err = s.String()
	case "route":
		p.Route, err = s.String()
	case "dir":
		var d []byte
		d, err = s.Text()
		p.Direction = direction(string(d))
	case "dl":
		var ahead int
		ahead, err = s.Int()
		p.Delay = nhip.Some(-ahead)
	case "odo":
		p.Odometer, err = decode.Float(s)
	case "drst":
		var open int
		open, err = s.Int()
		p.DoorsOpen = nhip.Some(open != 0)
	case "oday":
		p.StartDate, err = serviceDay(s)
	case "start":
		p.StartTime, err = s.String()
	case "occu":
		var percent int
		percent, err = s.Int()
		p.Occupancy = occupancy(percent)
	default:
		return s.Skip()
	}
	return err
}

// direction turns HFP's 1 and 2 into GTFS's 0 and 1; anything else is not said.
func direction(d string) nhip.Opt[int] {
	switch d {
	case "1":
		return nhip.Some(0)
	case "2":
		return nhip.Some(1)
	}
	return nhip.Opt[int]{}
}

// speed reads m/s. A negative one is what the odometer makes of being set back between trips: it
// says nothing, and the event it comes with is sound.
func speed(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := s.Float()
	if v < 0 {
		return nhip.Opt[float64]{}, err
	}
	return nhip.Some(v), err
}

func serviceDay(s *jsonscan.Scanner) (string, error) {
	text, err := s.String()
	if err != nil {
		return "", err
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", nhip.Errorf(nhip.Malformed, "", "must be a day as YYYY-MM-DD, got %q", text)
	}
	return day.Format("20060102"), nil
}

// occupancy turns a load in percent into GTFS-realtime's words, by the steps that HSL's own
// converter uses. 0 says nothing: buses without counters send it too.
func occupancy(percent int) nhip.Occupancy {
	switch {
	case percent <= 0:
		return ""
	case percent < 5:
		return nhip.OccupancyEmpty
	case percent < 20:
		return nhip.OccupancyManySeats
	case percent < 50:
		return nhip.OccupancyFewSeats
	case percent < 70:
		return nhip.OccupancyStanding
	case percent < 90:
		return nhip.OccupancyCrushed
	}
	return nhip.OccupancyFull
}

// events are the event types of HFP v2.
var events = map[string]bool{
	"vp": true, "due": true, "arr": true, "dep": true, "ars": true, "pde": true, "pas": true, "wait": true,
	"doo": true, "doc": true, "tlr": true, "tla": true, "da": true, "dout": true, "ba": true, "bout": true,
	"vja": true, "vjout": true,
}
