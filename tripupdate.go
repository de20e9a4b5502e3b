package nhip

import (
	"strconv"
	"strings"
	"time"
)

// TripRelationship is how a trip of a realtime feed relates to the timetable
// (TripDescriptor.ScheduleRelationship of GTFS-realtime).
type TripRelationship string

// The relationships of GTFS-realtime 2.0. TripAdded is its deprecated word for both TripNew and TripDuplicated.
const (
	TripScheduled   TripRelationship = "SCHEDULED"
	TripAdded       TripRelationship = "ADDED"
	TripUnscheduled TripRelationship = "UNSCHEDULED" // a run of a line that has only headways
	TripCanceled    TripRelationship = "CANCELED"
	TripReplacement TripRelationship = "REPLACEMENT" // other stops and times than the timetable's
	TripDuplicated  TripRelationship = "DUPLICATED"  // the same trip once more, at another time
	TripDeleted     TripRelationship = "DELETED"     // canceled, and not to be shown to riders
	TripNew         TripRelationship = "NEW"
)

// Runs reports whether the trip takes place.
func (r TripRelationship) Runs() bool { return r != TripCanceled && r != TripDeleted }

// Extra reports whether the trip runs beside those of the timetable or instead of one of them: its stops and times are
// those of the update.
func (r TripRelationship) Extra() bool {
	switch r {
	case TripAdded, TripUnscheduled, TripReplacement, TripDuplicated, TripNew:
		return true
	}
	return false
}

// StopRelationship is how a stop of a trip relates to the timetable (StopTimeUpdate.ScheduleRelationship). The zero
// value is SCHEDULED.
type StopRelationship string

// The relationships of a stop.
const (
	StopSkipped     StopRelationship = "SKIPPED"
	StopNoData      StopRelationship = "NO_DATA"
	StopUnscheduled StopRelationship = "UNSCHEDULED"
)

// StopUpdate is what a feed says of one stop of a trip. A stop is named by its id, its sequence, or both.
type StopUpdate struct {
	Sequence     Opt[int]         `json:"sequence,omitzero"` // GTFS stop_sequence
	Stop         string           `json:"stop,omitempty"`    // GTFS stop_id
	Assigned     string           `json:"assigned,omitempty"`
	Relationship StopRelationship `json:"relationship,omitempty"`

	Arrival        Opt[int64] `json:"arrival,omitzero"`         // Unix s
	ArrivalDelay   Opt[int]   `json:"arrival_delay,omitzero"`   // s, positive = late
	Departure      Opt[int64] `json:"departure,omitzero"`       // Unix s
	DepartureDelay Opt[int]   `json:"departure_delay,omitzero"` // s, positive = late
}

// TripUpdate is what a realtime feed says of one trip: whether it runs, which stops it skips, and when it is expected.
type TripUpdate struct {
	Feed   string `json:"feed"`             // name of the feed, see ServiceReport
	Entity string `json:"entity,omitempty"` // id of the entity in the feed
	Agency string `json:"agency"`
	// when the operator measured it; zero: in the last report of a full feed, which repeats it
	Time time.Time `json:"time,omitzero"`

	Trip         string           `json:"trip,omitempty"`  // GTFS trip_id; of a TripDuplicated, that of the original
	Route        string           `json:"route,omitempty"` // GTFS route_id
	Direction    Opt[int]         `json:"direction,omitzero"`
	StartDate    string           `json:"start_date,omitempty"` // GTFS service day, YYYYMMDD
	StartTime    string           `json:"start_time,omitempty"` // HH:MM or HH:MM:SS, may pass 24:00
	Relationship TripRelationship `json:"relationship"`
	Vehicle      string           `json:"vehicle,omitempty"`
	Headsign     string           `json:"headsign,omitempty"` // of a trip that the timetable does not have
	Delay        Opt[int]         `json:"delay,omitzero"`     // s, of the stops before which no update stands

	NewTrip  string `json:"new_trip,omitempty"` // of a TripDuplicated: its own id, day and start
	NewDate  string `json:"new_date,omitempty"`
	NewStart string `json:"new_start,omitempty"`

	Stops []StopUpdate `json:"stops,omitempty"` // in the order of the trip
}

// MaxTripStops is the largest number of stops of a TripUpdate.
const MaxTripStops = 500

// Key identifies the trip within its feed: a feed sends one update of it at a time.
func (u *TripUpdate) Key() string {
	if u.NewTrip != "" {
		return strings.Join([]string{u.NewTrip, u.NewDate, u.NewStart}, "|")
	}
	if u.Trip != "" {
		return strings.Join([]string{u.Trip, u.StartDate, u.StartTime}, "|")
	}
	key := []string{"", u.Route, u.StartDate, u.StartTime, strconv.Itoa(u.Direction.Or(-1))}
	if u.StartTime == "" {
		key = append(key, u.Entity) // nothing else tells two trips of a route apart
	}
	return strings.Join(key, "|")
}

// ChangesService reports whether the trip differs from the timetable in more than its delay: it does not run, runs in
// addition, or skips a stop. Such updates are facts of the history; other ones are forecasts and only current.
func (u *TripUpdate) ChangesService() bool {
	if u.Relationship != TripScheduled {
		return true
	}
	for i := range u.Stops {
		if s := &u.Stops[i]; s.Relationship == StopSkipped || s.Assigned != "" {
			return true
		}
	}
	return false
}

// Change returns the update without what changes with each forecast: its content in the history.
func (u *TripUpdate) Change() TripUpdate {
	c := *u
	c.Time, c.Delay, c.Vehicle, c.Entity, c.Stops = time.Time{}, Opt[int]{}, "", "", nil
	for _, s := range u.Stops {
		if s.Relationship == StopSkipped || s.Assigned != "" {
			c.Stops = append(c.Stops, StopUpdate{
				Sequence: s.Sequence, Stop: s.Stop, Assigned: s.Assigned, Relationship: s.Relationship,
			})
		}
	}
	return c
}

// HoldsAt reports whether the update says something about a trip's service at a time. feed is the state of its feed.
func (u *TripUpdate) HoldsAt(now time.Time, feed *ServiceFeed) bool {
	holds := ServiceHolds
	if feed.Differential {
		holds = DifferentialHolds
	}
	if now.Sub(u.heard(feed)) > holds {
		return false
	}
	day, err := time.Parse("20060102", u.StartDate)
	if u.NewDate != "" {
		day, err = time.Parse("20060102", u.NewDate)
	}
	return err != nil || now.Sub(day) < tripHolds+14*time.Hour // days begin up to 14 hours before and after UTC's
}

// ForecastsAt reports whether the expected times of the update may still be told at a time.
func (u *TripUpdate) ForecastsAt(now time.Time, feed *ServiceFeed) bool {
	measured := u.Time
	if measured.IsZero() {
		measured = feed.Time
	}
	return now.Sub(feed.Time) <= ForecastHolds && now.Sub(measured) <= ForecastHolds
}

// heard returns when the feed said it last: a full feed repeats all that holds.
func (u *TripUpdate) heard(feed *ServiceFeed) time.Time {
	if feed.Differential {
		return u.Time
	}
	return feed.Time
}
