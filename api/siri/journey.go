package siri

import (
	"fmt"
	"math"
	"time"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// visit is a MonitoredStopVisit.
type visit struct {
	RecordedAtTime string   `json:"RecordedAtTime"`
	Journey        *journey `json:"MonitoredVehicleJourney"`
}

// activity is a VehicleActivity.
type activity struct {
	RecordedAtTime string   `json:"RecordedAtTime"`
	Journey        *journey `json:"MonitoredVehicleJourney"`
}

// journey is a MonitoredVehicleJourney.
type journey struct {
	LineRef                  string         `json:"LineRef"`
	DirectionRef             string         `json:"DirectionRef"`
	Frame                    frame          `json:"FramedVehicleJourneyRef"`
	JourneyPatternRef        string         `json:"JourneyPatternRef,omitempty"`
	PublishedLineName        string         `json:"PublishedLineName"`
	OperatorRef              string         `json:"OperatorRef"`
	OriginRef                string         `json:"OriginRef"`
	DestinationRef           string         `json:"DestinationRef"`
	DestinationName          string         `json:"DestinationName"`
	OriginAimedDepartureTime string         `json:"OriginAimedDepartureTime,omitempty"` // of a trip that has not begun
	SituationRef             []situationRef `json:"SituationRef"`
	Monitored                bool           `json:"Monitored"`
	VehicleLocation          *place         `json:"VehicleLocation,omitempty"`
	Bearing                  *float64       `json:"Bearing,omitempty"` // degrees counterclockwise from east
	ProgressRate             string         `json:"ProgressRate"`
	ProgressStatus           string         `json:"ProgressStatus,omitempty"`
	Occupancy                string         `json:"Occupancy,omitempty"`
	BlockRef                 string         `json:"BlockRef,omitempty"`
	VehicleRef               string         `json:"VehicleRef,omitempty"`
	MonitoredCall            *call          `json:"MonitoredCall,omitempty"`
	OnwardCalls              *onwardCalls   `json:"OnwardCalls,omitempty"`
}

type frame struct {
	DataFrameRef           string `json:"DataFrameRef"` // the service day
	DatedVehicleJourneyRef string `json:"DatedVehicleJourneyRef"`
}

type place struct {
	Longitude float64 `json:"Longitude"`
	Latitude  float64 `json:"Latitude"`
}

type onwardCalls struct {
	Calls []*call `json:"OnwardCall"`
}

// call is a MonitoredCall or an OnwardCall.
type call struct {
	StopPointRef          string      `json:"StopPointRef"`
	StopPointName         string      `json:"StopPointName"`
	VisitNumber           int         `json:"VisitNumber"` // 1 for the first time that the trip calls there
	AimedArrivalTime      string      `json:"AimedArrivalTime"`
	AimedDepartureTime    string      `json:"AimedDepartureTime"`
	ExpectedArrivalTime   string      `json:"ExpectedArrivalTime,omitempty"`
	ExpectedDepartureTime string      `json:"ExpectedDepartureTime,omitempty"`
	ArrivalStatus         string      `json:"ArrivalStatus,omitempty"` // only "cancelled"
	Extensions            *extensions `json:"Extensions,omitempty"`    // of a bus that is on the way
}

type extensions struct {
	Distances distances `json:"Distances"`
}

type distances struct {
	StopsFromCall       int     `json:"StopsFromCall"`
	CallDistanceAlong   float64 `json:"CallDistanceAlongRoute"` // m
	DistanceFromCall    float64 `json:"DistanceFromCall"`       // m
	PresentableDistance string  `json:"PresentableDistance"`
}

// occupancies are SIRI's words for the occupancies of GTFS-realtime.
var occupancies = map[nhip.Occupancy]string{
	nhip.OccupancyEmpty: "seatsAvailable", nhip.OccupancyManySeats: "seatsAvailable",
	nhip.OccupancyFewSeats: "seatsAvailable", nhip.OccupancyStanding: "standingAvailable",
	nhip.OccupancyCrushed: "full", nhip.OccupancyFull: "full", nhip.OccupancyNotAccepting: "full",
}

// newJourney returns a run of a trip. bus is the one that serves it or will, nil if none is known; live tells that its
// position is recent.
func (q *request) newJourney(inst *network.TripInstance, bus *transit.TrackedBus, live bool) *journey {
	t, p := inst.Trip, inst.Pattern
	agency := transit.AgencyID(t.Route.Agency)
	j := &journey{
		LineRef: transit.QualifiedRoute(t.Route), DirectionRef: directionRef(t), PublishedLineName: transit.LineOf(t.Route),
		Frame: frame{dateText(inst.Day), transit.QualifiedTrip(t)}, OperatorRef: agency,
		OriginRef: q.t.QualifiedStop(p.Stops[0]), DestinationRef: q.t.QualifiedStop(p.Stops[p.Last()]),
		DestinationName: transit.TripHeadsign(t), BlockRef: transit.QualifiedID(agency, t.Block),
		SituationRef: q.situationRefs(t.Route), ProgressRate: "unknown",
	}
	if t.Shape != nil {
		j.JourneyPatternRef = transit.QualifiedID(agency, t.Shape.ID)
	}
	if bus == nil || inst.Departs(0) > q.now.Unix() {
		j.OriginAimedDepartureTime = q.time(time.Unix(inst.Departs(0), 0))
	}
	if bus != nil {
		q.setVehicle(j, inst, bus, live)
	}
	return j
}

// dateText writes a service day as SIRI does.
func dateText(d gtfs.Date) string {
	s := d.String()
	return s[:4] + "-" + s[4:6] + "-" + s[6:]
}

func (q *request) setVehicle(j *journey, inst *network.TripInstance, bus *transit.TrackedBus, live bool) {
	b, s := bus.Bus, &bus.State
	j.Monitored, j.VehicleRef, j.Occupancy = live, q.t.QualifiedVehicle(b), occupancies[b.Occupancy]
	j.VehicleLocation = &place{round(b.Lon, 1e6), round(b.Lat, 1e6)}
	bearing, known := b.Bearing.Get()
	if s.Pattern != nil && !known {
		_, bearing = s.Pattern.At(s.Along)
	}
	angle := round(math.Mod(450-bearing, 360), 10)
	j.Bearing = &angle
	if live {
		j.ProgressRate = "normalProgress"
	}
	if s.Status == track.StatusLayover {
		j.ProgressRate, j.ProgressStatus = "noProgress", "layover"
	}
	if s.Instance == nil || s.Instance.Trip != inst.Trip || s.Instance.Day != inst.Day {
		j.ProgressStatus = "prevTrip"
	}
}

func round(x, steps float64) float64 { return math.Round(x*steps) / steps }

// newCall returns a call of a run.
func (q *request) newCall(c *transit.StopCall) *call {
	inst, i := c.Instance, c.Stop
	stop := inst.Pattern.Stops[i]
	out := &call{
		StopPointRef: q.t.QualifiedStop(stop), StopPointName: stop.Name, VisitNumber: visitNumber(inst, i),
		AimedArrivalTime:   q.time(time.Unix(inst.Arrives(i), 0)),
		AimedDepartureTime: q.time(time.Unix(inst.Departs(i), 0)),
	}
	d := &c.Departure
	switch {
	case c.Told && (d.Canceled() || d.Skipped()):
		out.ArrivalStatus = "cancelled"
		return out
	case c.Told && d.Predicted():
		at := q.expected(*d.Expected)
		out.ExpectedArrivalTime, out.ExpectedDepartureTime = at, at
	}
	if away, metres, known := c.Away(); known {
		out.Extensions = &extensions{Distances: distances{
			StopsFromCall: away, CallDistanceAlong: round(inst.Pattern.Along[i], 100), DistanceFromCall: round(metres, 100),
			PresentableDistance: presentable(away, metres),
		}}
	}
	return out
}

// expected writes an expected time, which is never before that of the answer.
func (q *request) expected(at time.Time) string {
	if at.Before(q.now) {
		at = q.now.Add(time.Second)
	}
	return q.time(at)
}

func visitNumber(inst *network.TripInstance, i int) (n int) {
	for _, s := range inst.Pattern.Stops[:i+1] {
		if s == inst.Pattern.Stops[i] {
			n++
		}
	}
	return n
}

// Distances at which a bus is told to be at a stop or approaching it, in m.
const (
	atStop      = 30
	approaching = 160
)

// presentable tells a distance in words.
func presentable(stops int, metres float64) string {
	switch {
	case metres <= atStop:
		return "at stop"
	case metres <= approaching:
		return "approaching"
	case stops == 1:
		return "1 stop away"
	}
	return fmt.Sprintf("%d stops away", max(stops, 0))
}

// onwards returns the calls of a run after a stop.
func (q *request) onwards(inst *network.TripInstance, after int) *onwardCalls {
	if !q.calls {
		return nil
	}
	out := &onwardCalls{Calls: []*call{}}
	for i := after + 1; i < len(inst.Pattern.Stops) && len(out.Calls) < q.maxOnwards; i++ {
		c := q.t.TripCall(inst, i, q.now)
		out.Calls = append(out.Calls, q.newCall(&c))
	}
	return out
}
