package oba

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// callTime is when a trip is at a stop.
type callTime struct {
	TripID           string `json:"tripId"`
	StopID           string `json:"stopId,omitempty"`
	ServiceID        string `json:"serviceId"`
	StopHeadsign     string `json:"stopHeadsign"`
	ArrivalTime      int64  `json:"arrivalTime"` // Unix ms, or s since the begin of the service day
	DepartureTime    int64  `json:"departureTime"`
	ArrivalEnabled   bool   `json:"arrivalEnabled"`
	DepartureEnabled bool   `json:"departureEnabled"`
}

func (q *request) newCallTime(inst *network.TripInstance, i int) callTime {
	call := &inst.Trip.StopTimes[i]
	return callTime{
		TripID:      transit.QualifiedTrip(inst.Trip),
		ServiceID:   transit.QualifiedID(transit.AgencyID(inst.Trip.Route.Agency), inst.Trip.Service.ID),
		ArrivalTime: 1000 * inst.Arrives(i), DepartureTime: 1000 * inst.Departs(i),
		ArrivalEnabled:   i > 0 && call.DropOff != gtfs.BoardingNone,
		DepartureEnabled: i < inst.Pattern.Last() && call.Pickup != gtfs.BoardingNone,
	}
}

// frequency is a span in which a line without scheduled times runs.
type frequency struct {
	ServiceDate int64  `json:"serviceDate"`
	StartTime   int64  `json:"startTime"` // Unix ms
	EndTime     int64  `json:"endTime"`
	Headway     int    `json:"headway"` // s
	ServiceID   string `json:"serviceId"`
	TripID      string `json:"tripId"`
}

// directionSchedule is the calls of one headsign of a route at a stop.
type directionSchedule struct {
	TripHeadsign string      `json:"tripHeadsign"`
	StopTimes    []callTime  `json:"scheduleStopTimes"`
	Frequencies  []frequency `json:"scheduleFrequencies"`
}

type routeSchedule struct {
	RouteID    string               `json:"routeId"`
	Directions []*directionSchedule `json:"stopRouteDirectionSchedules"`
}

// scheduleForStop answers schedule-for-stop/{id}.
func (q *request) scheduleForStop() (any, error) {
	s, err := q.pathStop()
	date := q.day("date")
	if err != nil || q.err != nil {
		return nil, err
	}
	routes := make(map[*gtfs.Route]map[string]*directionSchedule)
	for _, platform := range q.platforms(s) {
		for _, c := range q.t.Network.CallsAt(platform) {
			for _, inst := range q.t.Network.Day(date).TripInstances(c.Pattern) {
				q.addCall(routes, inst, c.At)
			}
		}
	}
	out := []routeSchedule{}
	for r, byHeadsign := range routes {
		x := routeSchedule{RouteID: transit.QualifiedRoute(r)}
		for _, headsign := range slices.Sorted(maps.Keys(byHeadsign)) {
			d := byHeadsign[headsign]
			slices.SortFunc(d.StopTimes, func(a, b callTime) int { return cmp.Compare(a.DepartureTime, b.DepartureTime) })
			x.Directions = append(x.Directions, d)
		}
		out = append(out, x)
		q.refs.route(r)
	}
	slices.SortFunc(out, func(a, b routeSchedule) int { return cmp.Compare(a.RouteID, b.RouteID) })
	q.refs.stop(s)
	return q.entry(struct {
		StopID string          `json:"stopId"`
		Date   int64           `json:"date"`
		Routes []routeSchedule `json:"stopRouteSchedules"`
	}{q.t.QualifiedStop(s), midnight(date, q.t.Network.Location()), out}), nil
}

// addCall adds a call to the schedule of its route and headsign. Of a line without scheduled times, each span is told
// once, with its headway.
func (q *request) addCall(routes map[*gtfs.Route]map[string]*directionSchedule, inst *network.TripInstance, i int) {
	r := inst.Trip.Route
	if routes[r] == nil {
		routes[r] = make(map[string]*directionSchedule)
	}
	headsign := transit.TripHeadsign(inst.Trip)
	d := routes[r][headsign]
	if d == nil {
		d = &directionSchedule{TripHeadsign: headsign, StopTimes: []callTime{}, Frequencies: []frequency{}}
		routes[r][headsign] = d
	}
	if !inst.HeadwayBased {
		d.StopTimes = append(d.StopTimes, q.newCallTime(inst, i))
		q.refs.trip(inst.Trip)
		return
	}
	for _, f := range inst.Trip.Frequencies {
		if inst.Start != f.Start {
			continue
		}
		q.refs.trip(inst.Trip)
		d.Frequencies = append(d.Frequencies, frequency{
			ServiceDate: midnight(inst.Day, q.t.Network.Location()), StartTime: 1000 * (inst.Zero + int64(f.Start)),
			EndTime: 1000 * (inst.Zero + int64(f.End)), Headway: int(f.Headway),
			ServiceID: transit.QualifiedID(transit.AgencyID(r.Agency), inst.Trip.Service.ID),
			TripID:    transit.QualifiedTrip(inst.Trip),
		})
	}
}

// tripCalls are the calls of a trip.
type tripCalls struct {
	TripID    string     `json:"tripId"`
	StopTimes []callTime `json:"stopTimes"`
}

// directionTrips are the trips of a route in one direction on a day.
type directionTrips struct {
	DirectionID string      `json:"directionId"`
	StopIDs     []string    `json:"stopIds"`
	Headsigns   []string    `json:"tripHeadsigns"`
	TripIDs     []string    `json:"tripIds"`
	Trips       []tripCalls `json:"tripsWithStopTimes"`
}

// scheduleForRoute answers schedule-for-route/{id}.
func (q *request) scheduleForRoute() (any, error) {
	r, err := q.pathRoute()
	date := q.day("date")
	if err != nil || q.err != nil {
		return nil, err
	}
	services, groups := make(map[string]bool), []directionTrips{}
	for _, direction := range q.directions(r) {
		g := directionTrips{
			DirectionID: direction.id, StopIDs: []string{}, Headsigns: []string{}, TripIDs: []string{}, Trips: []tripCalls{},
		}
		for _, s := range orderedStops(direction.patterns) {
			g.StopIDs = append(g.StopIDs, q.t.QualifiedStop(s))
			q.refs.stop(s)
		}
		for _, inst := range q.instancesOf(direction.patterns, date) {
			q.addTrip(&g, inst)
			services[transit.QualifiedID(transit.AgencyID(r.Agency), inst.Trip.Service.ID)] = true
		}
		groups = append(groups, g)
	}
	q.refs.route(r)
	return q.entry(struct {
		RouteID    string           `json:"routeId"`
		Date       int64            `json:"scheduleDate"`
		ServiceIDs []string         `json:"serviceIds"`
		Groupings  []directionTrips `json:"stopTripGroupings"`
	}{
		transit.QualifiedRoute(r), midnight(date, q.t.Network.Location()), slices.AppendSeq([]string{},
			sortedKeys(services)), groups,
	}), nil
}

func sortedKeys(m map[string]bool) func(func(string) bool) {
	return slices.Values(slices.Sorted(maps.Keys(m)))
}

// instancesOf returns the runs of patterns on a day by their departure.
func (q *request) instancesOf(patterns []*network.Pattern, date gtfs.Date) []*network.TripInstance {
	var out []*network.TripInstance
	for _, p := range patterns {
		out = append(out, q.t.Network.Day(date).TripInstances(p)...)
	}
	slices.SortStableFunc(out, func(a, b *network.TripInstance) int { return cmp.Compare(a.Departs(0), b.Departs(0)) })
	return out
}

func (q *request) addTrip(g *directionTrips, inst *network.TripInstance) {
	id := transit.QualifiedTrip(inst.Trip)
	if !slices.Contains(g.TripIDs, id) {
		g.TripIDs = append(g.TripIDs, id)
	}
	if headsign := transit.TripHeadsign(inst.Trip); !slices.Contains(g.Headsigns, headsign) {
		g.Headsigns = append(g.Headsigns, headsign)
	}
	calls := tripCalls{TripID: id, StopTimes: []callTime{}}
	for i := range inst.Pattern.Stops {
		t := q.newCallTime(inst, i)
		t.StopID = q.t.QualifiedStop(inst.Pattern.Stops[i])
		t.ArrivalTime, t.DepartureTime = int64(inst.Arrival(i)), int64(inst.Departure(i))
		calls.StopTimes = append(calls.StopTimes, t)
	}
	g.Trips = append(g.Trips, calls)
	q.refs.trip(inst.Trip)
}

// direction is the patterns of a route in one direction.
type direction struct {
	id       string // "0" or "1"; "0" also of a timetable without directions
	patterns []*network.Pattern
}

// directions returns the directions of a route.
func (q *request) directions(r *gtfs.Route) []direction {
	byID := make(map[string][]*network.Pattern)
	for _, p := range q.t.Network.PatternsOf(r) {
		id := strconv.Itoa(p.Direction.Or(0))
		byID[id] = append(byID[id], p)
	}
	var out []direction
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, direction{id, byID[id]})
	}
	return out
}

// orderedStops returns the stops of patterns in the order of the longest one. A stop that it does not have follows the
// one that is before it in its own pattern.
func orderedStops(patterns []*network.Pattern) []*gtfs.Stop {
	byLength := slices.SortedStableFunc(slices.Values(patterns), func(a, b *network.Pattern) int {
		return cmp.Compare(len(b.Stops), len(a.Stops))
	})
	var out []*gtfs.Stop
	for _, p := range byLength {
		at := -1
		for _, s := range p.Stops {
			if i := slices.Index(out, s); i >= 0 {
				at = i
				continue
			}
			at++
			out = slices.Insert(out, at, s)
		}
	}
	return out
}

// polyline is a line in Google's encoding.
type polyline struct {
	Length int    `json:"length"` // of the points as text
	Levels string `json:"levels"`
	Points string `json:"points"`
}

func newPolyline(line orb.LineString) polyline {
	points := encodePolyline(line)
	return polyline{Length: len(points), Points: points}
}

// encodePolyline encodes a line as a text: the differences between points in 1e-5 degrees, each in groups of five bits,
// the lowest first (Google's encoded polyline algorithm).
func encodePolyline(line orb.LineString) string {
	var out []byte
	var lat, lon int
	add := func(value int) {
		v := value << 1
		if value < 0 {
			v = ^v
		}
		for ; v >= 0x20; v >>= 5 {
			out = append(out, byte(0x20|v&0x1f)+63)
		}
		out = append(out, byte(v)+63)
	}
	for _, p := range line {
		y, x := int(math.Round(p.Lat()*1e5)), int(math.Round(p.Lon()*1e5))
		add(y - lat)
		add(x - lon)
		lat, lon = y, x
	}
	return string(out)
}

// groupName is the name of a group of stops.
type groupName struct {
	Name  string   `json:"name"`
	Names []string `json:"names"`
	Type  string   `json:"type"`
}

// stopGroup is the stops of a route in one direction.
type stopGroup struct {
	ID        string     `json:"id"`
	Name      groupName  `json:"name"`
	StopIDs   []string   `json:"stopIds"`
	Polylines []polyline `json:"polylines"`
}

// stopGrouping is how stops are grouped: by direction.
type stopGrouping struct {
	Type    string      `json:"type"`
	Ordered bool        `json:"ordered"`
	Groups  []stopGroup `json:"stopGroups"`
}

// stopsForRoute answers stops-for-route/{id}.
func (q *request) stopsForRoute() (any, error) {
	r, err := q.pathRoute()
	lines := q.boolean("includePolylines", true)
	if err != nil || q.err != nil {
		return nil, err
	}
	grouping := stopGrouping{Type: "direction", Ordered: true, Groups: []stopGroup{}}
	all, polylines := []string{}, []polyline{}
	for _, d := range q.directions(r) {
		g := stopGroup{ID: d.id, Name: q.nameOf(d), StopIDs: []string{}, Polylines: []polyline{}}
		for _, s := range orderedStops(d.patterns) {
			id := q.t.QualifiedStop(s)
			g.StopIDs = append(g.StopIDs, id)
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
			q.refs.stop(s)
		}
		if lines {
			g.Polylines = polylinesOf(d.patterns)
		}
		polylines = append(polylines, g.Polylines...)
		grouping.Groups = append(grouping.Groups, g)
	}
	q.refs.route(r)
	return q.entry(struct {
		RouteID   string         `json:"routeId"`
		StopIDs   []string       `json:"stopIds"`
		Polylines []polyline     `json:"polylines"`
		Groupings []stopGrouping `json:"stopGroupings"`
	}{transit.QualifiedRoute(r), all, polylines, []stopGrouping{grouping}}), nil
}

// nameOf returns the name of a direction: the headsign of most of its trips.
func (q *request) nameOf(d direction) groupName {
	trips := make(map[string]int)
	for _, p := range d.patterns {
		for _, t := range p.Trips {
			trips[transit.TripHeadsign(t)]++
		}
	}
	names := slices.SortedFunc(maps.Keys(trips), func(a, b string) int {
		return cmp.Or(cmp.Compare(trips[b], trips[a]), cmp.Compare(a, b))
	})
	return groupName{Name: names[0], Names: names, Type: "destination"}
}

// polylinesOf returns the different lines of patterns.
func polylinesOf(patterns []*network.Pattern) []polyline {
	out := []polyline{}
	for _, p := range patterns {
		if x := newPolyline(p.Line); !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// shape answers shape/{id}.
func (q *request) shape() (any, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	s, err := known(transit.FindQualified(q.t, id, func(_, rest string) *gtfs.Shape {
		return q.feed().Shape(rest)
	}), "shape", id)
	if err != nil {
		return nil, err
	}
	return q.entry(newPolyline(s.Line)), nil
}

// blockCall is a call of a trip of a block.
type blockCall struct {
	BlockSequence      int       `json:"blockSequence"`
	DistanceAlongBlock float64   `json:"distanceAlongBlock"` // m
	AccumulatedSlack   float64   `json:"accumulatedSlackTime"`
	StopTime           blockTime `json:"stopTime"`
}

type blockTime struct {
	StopID        string `json:"stopId"`
	ArrivalTime   int    `json:"arrivalTime"` // s since the begin of the service day
	DepartureTime int    `json:"departureTime"`
	PickupType    int    `json:"pickupType"`
	DropOffType   int    `json:"dropOffType"`
}

type blockTrip struct {
	TripID             string      `json:"tripId"`
	DistanceAlongBlock float64     `json:"distanceAlongBlock"` // m
	AccumulatedSlack   float64     `json:"accumulatedSlackTime"`
	StopTimes          []blockCall `json:"blockStopTimes"`
}

type blockConfiguration struct {
	ActiveServiceIDs   []string    `json:"activeServiceIds"`
	InactiveServiceIDs []string    `json:"inactiveServiceIds"`
	Trips              []blockTrip `json:"trips"`
}

// block answers block/{id} with one configuration for each service of its trips.
func (q *request) block() (any, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	trips, err := known(transit.FindQualified(q.t, id, q.tripsOfBlock), "block", id)
	if err != nil {
		return nil, err
	}
	services := make(map[string][]*gtfs.Trip)
	for _, t := range *trips {
		service := transit.QualifiedID(transit.AgencyID(t.Route.Agency), t.Service.ID)
		services[service] = append(services[service], t)
		q.refs.trip(t)
	}
	configurations := []blockConfiguration{}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		c := blockConfiguration{ActiveServiceIDs: []string{service}, InactiveServiceIDs: []string{}}
		along, slack, sequence := 0.0, 0.0, 0
		for _, t := range services[service] {
			x := q.newBlockTrip(t, along, slack, sequence)
			along += q.t.Network.PatternOf(t).Length()
			slack += slackOf(t)
			sequence += len(t.StopTimes)
			c.Trips = append(c.Trips, x)
		}
		configurations = append(configurations, c)
	}
	return q.entry(struct {
		ID             string               `json:"id"`
		Configurations []blockConfiguration `json:"configurations"`
	}{id, configurations}), nil
}

// tripsOfBlock returns the trips of a block by their departure, nil if there is none.
func (q *request) tripsOfBlock(agency, block string) *[]*gtfs.Trip {
	var out []*gtfs.Trip
	for _, t := range q.feed().Trips {
		if t.Block == block && transit.AgencyID(t.Route.Agency) == agency && q.t.Network.PatternOf(t) != nil {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil
	}
	slices.SortStableFunc(out, func(a, b *gtfs.Trip) int {
		return cmp.Compare(a.StopTimes[0].Departure, b.StopTimes[0].Departure)
	})
	return &out
}

// slackOf returns how long a trip stands at its stops, in s.
func slackOf(t *gtfs.Trip) (slack float64) {
	for _, call := range t.StopTimes {
		slack += float64(call.Departure - call.Arrival)
	}
	return slack
}

// newBlockTrip returns a trip of a block. along, slack and sequence are those of the trips before it.
func (q *request) newBlockTrip(t *gtfs.Trip, along, slack float64, sequence int) blockTrip {
	p := q.t.Network.PatternOf(t)
	x := blockTrip{
		TripID: transit.QualifiedTrip(t), DistanceAlongBlock: round(along), AccumulatedSlack: slack,
		StopTimes: []blockCall{},
	}
	for i, call := range t.StopTimes {
		x.StopTimes = append(x.StopTimes, blockCall{
			BlockSequence: sequence + i, DistanceAlongBlock: round(along + p.Along[i]), AccumulatedSlack: slack,
			StopTime: blockTime{
				StopID: q.t.QualifiedStop(call.Stop), ArrivalTime: int(call.Arrival), DepartureTime: int(call.Departure),
				PickupType: int(call.Pickup), DropOffType: int(call.DropOff),
			},
		})
		slack += float64(call.Departure - call.Arrival)
		q.refs.stop(call.Stop)
	}
	return x
}
