// Package gtfs reads and writes timetables in the GTFS Schedule format
// (https://gtfs.org/documentation/schedule/reference/), as far as the platform needs them: agencies,
// stops, routes, trips, stop times, shapes, calendars and frequencies.
//
// Reading is strict about what it reads and silent about what it does not: a column that is used
// must be right in every row, and columns and files that are not used may hold anything.
package gtfs

import (
	"sync"
	"time"

	"github.com/paulmach/orb"

	"nhip"
)

// Feed is one timetable. Its slices keep the order of the files. A feed that Read returned is whole:
// every reference leads to a thing of the same feed. It is safe for many readers as long as nobody
// changes it.
type Feed struct {
	Agencies []*Agency
	Stops    []*Stop
	Routes   []*Route
	Services []*Service
	Shapes   []*Shape
	Trips    []*Trip
	Info     *Info    // nil without a feed_info.txt
	Unread   []string // files of the archive that are not used: transfers.txt, pathways.txt …

	translations map[translationKey]string

	once  sync.Once
	index index
}

// Agency is one operator. All agencies of a feed keep the same time zone.
type Agency struct {
	ID       string // empty when the feed's only agency has no id
	Name     string
	URL      string
	Location *time.Location
	Language string // IETF BCP 47, empty when not said
}

// Kinds of stops (GTFS location_type). Vehicles call at platforms only.
const (
	Platform     uint8 = 0 // where riders board; also called stop
	Station      uint8 = 1
	Entrance     uint8 = 2
	GenericNode  uint8 = 3
	BoardingArea uint8 = 4
)

// Stop is a place where vehicles call, or a part of one.
type Stop struct {
	ID         string
	Code       string // what is printed on the pole
	Name       string
	Point      orb.Point // WGS84 lon, lat; zero for nodes and boarding areas that do not say it
	Kind       uint8     // Platform, Station …
	Parent     string    // stop_id of the station it belongs to
	Wheelchair uint8     // 0 unknown, 1 possible, 2 not possible
}

// Route is one line as riders know it.
type Route struct {
	ID        string
	Agency    *Agency
	ShortName string // the number on the bus
	LongName  string
	Type      int    // 3 is bus
	Color     string // RRGGBB, empty when not said
	TextColor string // RRGGBB, empty when not said
}

// Shape is the way that trips take.
type Shape struct {
	ID    string
	Line  orb.LineString // WGS84 lon, lat
	Dists []float32      // shape_dist_traveled of each point in the feed's own unit; nil when not said
}

// Trip is one journey of a vehicle along a route, repeated on every day of its service.
type Trip struct {
	ID          string
	Route       *Route
	Service     *Service
	Shape       *Shape // nil when the feed draws none
	Headsign    string
	ShortName   string
	Direction   nhip.Opt[int] // 0 or 1
	Block       string        // trips of one block are one vehicle's work
	StopTimes   []StopTime    // by Sequence; all trips share one backing array
	Frequencies []Frequency   // when it has any, StopTimes only say how long the parts take
}

// NoDist says that a stop time has no shape_dist_traveled.
const NoDist float32 = -1

// StopTime is one call of a trip.
type StopTime struct {
	Stop      *Stop
	Arrival   Time
	Departure Time
	Sequence  int32
	Dist      float32 // shape_dist_traveled in the feed's own unit, or NoDist
	Pickup    uint8   // 0 regular, 1 none, 2 phone the agency, 3 ask the driver
	DropOff   uint8   // the same
	Estimated bool    // the feed gives no time here: it was interpolated by distance
}

// Frequency repeats a trip every Headway from Start until before End.
type Frequency struct {
	Start, End Time
	Headway    Time // > 0
	Exact      bool // departures keep to the second; otherwise only the headway is promised
}

// Info is what the publisher says of the feed.
type Info struct {
	Publisher string
	URL       string
	Language  string
	Version   string
	Start     Date // zero when not said
	End       Date // the last day that the timetable is good for; zero when not said
}

// Location returns the time zone that the feed's times are in.
func (f *Feed) Location() *time.Location { return f.Agencies[0].Location }

// index finds things by id.
type index struct {
	stops  map[string]*Stop
	routes map[string]*Route
	trips  map[string]*Trip
	shapes map[string]*Shape
}

// Stop returns the stop of that id, or nil.
func (f *Feed) Stop(id string) *Stop { return f.byID().stops[id] }

// Route returns the route of that id, or nil.
func (f *Feed) Route(id string) *Route { return f.byID().routes[id] }

// Trip returns the trip of that id, or nil.
func (f *Feed) Trip(id string) *Trip { return f.byID().trips[id] }

// Shape returns the shape of that id, or nil.
func (f *Feed) Shape(id string) *Shape { return f.byID().shapes[id] }

// byID makes the index at the first look-up, so that feeds made by hand have one too.
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
