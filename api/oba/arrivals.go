package oba

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// arrival is a run of a trip at a stop.
type arrival struct {
	StopID                     string      `json:"stopId"`
	StopSequence               int         `json:"stopSequence"` // from 0
	TotalStopsInTrip           int         `json:"totalStopsInTrip"`
	TripID                     string      `json:"tripId"`
	TripHeadsign               string      `json:"tripHeadsign"`
	ServiceDate                int64       `json:"serviceDate"`
	RouteID                    string      `json:"routeId"`
	RouteShortName             string      `json:"routeShortName"`
	RouteLongName              string      `json:"routeLongName"`
	BlockTripSequence          int         `json:"blockTripSequence"`
	ArrivalEnabled             bool        `json:"arrivalEnabled"`
	DepartureEnabled           bool        `json:"departureEnabled"`
	ScheduledArrivalTime       int64       `json:"scheduledArrivalTime"` // Unix ms
	ScheduledDepartureTime     int64       `json:"scheduledDepartureTime"`
	Predicted                  bool        `json:"predicted"`
	PredictedArrivalTime       int64       `json:"predictedArrivalTime"` // Unix ms; 0: none
	PredictedDepartureTime     int64       `json:"predictedDepartureTime"`
	ScheduledArrivalInterval   *string     `json:"scheduledArrivalInterval"` // always null, as the four below
	ScheduledDepartureInterval *string     `json:"scheduledDepartureInterval"`
	PredictedArrivalInterval   *string     `json:"predictedArrivalInterval"`
	PredictedDepartureInterval *string     `json:"predictedDepartureInterval"`
	Frequency                  *string     `json:"frequency"`
	DistanceFromStop           float64     `json:"distanceFromStop"`  // m along the line; negative once it has passed
	NumberOfStopsAway          int         `json:"numberOfStopsAway"` // negative once it has passed
	LastUpdateTime             int64       `json:"lastUpdateTime"`    // Unix ms; 0: none
	Status                     string      `json:"status"`
	VehicleID                  string      `json:"vehicleId"`
	TripStatus                 *tripStatus `json:"tripStatus,omitempty"`
	OccupancyStatus            string      `json:"occupancyStatus"`
	PredictedOccupancy         string      `json:"predictedOccupancy"`
	HistoricalOccupancy        string      `json:"historicalOccupancy"`
	ActualTrack                string      `json:"actualTrack"`
	ScheduledTrack             string      `json:"scheduledTrack"`
	SituationIDs               []string    `json:"situationIds"`
}

// newArrival returns a run at a stop with its references.
func (q *request) newArrival(c *transit.StopCall) arrival {
	inst, trip := c.Instance, c.Instance.Trip
	call := &trip.StopTimes[c.Stop]
	a := arrival{
		StopID: q.t.QualifiedStop(call.Stop), StopSequence: c.Stop, TotalStopsInTrip: len(trip.StopTimes),
		TripID:       transit.QualifiedTrip(trip),
		TripHeadsign: transit.TripHeadsign(trip), ServiceDate: midnight(inst.Day, q.t.Network.Location()),
		RouteID: transit.QualifiedRoute(trip.Route), RouteShortName: trip.Route.ShortName, RouteLongName: trip.Route.LongName,
		BlockTripSequence:    inst.Sequence,
		ArrivalEnabled:       c.Stop > 0 && call.DropOff != gtfs.BoardingNone,
		DepartureEnabled:     c.Stop < inst.Pattern.Last() && call.Pickup != gtfs.BoardingNone,
		ScheduledArrivalTime: 1000 * inst.Arrives(c.Stop), ScheduledDepartureTime: 1000 * inst.Departs(c.Stop),
		Status: statusDefault, SituationIDs: q.refs.situationsOf(trip.Route),
	}
	q.refs.trip(trip)
	q.refs.stop(call.Stop)
	d := &c.Departure
	switch {
	case c.Told && d.Canceled():
		a.Status, a.ArrivalEnabled, a.DepartureEnabled = statusCanceled, false, false
	case c.Told && d.Skipped():
		a.ArrivalEnabled, a.DepartureEnabled = false, false
	case c.Told && d.Predicted():
		a.Predicted = true
		a.PredictedArrivalTime = d.Expected.UnixMilli()
		a.PredictedDepartureTime = max(a.PredictedArrivalTime, 1000*transit.HeldUntil(inst, c.Stop, d.Expected.Unix()))
	}
	if c.Bus != nil {
		q.setVehicle(&a, c)
	}
	a.TripStatus = q.newTripStatus(inst, c.Bus)
	if a.Status == statusCanceled {
		a.TripStatus.Status = statusCanceled
	}
	return a
}

// setVehicle sets where the bus of a run is.
func (q *request) setVehicle(a *arrival, c *transit.StopCall) {
	b := c.Bus
	a.VehicleID, a.LastUpdateTime = q.t.QualifiedVehicle(b.Bus), b.Bus.Time.UnixMilli()
	a.OccupancyStatus = string(b.Bus.Occupancy)
	if stops, metres, known := c.Away(); known {
		a.NumberOfStopsAway, a.DistanceFromStop = stops, round(metres)
	}
}

// Spans of arrivals, in minutes.
const (
	defaultBefore = 5
	defaultAfter  = 35
	maxBefore     = 60
	maxAfter      = 1440
)

// span returns the span of time of arrivals: from and until.
func (q *request) span() (from, until time.Time) {
	at := q.moment()
	before := q.integer("minutesBefore", defaultBefore, 0, maxBefore)
	after := q.integer("minutesAfter", defaultAfter, 0, maxAfter)
	return at.Add(-time.Duration(before) * time.Minute), at.Add(time.Duration(after) * time.Minute)
}

// nearbyRadius is how far stops are that are told beside a stop, in m, and nearbyStops how many there are.
const (
	nearbyRadius = 150
	nearbyStops  = 10
)

// arrivalsForStop answers arrivals-and-departures-for-stop/{id}.
func (q *request) arrivalsForStop() (any, error) {
	s, err := q.pathStop()
	from, until := q.span()
	if err != nil || q.err != nil {
		return nil, err
	}
	arrivals := []arrival{}
	q.refs.stop(s)
	for _, platform := range q.platforms(s) {
		for _, c := range q.t.StopCalls(platform, from, until, q.now) {
			arrivals = append(arrivals, q.newArrival(c))
		}
	}
	if len(arrivals) > 0 {
		slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(a.soonest() - b.soonest()) })
	}
	nearby := []string{}
	for _, hit := range q.t.Stops().Nearest(nil, s.Point, nearbyStops+1, nearbyRadius, nil) {
		if hit.Item != s {
			nearby = append(nearby, q.t.QualifiedStop(hit.Item))
			q.refs.stop(hit.Item)
		}
	}
	return q.entry(stopArrivals{
		q.t.QualifiedStop(s), arrivals, nearby, q.refs.situations(q.t.StopScope(nil, s)),
	}), nil
}

type stopArrivals struct {
	StopID       string    `json:"stopId"`
	Arrivals     []arrival `json:"arrivalsAndDepartures"`
	NearbyStops  []string  `json:"nearbyStopIds"`
	SituationIDs []string  `json:"situationIds"`
}

// soonest returns the time by which arrivals are ordered, Unix ms.
func (a *arrival) soonest() int64 {
	if a.Predicted {
		return a.PredictedDepartureTime
	}
	return a.ScheduledDepartureTime
}

// platforms returns the stops of a station at which vehicles call, or the stop itself.
func (q *request) platforms(s *gtfs.Stop) []*gtfs.Stop {
	if s.LocationType != gtfs.LocationStation {
		return []*gtfs.Stop{s}
	}
	var out []*gtfs.Stop
	for _, x := range q.feed().Stops {
		if x.Parent == s.ID && len(q.t.Network.CallsAt(x)) > 0 {
			out = append(out, x)
		}
	}
	return out
}

func (q *request) pathStop() (*gtfs.Stop, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	return q.findStop(id)
}

// arrivalForStop answers arrival-and-departure-for-stop/{id}.
func (q *request) arrivalForStop() (any, error) {
	s, err := q.pathStop()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"tripId", "serviceDate"} {
		if q.query.Get(name) == "" {
			q.fail(name, "is required")
		}
	}
	day, sequence := q.day("serviceDate"), q.integer("stopSequence", -1, 0, maxSequence)
	if q.err != nil {
		return nil, nil
	}
	trip, err := q.findTrip(q.query.Get("tripId"))
	if err != nil {
		return nil, err
	}
	inst := q.instance(trip, day)
	if inst == nil {
		return nil, errNotFound("trip on that day", transit.QualifiedTrip(trip))
	}
	stop := stopIndex(inst, s, sequence)
	if stop < 0 {
		return nil, errNotFound("call at the stop", q.t.QualifiedStop(s))
	}
	c := q.t.TripCall(inst, stop, q.now)
	return q.entry(q.newArrival(&c)), nil
}

// maxSequence bounds stopSequence.
const maxSequence = 1 << 20

// stopIndex returns the index of a stop in a run: the one that the client names, if it is that stop, or else the first;
// −1 if the run does not call there.
func stopIndex(inst *network.TripInstance, s *gtfs.Stop, sequence int) int {
	stops := inst.Pattern.Stops
	if sequence >= 0 && sequence < len(stops) && stops[sequence] == s {
		return sequence
	}
	return slices.Index(stops, s)
}

// nearbyStop is a stop of a search around a place.
type nearbyStop struct {
	StopID   string  `json:"stopId"`
	Distance float64 `json:"distanceFromQuery"` // m
}

// Limits of answers around a place.
const (
	defaultCount = 250
	maxCount     = 1000
)

// arrivalsForLocation answers arrivals-and-departures-for-location.
func (q *request) arrivalsForLocation() (any, error) {
	for _, name := range []string{"lat", "lon"} {
		if q.query.Get(name) == "" {
			q.fail(name, "is required")
		}
	}
	where, limit := q.area(defaultRadius), q.integer("maxCount", defaultCount, 1, maxCount)
	from, until := q.span()
	types, empty := q.routeTypes(), q.boolean("emptyReturnsNotFound", false)
	if q.err != nil {
		return nil, nil
	}
	e := locationArrivals{
		StopIDs: []string{}, Arrivals: []arrival{}, NearbyStops: []nearbyStop{}, SituationIDs: []string{},
	}
	stops := q.stopsIn(where)
	if len(stops) > limit {
		stops, e.LimitExceeded = stops[:limit], true
	}
	for _, s := range stops {
		e.StopIDs = append(e.StopIDs, q.t.QualifiedStop(s))
		e.NearbyStops = append(e.NearbyStops, nearbyStop{
			q.t.QualifiedStop(s),
			round(geo.DistanceHaversine(where.center, s.Point)),
		})
		q.refs.stop(s)
		if len(e.Arrivals) < limit {
			q.addArrivals(&e, s, from, until, types)
		}
	}
	if len(e.Arrivals) > limit {
		e.Arrivals, e.LimitExceeded = e.Arrivals[:limit], true
	}
	slices.SortStableFunc(e.Arrivals, func(a, b arrival) int { return int(a.soonest() - b.soonest()) })
	if empty && len(e.Arrivals) == 0 {
		return nil, errNotFound("arrival", "here")
	}
	return q.entry(e), nil
}

type locationArrivals struct {
	StopIDs       []string     `json:"stopIds"`
	Arrivals      []arrival    `json:"arrivalsAndDepartures"`
	NearbyStops   []nearbyStop `json:"nearbyStopIds"`
	SituationIDs  []string     `json:"situationIds"`
	LimitExceeded bool         `json:"limitExceeded"`
}

func (q *request) addArrivals(e *locationArrivals, s *gtfs.Stop, from, until time.Time, types map[int]bool) {
	for _, c := range q.t.StopCalls(s, from, until, q.now) {
		if types == nil || types[c.Instance.Trip.Route.Type] {
			e.Arrivals = append(e.Arrivals, q.newArrival(c))
		}
	}
}

// routeTypes returns the GTFS route types of the parameter routeType, nil for all.
func (q *request) routeTypes() map[int]bool {
	given := q.query.Get("routeType")
	if given == "" {
		return nil
	}
	types := make(map[int]bool)
	for s := range strings.SplitSeq(given, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			q.fail("routeType", "must be GTFS route types, separated by commas")
		}
		types[n] = true
	}
	return types
}

// stopsIn returns the stops in an area, the nearest first.
func (q *request) stopsIn(where area) []*gtfs.Stop {
	found := q.t.Stops().Within(nil, where.box, nil)
	out := make([]*gtfs.Stop, len(found))
	for i, hit := range found {
		out[i] = hit.Item
	}
	slices.SortStableFunc(out, func(a, b *gtfs.Stop) int {
		return cmp.Compare(geo.DistanceHaversine(where.center, a.Point), geo.DistanceHaversine(where.center, b.Point))
	})
	return out
}
