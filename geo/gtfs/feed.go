// Package gtfs reads and writes timetables in the GTFS Schedule format
// (https://gtfs.org/documentation/schedule/reference/), as far as the platform needs them: agencies, stops,
// routes, trips, stop times, shapes, calendars and frequencies.
//
// Reading uses what is valid. A flaw costs the value, the row or the optional file that has it, and is a Finding.
// Columns and files that are not used may have any content.
package gtfs

import (
	"strings"
	"sync"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// Feed is one timetable. Its slices keep the order of the files. In a feed returned by Read every reference
// points to an object of the same feed. A feed is safe for concurrent use as long as it is not changed.
type Feed struct {
	Agencies []*Agency
	Stops    []*Stop
	Routes   []*Route
	Services []*Service
	Shapes   []*Shape
	Trips    []*Trip
	Info     *FeedInfo // nil without a feed_info.txt
	Unread   []string  // unused files of the archive: transfers.txt, pathways.txt …

	translations map[translationKey]string
	findings     *Findings
	ends         Date               // the first of the last days of feeds that were merged; 0 if none were
	renamed      map[string][]*Trip // by the id that they had before feeds were merged
	parts        []part             // the feeds that were merged; none of a single one

	once  sync.Once
	index index
}

// Agency is a transit operator. All agencies of a feed have the same time zone.
type Agency struct {
	ID       string // may be empty if the feed has only one agency
	Name     string
	URL      string
	Location *time.Location // IETF BCP 47; empty if not given
	Language string         // IETF BCP 47; empty if not given

	// For riders with a question; empty if not given.
	Phone, Email, FareURL string
}

// Types of stops (GTFS location_type). Vehicles call at platforms only.
const (
	LocationPlatform     uint8 = 0 // where riders board; also called stop
	LocationStation      uint8 = 1
	LocationEntrance     uint8 = 2
	LocationGenericNode  uint8 = 3
	LocationBoardingArea uint8 = 4
)

// Stop is a place where vehicles call, or a part or a group of such places.
type Stop struct {
	ID           string
	Code         string // the code printed at the stop
	Name         string
	Point        orb.Point // WGS84 lon, lat; zero for nodes and boarding areas without coordinates
	LocationType uint8     // LocationPlatform, LocationStation …
	Parent       string    // stop_id of the station that the stop belongs to
	Wheelchair   uint8     // 0 unknown, 1 possible, 2 not possible
}

// Route is a route as riders know it.
type Route struct {
	ID        string
	Agency    *Agency
	ShortName string // the number shown on buses
	LongName  string
	Type      int    // 3 is bus
	Color     string // RRGGBB; empty if not given
	TextColor string // RRGGBB; empty if not given

	// What riders may read of it; empty if not given.
	Description, URL string
}

// WebColor returns the color of the route as #rrggbb, or "" if it has none.
func (r *Route) WebColor() string {
	if r.Color == "" {
		return ""
	}
	return "#" + strings.ToLower(r.Color)
}

// Shape is the path of trips.
type Shape struct {
	ID    string
	Line  orb.LineString // WGS84 lon, lat
	Dists []float32      // shape_dist_traveled of each point in the feed's own unit; nil if not given
}

// Service is a set of service days: a weekly pattern in a period, with exceptions.
type Service struct {
	ID         string
	Weekdays   [7]bool // by time.Weekday
	Start, End Date    // both inclusive; zero if only calendar_dates.txt defines the service
	Added      []Date  // sorted
	Removed    []Date  // sorted
}

// Trip is one journey of a vehicle along a route. It is repeated on every day of its service.
type Trip struct {
	ID          string
	Route       *Route
	Service     *Service
	Shape       *Shape // nil if the feed has none
	Headsign    string
	ShortName   string
	Direction   nhip.Opt[int] // 0 or 1
	Block       string        // trips of one block are served by one vehicle
	StopTimes   []StopTime    // by Sequence; all trips share one backing array
	Frequencies []Frequency   // if there are any, StopTimes only define the times between stops
}

// NoDist is the Dist of a stop time without shape_dist_traveled.
const NoDist float32 = -1

// StopTime is one call of a trip.
type StopTime struct {
	Stop      *Stop
	Arrival   Time
	Departure Time
	Sequence  int32
	Dist      float32 // shape_dist_traveled in the feed's own unit, or NoDist
	Pickup    Boarding
	DropOff   Boarding
	Timepoint Timepoint
	Estimated bool // interpolated by distance, because the feed has no time here
}

// Boarding is how riders get on at a call (GTFS pickup_type), or off (drop_off_type).
type Boarding uint8

// The ways of boarding.
const (
	BoardingRegular Boarding = 0
	BoardingNone    Boarding = 1 // not at this call
	BoardingPhone   Boarding = 2 // by arrangement with the agency beforehand
	BoardingDriver  Boarding = 3 // by arrangement with the driver
)

// Timepoint is whether the times of a call are exact (GTFS timepoint).
type Timepoint uint8

// The kinds of times.
const (
	TimepointNotGiven    Timepoint = 0
	TimepointApproximate Timepoint = 1 // GTFS 0
	TimepointExact       Timepoint = 2 // GTFS 1: vehicles don't leave before the departure
)

// Frequency repeats a trip every Headway from Start until before End.
type Frequency struct {
	Start, End Time
	Headway    Time // > 0
	Exact      bool // departures are exact to the second; otherwise only the headway is guaranteed
}

// FeedInfo is the content of feed_info.txt.
type FeedInfo struct {
	Publisher string
	URL       string
	Language  string
	Version   string
	Start     Date // zero if not given
	End       Date // last day on which the timetable is valid; zero if not given
}

// translationKey identifies a translation: of a field of one record (id), or of any field with that text.
type translationKey struct{ table, field, language, id, text string }

// Findings returns the flaws that were found when the feed was read; nil if it was not read from files.
func (f *Feed) Findings() *Findings { return f.findings }

// Location returns the time zone of the feed's times.
func (f *Feed) Location() *time.Location {
	if len(f.Agencies) == 0 {
		return time.UTC // a feed that was not read
	}
	return f.Agencies[0].Location
}

// index finds objects by id.
type index struct {
	stops  map[string]*Stop
	routes map[string]*Route
	trips  map[string]*Trip
	shapes map[string]*Shape
}

// Stop returns the stop with the given id, or nil.
func (f *Feed) Stop(id string) *Stop { return f.byID().stops[id] }

// Route returns the route with the given id, or nil.
func (f *Feed) Route(id string) *Route { return f.byID().routes[id] }

// Trip returns the trip with the given id, or nil.
func (f *Feed) Trip(id string) *Trip { return f.byID().trips[id] }

// Shape returns the shape with the given id, or nil.
func (f *Feed) Shape(id string) *Shape { return f.byID().shapes[id] }

// byID builds the index at the first lookup, so that it also works for feeds that were not read from files.
func (f *Feed) byID() *index {
	f.once.Do(func() {
		f.index = index{
			stops:  byKey(f.Stops, func(s *Stop) string { return s.ID }),
			routes: byKey(f.Routes, func(r *Route) string { return r.ID }),
			trips:  byKey(f.Trips, func(t *Trip) string { return t.ID }),
			shapes: byKey(f.Shapes, func(s *Shape) string { return s.ID }),
		}
	})
	return &f.index
}

func byKey[T any](list []*T, key func(*T) string) map[string]*T {
	m := make(map[string]*T, len(list))
	for _, v := range list {
		m[key(v)] = v
	}
	return m
}
