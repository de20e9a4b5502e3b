package nhip

import (
	"math"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// Fix is the event of a plain position: the bus says where it is and nothing else happened.
// Other events carry the names of HFP v2 ("arr", "dep", "doo" …).
const Fix = "vp"

// Events that tell of another moment or another trip than the bus's own now, and so never move it.
const (
	Counted     = "apc"         // passengers were counted at a stop, told once the trip is known for sure
	CountedPart = "apc-partial" // the same, told at once
	Upcoming    = "upcoming-"   // before a name: the trip after this one, sent beside Fix with the same times
)

// MaxSpeed is the fastest a vehicle can be, in m/s: beyond it the receiver is wrong.
const MaxSpeed = 70.0

// Limits of what a vehicle says of its trip. No vehicle carries more people, the longest train included,
// and whoever is two days off is on another day's trip.
const (
	MaxPassengers = 10_000
	MaxDelay      = 48 * 60 * 60 // seconds, either way
)

// nullIsland is how near to 0,0 a fix is a receiver without one, in degrees (1.1 km).
const nullIsland = 0.01

// Position is one thing a vehicle said of itself at one moment. Its identity is (agency, vehicle,
// event, time).
type Position struct {
	Agency  string    `json:"agency"`
	Vehicle string    `json:"vehicle"`
	Event   string    `json:"event"` // Fix, or the name of an HFP event
	Time    time.Time `json:"time"`  // the device's own, UTC, whole milliseconds

	Point     Opt[orb.Point] `json:"point,omitzero"`      // WGS84 lon, lat; a vehicle in a tunnel may say all but this
	Estimated bool           `json:"estimated,omitempty"` // Point is reckoned (odometer, compass, by hand), not received
	Speed     Opt[float64]   `json:"speed,omitzero"`      // m/s
	Bearing   Opt[float64]   `json:"bearing,omitzero"`    // degrees clockwise from north, [0, 360)

	Route     string   `json:"route,omitempty"` // GTFS route_id
	Line      string   `json:"line,omitempty"`  // the number shown to riders
	Trip      string   `json:"trip,omitempty"`  // GTFS trip_id
	Headsign  string   `json:"headsign,omitempty"`
	Direction Opt[int] `json:"direction,omitzero"`   // GTFS direction_id: 0 or 1
	StartDate string   `json:"start_date,omitempty"` // GTFS service day, YYYYMMDD
	StartTime string   `json:"start_time,omitempty"` // HH:MM or HH:MM:SS, may pass 24:00
	NextStop  string   `json:"next_stop,omitempty"`  // GTFS stop_id
	Stop      string   `json:"stop,omitempty"`       // GTFS stop_id of where it stands, or of where the event was

	Occupancy  Occupancy    `json:"occupancy,omitempty"`
	Passengers Opt[int]     `json:"passengers,omitzero"` // people on board, as counted
	Boarded    Opt[int]     `json:"boarded,omitzero"`    // through all doors, at this stop
	Alighted   Opt[int]     `json:"alighted,omitzero"`   // through all doors, at this stop
	Delay      Opt[int]     `json:"delay,omitzero"`      // seconds, positive = late
	Odometer   Opt[float64] `json:"odometer,omitzero"`   // metres since the trip began
	DoorsOpen  Opt[bool]    `json:"doors_open,omitzero"`

	Deadrun bool   `json:"deadrun,omitempty"` // not in service: nobody can board
	Origin  Origin `json:"origin,omitempty"`
}

// Moves reports whether the position may move the bus on riders' maps.
func (p *Position) Moves() bool {
	return p.Point.Known() && !p.Deadrun &&
		p.Event != Counted && p.Event != CountedPart && !strings.HasPrefix(p.Event, Upcoming)
}

// Validate checks p against the rules at the door and returns an *Error naming the field. A
// bearing of exactly 360 is accepted; decoders write it as 0.
func (p *Position) Validate(now time.Time) error { return p.ValidateIn(WindowAt(now)) }

// ValidateIn is Validate with a window that is not the usual one.
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
	if err := checkSpan("speed", p.Speed, 0, MaxSpeed); err != nil {
		return err
	}
	if err := checkSpan("bearing", p.Bearing, 0, 360); err != nil {
		return err
	}
	if d, ok := p.Direction.Get(); ok && d != 0 && d != 1 {
		return Errorf(OutOfRange, "direction", "must be 0 or 1, got %d", d)
	}
	if p.Occupancy != "" && !p.Occupancy.Valid() {
		return Errorf(OutOfRange, "occupancy", "must be a GTFS-realtime occupancy status, got %q", string(p.Occupancy))
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
			return Errorf(OutOfRange, c.field, "must be between %d and %d, got %d", c.low, c.high, n)
		}
	}
	return nil
}

func (p *Position) checkTexts() error {
	for _, t := range [...]struct{ field, value string }{
		{"route", p.Route},
		{"line", p.Line},
		{"trip", p.Trip},
		{"headsign", p.Headsign},
		{"next_stop", p.NextStop},
		{"stop", p.Stop},
		{"start_time", p.StartTime},
	} {
		if err := CheckText(t.field, t.value); err != nil {
			return err
		}
	}
	if p.StartDate != "" {
		if _, err := time.Parse("20060102", p.StartDate); err != nil {
			return Errorf(OutOfRange, "start_date", "must be a day as YYYYMMDD, got %q", p.StartDate)
		}
	}
	return nil
}

// CheckPoint refuses coordinates outside WGS84 and those of a receiver without a fix. Fields are
// named lat and lon.
func CheckPoint(p orb.Point) error {
	switch lon, lat := p.Lon(), p.Lat(); {
	case !(lat >= -90 && lat <= 90): // written so that NaN fails
		return Errorf(OutOfRange, "lat", "must be between -90 and 90, got %v", lat)
	case !(lon >= -180 && lon <= 180):
		return Errorf(OutOfRange, "lon", "must be between -180 and 180, got %v", lon)
	case math.Abs(lat) < nullIsland && math.Abs(lon) < nullIsland:
		return Errorf(NullIsland, "lat", "0,0 is what a receiver without a fix says")
	}
	return nil
}

func checkSpan(field string, v Opt[float64], low, high float64) error {
	if x, ok := v.Get(); ok && !(x >= low && x <= high) {
		return Errorf(OutOfRange, field, "must be between %v and %v, got %v", low, high, x)
	}
	return nil
}

// Occupancy is how full a vehicle is, in GTFS-realtime's words (VehiclePosition.OccupancyStatus).
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

// Valid reports whether o is one of GTFS-realtime's statuses.
func (o Occupancy) Valid() bool {
	switch o {
	case OccupancyEmpty, OccupancyManySeats, OccupancyFewSeats, OccupancyStanding, OccupancyCrushed,
		OccupancyFull, OccupancyNotAccepting, OccupancyNoData, OccupancyNotBoardable:
		return true
	}
	return false
}
