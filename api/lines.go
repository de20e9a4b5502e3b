package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// routeAnswer is a route as riders know it.
type routeAnswer struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Name   string `json:"name,omitempty"`
	NameEn string `json:"name_en,omitempty"` // where the timetable translates it
	Agency string `json:"agency"`
	Type   int    `json:"type"` // GTFS route_type; 3 is bus
	Color  string `json:"color,omitempty"`
	Buses  int    `json:"buses"` // that are on it now
}

func (t *transit) route(r *gtfs.Route) routeAnswer {
	out := routeAnswer{ID: r.ID, Line: lineOf(r), Name: r.LongName, NameEn: t.net.Feed.RouteName(r, english), Agency: r.Agency.Name, Type: r.Type, Color: r.WebColor()}
	for _, p := range t.net.PatternsOf(r) {
		out.Buses += len(t.on[p])
	}
	return out
}

// listRoutes answers GET /v1/routes.
func (a *API) listRoutes(w http.ResponseWriter, r *http.Request) {
	t, err := a.timetable(readQuery(r).err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	out := make([]routeAnswer, 0, len(t.net.Feed.Routes))
	t.mu.RLock()
	for _, x := range t.net.Feed.Routes {
		out = append(out, t.route(x))
	}
	t.mu.RUnlock()
	writeJSON(w, struct {
		Time   time.Time     `json:"time"`
		Routes []routeAnswer `json:"routes"`
	}{a.o.Clock.Now(), out})
}

// patternAnswer is one way of a route.
type patternAnswer struct {
	ID        string         `json:"id"`
	Headsign  string         `json:"headsign"`
	Direction nhip.Opt[int]  `json:"direction,omitzero"`
	Trips     int            `json:"trips"`
	Length    float64        `json:"length_m"`
	Shape     orb.LineString `json:"shape"` // WGS84 lon, lat
	Stops     []stopRef      `json:"stops"`
	Buses     []busOnLine    `json:"buses"`
}

// busOnLine is a bus on a pattern.
type busOnLine struct {
	Agency    string         `json:"agency"`
	ID        string         `json:"id"`
	Lat       float64        `json:"lat"`
	Lon       float64        `json:"lon"`
	Time      time.Time      `json:"time"`
	State     nhip.State     `json:"state"`
	Status    string         `json:"status"` // in_service, layover or off_route
	Trip      string         `json:"trip,omitempty"`
	Along     float64        `json:"along_m"`
	NextStop  string         `json:"next_stop,omitempty"`
	Occupancy nhip.Occupancy `json:"occupancy,omitempty"`
}

func (t *transit) pattern(p *network.Pattern, now time.Time) patternAnswer {
	out := patternAnswer{
		ID: p.ID, Headsign: p.Headsign, Direction: p.Direction, Trips: len(p.Trips), Length: float64(int(p.Length())), Shape: p.Line,
		Stops: []stopRef{}, Buses: []busOnLine{},
	}
	for _, s := range p.Stops {
		out.Stops = append(out.Stops, t.ref(s))
	}
	for _, r := range t.on[p] {
		b := r.bus
		line := busOnLine{
			Agency: b.Agency, ID: b.ID, Lat: b.Lat, Lon: b.Lon, Time: b.Time, State: b.State(now), Status: string(r.state.Status),
			Trip: b.Trip, Along: r.state.Along, Occupancy: b.Occupancy,
		}
		if r.state.Next <= p.Last() {
			line.NextStop = p.Stops[r.state.Next].ID
		}
		out.Buses = append(out.Buses, line)
	}
	slices.SortFunc(out.Buses, func(a, b busOnLine) int { return strings.Compare(a.Agency+"/"+a.ID, b.Agency+"/"+b.ID) })
	return out
}

// askedRoute returns the route of a request's path.
func (a *API) askedRoute(r *http.Request, fault error) (*transit, *gtfs.Route, error) {
	id, err := pathID(r, "id")
	if fault != nil {
		err = fault
	}
	t, err := a.timetable(err)
	if err != nil {
		return nil, nil, err
	}
	route := t.net.Feed.Route(id)
	if route == nil {
		return nil, nil, nhip.Errorf(nhip.NotFound, "id", "there is no route %q", id)
	}
	return t, route, nil
}

// getRoute answers GET /v1/routes/{id}.
func (a *API) getRoute(w http.ResponseWriter, r *http.Request) {
	t, route, err := a.askedRoute(r, readQuery(r).err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	now := a.o.Clock.Now()
	patterns := []patternAnswer{}
	t.mu.RLock()
	for _, p := range t.net.PatternsOf(route) {
		patterns = append(patterns, t.pattern(p, now))
	}
	answer := t.route(route)
	t.mu.RUnlock()
	writeJSON(w, struct {
		routeAnswer
		Time     time.Time       `json:"time"`
		Patterns []patternAnswer `json:"patterns"`
	}{answer, now, patterns})
}
