package nhip

import (
	"cmp"
	"time"

	"github.com/paulmach/orb"
)

// Ages of the last message after which buses and stations are no longer shown on the map.
const (
	BusExpiresAfter     = 2 * time.Hour
	StationExpiresAfter = 30 * 24 * time.Hour
)

// minBusSilence is the shortest silence after which a bus is stale, whatever its fix interval.
const minBusSilence = 90 * time.Second

// State classifies how current a fact is.
type State string

// The states. A stale fact is shown with its age and never presented as live.
const (
	StateLive   State = "live"
	StateStale  State = "stale"
	StateSilent State = "silent" // of a station that is not on the map: it has not reported for long, or never
)

// Bus is the whole current state of one vehicle: the payload of nhip/live/bus/<agency>/<vehicle>.
type Bus struct {
	ID         string       `json:"id"`
	Agency     string       `json:"agency"`
	Time       time.Time    `json:"time"`                 // of the fix; not later than its arrival
	DeviceTime time.Time    `json:"device_time,omitzero"` // as the device reported it, where its clock was ahead
	Lat        float64      `json:"lat"`
	Lon        float64      `json:"lon"`
	Estimated  bool         `json:"estimated,omitempty"` // the position is dead-reckoned, not received
	Speed      Opt[float64] `json:"speed,omitzero"`
	Bearing    Opt[float64] `json:"bearing,omitzero"`
	Route      string       `json:"route,omitempty"`
	Line       string       `json:"line,omitempty"`
	Trip       string       `json:"trip,omitempty"`
	Headsign   string       `json:"headsign,omitempty"`
	Direction  Opt[int]     `json:"direction,omitzero"`
	StartDate  string       `json:"start_date,omitempty"`
	StartTime  string       `json:"start_time,omitempty"`
	NextStop   string       `json:"next_stop,omitempty"`
	Stop       string       `json:"stop,omitempty"` // stop at which the bus is standing
	Occupancy  Occupancy    `json:"occupancy,omitempty"`
	Passengers Opt[int]     `json:"passengers,omitzero"`
	Delay      Opt[int]     `json:"delay,omitzero"`
	DoorsOpen  Opt[bool]    `json:"doors_open,omitzero"`
	Interval   float64      `json:"interval_s,omitempty"` // observed typical time between fixes
	Latency    float64      `json:"latency_s,omitempty"`  // delay that the feed declares
	Origin     Origin       `json:"origin,omitempty"`
	Track      *Track       `json:"track,omitempty"` // nil where buses are not tracked

	// From the fleet; not part of the live topic.
	Plate            string  `json:"-"`
	UsualLine        string  `json:"-"`
	DeclaredInterval float64 `json:"-"` // time between fixes, s
}

// Bus returns the state of a vehicle that reported p at the given point (WGS84 lon, lat).
func (p *Position) Bus(at orb.Point) *Bus {
	return &Bus{
		ID: p.Vehicle, Agency: p.Agency, Time: p.Time,
		Lat: at.Lat(), Lon: at.Lon(), Estimated: p.Estimated, Speed: p.Speed, Bearing: p.Bearing,
		Route: p.Route, Line: p.Line, Trip: p.Trip, Headsign: p.Headsign, Direction: p.Direction,
		StartDate: p.StartDate, StartTime: p.StartTime, NextStop: p.NextStop, Stop: p.Stop,
		Occupancy: p.Occupancy, Passengers: p.Passengers, Delay: p.Delay, DoorsOpen: p.DoorsOpen, Origin: p.Origin,
	}
}

// Point returns the bus's position as WGS84 lon, lat.
func (b *Bus) Point() orb.Point { return orb.Point{b.Lon, b.Lat} }

// StaleAfter returns the age at which the bus's fix becomes stale: max(90 s, 3 × the fix interval) plus the latency
// that the feed declares. The interval is the one declared in the fleet or else the observed one.
func (b *Bus) StaleAfter() time.Duration {
	return max(minBusSilence, seconds(3*cmp.Or(b.DeclaredInterval, b.Interval))) + seconds(b.Latency)
}

// State returns StateLive or StateStale at now.
func (b *Bus) State(now time.Time) State {
	if now.Sub(b.Time) > b.StaleAfter() {
		return StateStale
	}
	return StateLive
}

// Expired reports whether the bus is too old to be shown on the map.
func (b *Bus) Expired(now time.Time) bool { return now.Sub(b.Time) > BusExpiresAfter }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
