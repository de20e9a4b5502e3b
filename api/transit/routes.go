package transit

import (
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// Route is a route with the number of its buses.
type Route struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Name   string `json:"name,omitempty"`
	NameEn string `json:"name_en,omitempty"` // if the timetable translates it
	Agency string `json:"agency"`
	Type   int    `json:"type"` // GTFS route_type; 3 is bus
	Color  string `json:"color,omitempty"`
	Buses  int    `json:"buses"` // on the route now
}

// Route returns a route with the number of its buses.
func (t *Timetable) Route(r *gtfs.Route) Route {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	return t.route(r)
}

// route returns what Route does. The caller must hold the tracker's lock.
func (t *Timetable) route(r *gtfs.Route) Route {
	f := t.Network.Feed
	out := Route{
		ID: r.ID, Line: LineOf(r), Name: r.LongName, NameEn: f.RouteName(r, english), Agency: r.Agency.Name, Type: r.Type,
		Color: r.WebColor(),
	}
	for _, p := range t.Network.PatternsOf(r) {
		out.Buses += len(t.tracker.onPattern[p])
	}
	return out
}

// Routes returns all routes.
func (t *Timetable) Routes() []Route {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	out := make([]Route, 0, len(t.Network.Feed.Routes))
	for _, r := range t.Network.Feed.Routes {
		out = append(out, t.route(r))
	}
	return out
}

// Pattern is a pattern of a route with its stops and buses.
type Pattern struct {
	ID        string         `json:"id"`
	Headsign  string         `json:"headsign"`
	Direction nhip.Opt[int]  `json:"direction,omitzero"`
	Trips     int            `json:"trips"`
	Length    float64        `json:"length_m"`
	Shape     orb.LineString `json:"shape"` // WGS84 lon, lat
	Stops     []StopRef      `json:"stops"`
	Buses     []BusOnPattern `json:"buses"`
}

// BusOnPattern is a bus on a pattern.
type BusOnPattern struct {
	Agency    string         `json:"agency"`
	ID        string         `json:"id"`
	Lat       float64        `json:"lat"`
	Lon       float64        `json:"lon"`
	Time      time.Time      `json:"time"`
	State     nhip.State     `json:"state"`
	Status    string         `json:"status"` // in_service, layover or off_route
	Trip      string         `json:"trip,omitempty"`
	Along     float64        `json:"along_m"` // from the start of the pattern
	NextStop  string         `json:"next_stop,omitempty"`
	Occupancy nhip.Occupancy `json:"occupancy,omitempty"`
}

// RoutePatterns returns a route and its patterns.
func (t *Timetable) RoutePatterns(r *gtfs.Route, now time.Time) (Route, []Pattern) {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	patterns := []Pattern{}
	for _, p := range t.Network.PatternsOf(r) {
		patterns = append(patterns, t.pattern(p, now))
	}
	return t.route(r), patterns
}

func (t *Timetable) pattern(p *network.Pattern, now time.Time) Pattern {
	out := Pattern{
		ID: p.ID, Headsign: p.Headsign, Direction: p.Direction, Trips: len(p.Trips), Length: float64(int(p.Length())),
		Shape: p.Line,
		Stops: []StopRef{}, Buses: []BusOnPattern{},
	}
	for _, s := range p.Stops {
		out.Stops = append(out.Stops, t.StopRef(s))
	}
	for _, x := range t.tracker.onPattern[p] {
		out.Buses = append(out.Buses, x.onPattern(p, now))
	}
	slices.SortFunc(out.Buses, func(a, b BusOnPattern) int {
		return strings.Compare(a.Agency+"/"+a.ID, b.Agency+"/"+b.ID)
	})
	return out
}

func (b *TrackedBus) onPattern(p *network.Pattern, now time.Time) BusOnPattern {
	bus, s := b.Bus, &b.State
	out := BusOnPattern{
		Agency: bus.Agency, ID: bus.ID, Time: bus.Time, State: bus.State(now),
		Lat: encode.Round(bus.Lat, encode.DegreeSteps), Lon: encode.Round(bus.Lon, encode.DegreeSteps),
		Status: string(s.Status),
		Trip:   bus.Trip, Along: s.Along, Occupancy: bus.Occupancy,
	}
	if s.Next <= p.Last() {
		out.NextStop = p.Stops[s.Next].ID
	}
	return out
}
