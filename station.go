package nhip

import (
	"cmp"
	"time"

	"github.com/paulmach/orb"
)

// Station is the whole current state of one monitoring station: the payload of nhip/live/air/<station>.
type Station struct {
	ID     string                 `json:"id"`
	Time   time.Time              `json:"time"`         // of its newest value
	Lat    Opt[float64]           `json:"lat,omitzero"` // Lat and Lon are both set or both empty
	Lon    Opt[float64]           `json:"lon,omitzero"` //
	Values map[Quantity]LiveValue `json:"values"`       // the newest of each quantity
	Origin Origin                 `json:"origin,omitempty"`
	Hours  *HourlyMeans           `json:"hours,omitempty"` // nil until an hour is complete

	// Faults are those that the comparison with other monitors shows in the last weeks; Unvouched are quantities for which
	// the others are too few, or differ too much, to vouch for this one.
	Faults    []MonitorFault `json:"faults,omitempty"`
	Unvouched []Quantity     `json:"unvouched,omitempty"`

	// Private means that Lat and Lon are empty because the station's position is private.
	Private bool `json:"private,omitempty"`

	// From the fleet; not part of the live topic.
	Name           LocalizedText `json:"-"`
	Kind           string        `json:"-"` // "reference" or "low-cost"
	Owner          string        `json:"-"`
	ReportInterval float64       `json:"-"` // time between reports, s
	Zone           string        `json:"-"` // IANA time zone; "" for the city's
	Area           string        `json:"-"` // administrative area, for reports and alert rules
	Mobile         bool          `json:"-"` // mounted on a bus
}

// StationSpan is the time span of a station's readings.
type StationSpan struct {
	Station     string
	First, Last time.Time
}

// AgencySpan is the time span of what the buses of an agency did.
type AgencySpan struct {
	Agency      string
	First, Last time.Time
}

// LiveValue is the newest value of one quantity at a station.
type LiveValue struct {
	Value  float64   `json:"value"` // in Quantity.Unit
	Time   time.Time `json:"time"`  // END of the period; not later than its arrival
	Period float64   `json:"period_s"`
	Flag   Flag      `json:"flag"`
	Tests  string    `json:"tests,omitempty"` // automatic checks that were not passed

	// DeviceTime is the time that the device reported, where its clock was ahead.
	DeviceTime time.Time `json:"device_time,omitzero"`
}

// ByDevice returns the time that the device reported, which is that of the stored reading.
func (v *LiveValue) ByDevice() time.Time {
	if v.DeviceTime.IsZero() {
		return v.Time
	}
	return v.DeviceTime
}

// Point returns the station's position as WGS84 lon, lat, and whether it is known.
func (s *Station) Point() (orb.Point, bool) {
	lat, ok1 := s.Lat.Get()
	lon, ok2 := s.Lon.Get()
	return orb.Point{lon, lat}, ok1 && ok2
}

// ValueState returns StateLive or StateStale for a value at now. A value is stale after two report intervals; the
// interval is the one declared in the fleet or else the value's averaging period.
func (s *Station) ValueState(v LiveValue, now time.Time) State {
	if now.Sub(v.Time) > 2*seconds(cmp.Or(s.ReportInterval, v.Period)) {
		return StateStale
	}
	return StateLive
}

// State returns StateLive or StateStale at now: a station is stale when its newest value is. Single values of a live
// station may be stale, where one of its instruments has stopped reporting.
func (s *Station) State(now time.Time) State {
	for _, v := range s.Values {
		if v.Time.Equal(s.Time) && s.ValueState(v, now) == StateLive {
			return StateLive
		}
	}
	return StateStale
}

// MapState returns State of a station that is on the map at now, and StateSilent of one that is not.
func (s *Station) MapState(now time.Time) State {
	if s.Expired(now) {
		return StateSilent
	}
	return s.State(now)
}

// Expired reports whether the station is too old to be shown on the map.
func (s *Station) Expired(now time.Time) bool { return now.Sub(s.Time) > StationExpiresAfter }
