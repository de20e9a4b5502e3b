package nhip

import (
	"math"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// EventPosition is the event of a plain position report. Other events have the names of HFP v2 ("arr", "dep", "doo" …).
const EventPosition = "vp"

// Events about another moment or another trip than the bus's current one. They never move the bus on the map.
const (
	EventPassengers        = "apc"         // passengers counted at a stop, sent once the trip is certain
	EventPassengersPartial = "apc-partial" // the same, sent at once
	// prefix of an event of the next trip, sent beside EventPosition with the same times
	EventUpcomingPrefix = "upcoming-"
)

// Events at the start and at the end of a trip, with its line and its trip.
const (
	EventSignOn  = "vja"
	EventSignOff = "vjout"
)

// MaxSpeed is the highest plausible speed of a vehicle, in m/s.
const MaxSpeed = 70.0

// Limits of a vehicle's trip data. No vehicle carries more people, the longest train included, and a delay of two days
// belongs to another day's trip.
const (
	MaxPassengers = 10_000
	MaxDelay      = 48 * 60 * 60 // s, early or late
)

// Position is one report of a vehicle. Its identity is (agency, vehicle, event, time).
type Position struct {
	Agency  string    `json:"agency"`
	Vehicle string    `json:"vehicle"`
	Event   string    `json:"event"` // EventPosition or the name of an HFP event
	Time    time.Time `json:"time"`  // device time, UTC, whole milliseconds

	Point Opt[orb.Point] `json:"point,omitzero"` // WGS84 lon, lat; unset in a tunnel, for example
	// Point is dead-reckoned (odometer, compass, manual), not received
	Estimated bool         `json:"estimated,omitempty"`
	Speed     Opt[float64] `json:"speed,omitzero"`   // m/s
	Bearing   Opt[float64] `json:"bearing,omitzero"` // degrees clockwise from north, [0, 360)

	Route     string   `json:"route,omitempty"` // GTFS route_id
	Line      string   `json:"line,omitempty"`  // GTFS route_short_name, as riders see it
	Trip      string   `json:"trip,omitempty"`  // GTFS trip_id
	Headsign  string   `json:"headsign,omitempty"`
	Direction Opt[int] `json:"direction,omitzero"`   // GTFS direction_id: 0 or 1
	StartDate string   `json:"start_date,omitempty"` // GTFS service day, YYYYMMDD
	StartTime string   `json:"start_time,omitempty"` // HH:MM or HH:MM:SS, may pass 24:00
	NextStop  string   `json:"next_stop,omitempty"`  // GTFS stop_id
	// GTFS stop_id of the stop at which the vehicle stands or the event happened
	Stop string `json:"stop,omitempty"`

	Occupancy  Occupancy    `json:"occupancy,omitempty"`
	Passengers Opt[int]     `json:"passengers,omitzero"` // people on board, as counted
	Boarded    Opt[int]     `json:"boarded,omitzero"`    // through all doors, at this stop
	Alighted   Opt[int]     `json:"alighted,omitzero"`   // through all doors, at this stop
	Delay      Opt[int]     `json:"delay,omitzero"`      // seconds, positive = late
	Odometer   Opt[float64] `json:"odometer,omitzero"`   // metres since the trip began
	DoorsOpen  Opt[bool]    `json:"doors_open,omitzero"`

	Deadrun bool   `json:"deadrun,omitempty"` // not in service, no boarding
	Origin  Origin `json:"origin,omitempty"`

	// Resolved is true if the ids of the route, the trip and the stops are those of the timetable in use: the feed names
	// the timetable that its ids are of. Otherwise several merged timetables may have them.
	Resolved bool `json:"resolved,omitempty"`

	// Row names the position in faults where its message has many, as in `entity "5" vehicle "29B12345"`. It is not
	// kept.
	Row string `json:"-"`
}

// Moves reports whether the position may move the bus on the map.
func (p *Position) Moves() bool {
	return p.Point.Known() && !p.Deadrun &&
		p.Event != EventPassengers && p.Event != EventPassengersPartial && !strings.HasPrefix(p.Event, EventUpcomingPrefix)
}

// Validate checks p against the rules of acceptance with the default window. It returns an *Error that names the field.
// A bearing of exactly 360 is accepted; decoders write it as 0.
func (p *Position) Validate(now time.Time) error { return p.ValidateIn(WindowAt(now)) }

// ValidateIn is Validate with another window.
func (p *Position) ValidateIn(w Window) error {
	if err := CheckID("vehicle", p.Vehicle); err != nil {
		return err
	}
	if err := w.check(p.Time); err != nil {
		return err
	}
	if pt, ok := p.Point.Get(); ok {
		if err := CheckPoint(pt); err != nil {
			return err
		}
	}
	return p.checkOptional()
}

// DropInvalid removes the optional fields that ValidateIn would reject and reports each fault: a bus that does not know
// its bearing is still where it is.
func (p *Position) DropInvalid(report func(*Error)) {
	for range optionalFields {
		fault, ok := p.checkOptional().(*Error)
		if !ok {
			return
		}
		p.drop(fault.Field)
		report(fault)
	}
}

// optionalFields is at least the number of fields that drop knows.
const optionalFields = 20

// drop removes an optional field.
func (p *Position) drop(field string) {
	switch field {
	case "speed":
		p.Speed = Opt[float64]{}
	case "bearing":
		p.Bearing = Opt[float64]{}
	case "direction":
		p.Direction = Opt[int]{}
	case "occupancy":
		p.Occupancy = ""
	case "passengers":
		p.Passengers = Opt[int]{}
	case "boarded":
		p.Boarded = Opt[int]{}
	case "alighted":
		p.Alighted = Opt[int]{}
	case "delay":
		p.Delay = Opt[int]{}
	case "odometer":
		p.Odometer = Opt[float64]{}
	case "start_date":
		p.StartDate = ""
	default:
		for _, t := range p.texts() {
			if t.field == field {
				*t.value = ""
			}
		}
	}
}

// checkOptional checks the fields without which the position is still one.
func (p *Position) checkOptional() error {
	if err := checkSpan("speed", p.Speed, 0, MaxSpeed); err != nil {
		return err
	}
	if err := checkSpan("odometer", p.Odometer, -math.MaxFloat64, math.MaxFloat64); err != nil {
		return err
	}
	if err := checkSpan("bearing", p.Bearing, 0, 360); err != nil {
		return err
	}
	if d, ok := p.Direction.Get(); ok && d != 0 && d != 1 {
		return Errorf(CodeOutOfRange, "direction", "must be 0 or 1, got %d", d)
	}
	if p.Occupancy != "" && !p.Occupancy.Valid() {
		return Errorf(CodeOutOfRange, "occupancy", "must be a GTFS-realtime occupancy status, got %q", string(p.Occupancy))
	}
	if err := p.checkCounts(); err != nil {
		return err
	}
	return p.checkTexts()
}

func (p *Position) checkCounts() error {
	for _, c := range [...]struct {
		field     string
		value     Opt[int]
		low, high int
	}{
		{"passengers", p.Passengers, 0, MaxPassengers},
		{"boarded", p.Boarded, 0, MaxPassengers},
		{"alighted", p.Alighted, 0, MaxPassengers},
		{"delay", p.Delay, -MaxDelay, MaxDelay},
	} {
		if n, ok := c.value.Get(); ok && (n < c.low || n > c.high) {
			return Errorf(CodeOutOfRange, c.field, "must be between %d and %d, got %d", c.low, c.high, n)
		}
	}
	return nil
}

func (p *Position) checkTexts() error {
	for _, t := range p.texts() {
		if err := CheckText(t.field, *t.value); err != nil {
			return err
		}
	}
	if p.StartDate != "" {
		if _, err := time.Parse("20060102", p.StartDate); err != nil {
			return Errorf(CodeOutOfRange, "start_date", "must be a day as YYYYMMDD, got %q", p.StartDate)
		}
	}
	return nil
}

// positionText is a text field of a position.
type positionText struct {
	field string
	value *string
}

func (p *Position) texts() [7]positionText {
	return [...]positionText{
		{"route", &p.Route},
		{"line", &p.Line},
		{"trip", &p.Trip},
		{"headsign", &p.Headsign},
		{"next_stop", &p.NextStop},
		{"stop", &p.Stop},
		{"start_time", &p.StartTime},
	}
}

func checkSpan(field string, v Opt[float64], low, high float64) error {
	if x, ok := v.Get(); ok && !(x >= low && x <= high) {
		return Errorf(CodeOutOfRange, field, "must be between %v and %v, got %v", low, high, x)
	}
	return nil
}

// Occupancy is a GTFS-realtime occupancy status (VehiclePosition.OccupancyStatus).
type Occupancy string

// The occupancy statuses of GTFS-realtime 2.0.
const (
	OccupancyEmpty        Occupancy = "EMPTY"
	OccupancyManySeats    Occupancy = "MANY_SEATS_AVAILABLE"
	OccupancyFewSeats     Occupancy = "FEW_SEATS_AVAILABLE"
	OccupancyStanding     Occupancy = "STANDING_ROOM_ONLY"
	OccupancyCrushed      Occupancy = "CRUSHED_STANDING_ROOM_ONLY"
	OccupancyFull         Occupancy = "FULL"
	OccupancyNotAccepting Occupancy = "NOT_ACCEPTING_PASSENGERS"
	OccupancyNoData       Occupancy = "NO_DATA_AVAILABLE"
	OccupancyNotBoardable Occupancy = "NOT_BOARDABLE"
)

// Valid reports whether o is a status of GTFS-realtime 2.0.
func (o Occupancy) Valid() bool {
	switch o {
	case OccupancyEmpty, OccupancyManySeats, OccupancyFewSeats, OccupancyStanding, OccupancyCrushed,
		OccupancyFull, OccupancyNotAccepting, OccupancyNoData, OccupancyNotBoardable:
		return true
	}
	return false
}
