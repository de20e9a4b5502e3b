package nhip

import (
	"cmp"
	"time"

	"github.com/paulmach/orb"
)

// How long the city's things are shown after their last word.
const (
	BusLeavesAfter     = 2 * time.Hour
	StationLeavesAfter = 30 * 24 * time.Hour
)

// minBusSilence is the least silence after which a bus is stale, whatever its fix interval.
const minBusSilence = 90 * time.Second

// State says whether a fact may be read as "now".
type State string

// A live fact is fresh; a stale one is shown with its age and never as live.
const (
	Live  State = "live"
	Stale State = "stale"
)

// Bus is the whole current state of one vehicle: the payload of nhip/live/bus/<agency>/<vehicle>.
type Bus struct {
	ID         string       `json:"id"`
	Agency     string       `json:"agency"`
	Time       time.Time    `json:"time"` // of the fix
	Lat        float64      `json:"lat"`
	Lon        float64      `json:"lon"`
	Estimated  bool         `json:"estimated,omitempty"` // the place is reckoned, not received
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
	Stop       string       `json:"stop,omitempty"` // where it stands
	Occupancy  Occupancy    `json:"occupancy,omitempty"`
	Passengers Opt[int]     `json:"passengers,omitzero"`
	Delay      Opt[int]     `json:"delay,omitzero"`
	DoorsOpen  Opt[bool]    `json:"doors_open,omitzero"`
	Interval   float64      `json:"interval_s,omitempty"` // usual time between fixes, as observed
	Latency    float64      `json:"latency_s,omitempty"`  // what its feed declares
	Origin     Origin       `json:"origin,omitempty"`
	Track      *Track       `json:"track,omitempty"` // nil where buses are not followed

	// What the fleet says of it; the live topic does not hold it.
	Plate     string  `json:"-"`
	UsualLine string  `json:"-"`
	Declared  float64 `json:"-"` // time between fixes, s
}

// Bus returns what a vehicle said of itself at a place, WGS84 lon, lat, as its state.
func (p *Position) Bus(at orb.Point) *Bus {
	return &Bus{
		ID: p.Vehicle, Agency: p.Agency, Time: p.Time, Lat: at.Lat(), Lon: at.Lon(), Estimated: p.Estimated, Speed: p.Speed, Bearing: p.Bearing,
		Route: p.Route, Line: p.Line, Trip: p.Trip, Headsign: p.Headsign, Direction: p.Direction, StartDate: p.StartDate, StartTime: p.StartTime,
		NextStop: p.NextStop, Stop: p.Stop, Occupancy: p.Occupancy, Passengers: p.Passengers, Delay: p.Delay, DoorsOpen: p.DoorsOpen, Origin: p.Origin,
	}
}

// Point returns the bus's place as WGS84 lon, lat.
func (b *Bus) Point() orb.Point { return orb.Point{b.Lon, b.Lat} }

// StaleAfter is the age from which the bus's fix is not live any more: max(90 s, 3 × its fix
// interval) plus the latency that its feed declares. The interval is the fleet's or, where it says none,
// what was observed.
func (b *Bus) StaleAfter() time.Duration {
	return max(minBusSilence, seconds(3*cmp.Or(b.Declared, b.Interval))) + seconds(b.Latency)
}

// State tells whether the bus's fix may be shown as live at now.
func (b *Bus) State(now time.Time) State {
	if now.Sub(b.Time) > b.StaleAfter() {
		return Stale
	}
	return Live
}

// Gone reports whether the bus has left the map.
func (b *Bus) Gone(now time.Time) bool { return now.Sub(b.Time) > BusLeavesAfter }

// Station is the whole current state of one monitor: the payload of nhip/live/air/<station>.
type Station struct {
	ID     string                 `json:"id"`
	Time   time.Time              `json:"time"`         // of its newest value
	Lat    Opt[float64]           `json:"lat,omitzero"` // both or neither
	Lon    Opt[float64]           `json:"lon,omitzero"` //
	Values map[Quantity]LiveValue `json:"values"`       // the newest of each quantity
	Origin Origin                 `json:"origin,omitempty"`
	Hours  *AirHours              `json:"hours,omitempty"` // nil where none is complete yet

	// What the fleet says of it; the live topic does not hold it.
	Name    Name    `json:"-"`
	Kind    string  `json:"-"` // "reference" or "low-cost"
	Owner   string  `json:"-"`
	Reports float64 `json:"-"` // time between reports, s
	Zone    string  `json:"-"` // IANA name; "": the city's
	Area    string  `json:"-"` // by which reports are made
	Mobile  bool    `json:"-"` // rides on a bus
}

// Name is what people call a thing.
type Name struct {
	Vi string `json:"vi,omitempty"`
	En string `json:"en,omitempty"`
}

// LiveValue is the newest value of one quantity at a station.
type LiveValue struct {
	Value  float64   `json:"value"` // in Quantity.Unit
	Time   time.Time `json:"time"`  // END of the period
	Period float64   `json:"period_s"`
	Flag   Flag      `json:"flag"`
	Tests  string    `json:"tests,omitempty"` // the automatic checks that it did not pass
}

// Point returns the station's place as WGS84 lon, lat, when it is known.
func (s *Station) Point() (orb.Point, bool) {
	lat, ok1 := s.Lat.Get()
	lon, ok2 := s.Lon.Get()
	return orb.Point{lon, lat}, ok1 && ok2
}

// ValueState tells whether a value may be shown as live at now: it is stale after two reporting periods,
// which are the fleet's or, where it says none, what the value is the mean of.
func (s *Station) ValueState(v LiveValue, now time.Time) State {
	if now.Sub(v.Time) > 2*seconds(cmp.Or(s.Reports, v.Period)) {
		return Stale
	}
	return Live
}

// State tells whether the station may be shown as live at now: it is stale when its newest value
// is. A station may be live and one of its values stale, when one of its instruments is silent.
func (s *Station) State(now time.Time) State {
	for _, v := range s.Values {
		if v.Time.Equal(s.Time) && s.ValueState(v, now) == Live {
			return Live
		}
	}
	return Stale
}

// Gone reports whether the station has left the map.
func (s *Station) Gone(now time.Time) bool { return now.Sub(s.Time) > StationLeavesAfter }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
