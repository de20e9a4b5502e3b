package oba

import (
	"math"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"

	"github.com/paulmach/orb"
)

type location struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

func newLocation(p orb.Point) *location { return &location{p.Lat(), p.Lon()} }

// tripStatus is where the vehicle of a trip is, or, if none is known, where it should be.
type tripStatus struct {
	ActiveTripID               string    `json:"activeTripId"`
	BlockTripSequence          int       `json:"blockTripSequence"`
	ServiceDate                int64     `json:"serviceDate"`
	VehicleID                  string    `json:"vehicleId"`
	Phase                      string    `json:"phase"`
	Status                     string    `json:"status"`
	Predicted                  bool      `json:"predicted"`
	ScheduleDeviation          int       `json:"scheduleDeviation"` // s, positive = late
	Position                   *location `json:"position,omitempty"`
	Orientation                float64   `json:"orientation"` // degrees counterclockwise from east
	LastKnownLocation          *location `json:"lastKnownLocation"`
	LastKnownOrientation       float64   `json:"lastKnownOrientation"`
	LastUpdateTime             int64     `json:"lastUpdateTime"` // Unix ms; 0: none
	LastLocationUpdateTime     int64     `json:"lastLocationUpdateTime"`
	DistanceAlongTrip          float64   `json:"distanceAlongTrip"`          // m
	ScheduledDistanceAlongTrip float64   `json:"scheduledDistanceAlongTrip"` // m
	LastKnownDistanceAlongTrip int       `json:"lastKnownDistanceAlongTrip"` // m; the iOS app wants a whole number
	TotalDistanceAlongTrip     float64   `json:"totalDistanceAlongTrip"`     // m
	ClosestStop                string    `json:"closestStop"`
	ClosestStopTimeOffset      int       `json:"closestStopTimeOffset"` // s until it is there
	NextStop                   string    `json:"nextStop"`
	NextStopTimeOffset         int       `json:"nextStopTimeOffset"`
	OccupancyStatus            string    `json:"occupancyStatus"`
	OccupancyCount             int       `json:"occupancyCount"` // −1: unknown
	OccupancyCapacity          int       `json:"occupancyCapacity"`
	Frequency                  *string   `json:"frequency"` // always null: the contract has no form for it
	SituationIDs               []string  `json:"situationIds"`
}

// Words of a trip status.
const (
	phaseInProgress = "in_progress"
	phaseLayover    = "layover_before"
	phaseDeadhead   = "deadhead_before"

	statusDefault  = "default"
	statusCanceled = "CANCELED"
)

// newTripStatus returns the status of a run of a trip. bus is the one that serves it, or serves an earlier trip of its
// block; nil if none is known.
func (q *request) newTripStatus(inst *network.TripInstance, bus *transit.TrackedBus) *tripStatus {
	active := inst
	if bus != nil && bus.State.Instance != nil {
		active = bus.State.Instance
	}
	p := active.Pattern
	scheduled := q.scheduledAlong(active)
	s := &tripStatus{
		ActiveTripID: transit.QualifiedTrip(active.Trip), BlockTripSequence: active.Sequence, Phase: phaseInProgress,
		ServiceDate: midnight(active.Day, q.t.Network.Location()), Status: statusDefault, SituationIDs: []string{},
		DistanceAlongTrip: round(scheduled), ScheduledDistanceAlongTrip: round(scheduled),
		TotalDistanceAlongTrip: round(p.Length()), OccupancyCount: -1, OccupancyCapacity: -1,
	}
	along, next := scheduled, p.NextStop(scheduled)
	if bus != nil && bus.State.Pattern == p {
		along, next = bus.State.Along, bus.State.Next
		q.setBus(s, bus)
	} else {
		at, bearing := p.At(along)
		s.Position, s.Orientation = newLocation(at), orientation(bearing)
		s.LastKnownDistanceAlongTrip = int(along)
	}
	q.setStops(s, active, along, next)
	q.refs.trip(active.Trip)
	return s
}

// setBus sets what the bus reports.
func (q *request) setBus(s *tripStatus, bus *transit.TrackedBus) {
	b, state := bus.Bus, &bus.State
	s.VehicleID, s.Predicted = q.t.QualifiedVehicle(b), b.State(q.now) == nhip.StateLive
	s.LastUpdateTime, s.LastLocationUpdateTime = b.Time.UnixMilli(), b.Time.UnixMilli()
	s.LastKnownLocation, s.Position = newLocation(b.Point()), newLocation(b.Point())
	s.DistanceAlongTrip, s.LastKnownDistanceAlongTrip = round(state.Along), int(state.Along)
	_, bearing := state.Pattern.At(state.Along)
	s.LastKnownOrientation = orientation(b.Bearing.Or(bearing))
	s.Orientation = s.LastKnownOrientation
	if delay, known := state.Delay(); known {
		s.ScheduleDeviation = int(math.Round(delay))
	}
	switch state.Status {
	case track.StatusLayover:
		s.Phase = phaseLayover
	case track.StatusDeadhead:
		s.Phase = phaseDeadhead
	}
	s.OccupancyStatus = string(b.Occupancy)
	if n, known := b.Passengers.Get(); known {
		s.OccupancyCount = n
	}
}

// setStops sets the closest and the next stop, with the time until the trip is there.
func (q *request) setStops(s *tripStatus, inst *network.TripInstance, along float64, next int) {
	p := inst.Pattern
	closest := min(next, p.Last())
	if closest > 0 && along-p.Along[closest-1] < p.Along[closest]-along {
		closest--
	}
	offset := func(stop int) int {
		return int(inst.Arrives(stop) + int64(s.ScheduleDeviation) - q.now.Unix())
	}
	s.ClosestStop, s.ClosestStopTimeOffset = q.t.QualifiedStop(p.Stops[closest]), offset(closest)
	q.refs.stop(p.Stops[closest])
	if next <= p.Last() {
		s.NextStop, s.NextStopTimeOffset = q.t.QualifiedStop(p.Stops[next]), offset(next)
		q.refs.stop(p.Stops[next])
	}
}

// scheduledAlong returns where the timetable has a run now, in m along its line.
func (q *request) scheduledAlong(inst *network.TripInstance) float64 {
	p, now := inst.Pattern, q.now.Unix()
	for i := range p.Stops {
		if inst.Departs(i) < now {
			continue
		}
		if i == 0 || inst.Arrives(i) <= now {
			return p.Along[i]
		}
		from, to := inst.Departs(i-1), inst.Arrives(i)
		part := float64(now-from) / float64(max(to-from, 1))
		return p.Along[i-1] + part*(p.Along[i]-p.Along[i-1])
	}
	return p.Along[p.Last()]
}

// orientation turns a bearing, degrees clockwise from north, into degrees counterclockwise from east.
func orientation(bearing float64) float64 { return round(math.Mod(450-bearing, 360)) }

// round rounds to two decimals.
func round(x float64) float64 { return math.Round(100*x) / 100 }

// schedule is the timetable of a run.
type schedule struct {
	Frequency      *string            `json:"frequency"`
	NextTripID     string             `json:"nextTripId"`
	PreviousTripID string             `json:"previousTripId"`
	StopTimes      []scheduleStopTime `json:"stopTimes"`
	TimeZone       string             `json:"timeZone"`
}

type scheduleStopTime struct {
	StopID              string  `json:"stopId"`
	ArrivalTime         int     `json:"arrivalTime"` // s since the begin of the service day
	DepartureTime       int     `json:"departureTime"`
	DistanceAlongTrip   float64 `json:"distanceAlongTrip"` // m
	StopHeadsign        string  `json:"stopHeadsign"`
	HistoricalOccupancy string  `json:"historicalOccupancy"`
}

func (q *request) newSchedule(inst *network.TripInstance) *schedule {
	s := &schedule{StopTimes: []scheduleStopTime{}, TimeZone: q.t.Network.Location().String()}
	if inst.Next != nil {
		s.NextTripID = transit.QualifiedTrip(inst.Next.Trip)
		q.refs.trip(inst.Next.Trip)
	}
	if inst.Previous != nil {
		s.PreviousTripID = transit.QualifiedTrip(inst.Previous.Trip)
		q.refs.trip(inst.Previous.Trip)
	}
	for i, stop := range inst.Pattern.Stops {
		s.StopTimes = append(s.StopTimes, scheduleStopTime{
			StopID: q.t.QualifiedStop(stop), ArrivalTime: int(inst.Arrival(i)), DepartureTime: int(inst.Departure(i)),
			DistanceAlongTrip: round(inst.Pattern.Along[i]),
		})
		q.refs.stop(stop)
	}
	return s
}

// tripDetails is a run of a trip with its timetable and its status.
type tripDetails struct {
	TripID       string      `json:"tripId"`
	ServiceDate  int64       `json:"serviceDate"`
	Frequency    *string     `json:"frequency"`
	Schedule     *schedule   `json:"schedule,omitempty"`
	Status       *tripStatus `json:"status,omitempty"`
	SituationIDs []string    `json:"situationIds"`
}

// include says which parts of tripDetails a request wants.
type include struct{ trip, schedule, status bool }

func (q *request) include(trip, schedule, status bool) include {
	return include{
		trip: q.boolean("includeTrip", trip), schedule: q.boolean("includeSchedule", schedule),
		status: q.boolean("includeStatus", status),
	}
}

// newTripDetails returns a run of a trip with the parts that the client wants.
func (q *request) newTripDetails(inst *network.TripInstance, bus *transit.TrackedBus, with include) tripDetails {
	d := tripDetails{
		TripID: transit.QualifiedTrip(inst.Trip), ServiceDate: midnight(inst.Day, q.t.Network.Location()),
		SituationIDs: q.refs.situationsOf(inst.Trip.Route),
	}
	if with.trip {
		q.refs.trip(inst.Trip)
	}
	if with.schedule {
		d.Schedule = q.newSchedule(inst)
	}
	if with.status {
		d.Status = q.newTripStatus(inst, bus)
	}
	return d
}

// trip answers trip/{id}.
func (q *request) trip() (any, error) {
	t, err := q.pathTrip()
	if err != nil {
		return nil, err
	}
	q.refs.route(t.Route)
	return q.entry(q.newTrip(t)), nil
}

func (q *request) pathTrip() (*gtfs.Trip, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	return q.findTrip(id)
}
