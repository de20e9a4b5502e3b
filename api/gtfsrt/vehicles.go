package gtfsrt

import (
	"math"
	"time"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/board"
	"nhip/internal/topics"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"google.golang.org/protobuf/proto"
)

// Limits of positions.
const (
	maxPositionAge  = 10 * time.Minute
	maxTripDistance = 190     // m from the line of its trip, beyond which a bus is not on it for others (E029: 200)
	maxOutside      = 1_600   // m outside of the timetable's area (E028: 1609)
	maxSpeed        = 26      // m/s (W004)
	metresPerDegree = 111_195 // of latitude
)

// vehiclePositions adds the position of each bus that reported within the last minutes.
func (b *builder) vehiclePositions() error {
	t, _ := b.transit.Timetable() // nil if there is none: positions are known without it
	all := b.live.AllBuses()
	ids := make(map[string]int, len(all))
	for _, bus := range all {
		ids[bus.ID]++
	}
	area, limited := b.serviceArea(t)
	for _, bus := range all {
		if b.now.Sub(bus.Time) > maxPositionAge || limited && !area.Contains(bus.Point()) {
			continue
		}
		b.vehiclePosition(t, bus, ids[bus.ID] > 1)
	}
	return nil
}

// serviceArea returns the area of the timetable with a margin.
func (b *builder) serviceArea(t *transit.Timetable) (area orb.Bound, limited bool) {
	if t == nil {
		return area, false
	}
	area = t.Network.Feed.Bounds()
	lat := maxOutside / float64(metresPerDegree)
	lon := lat / math.Cos(area.Center().Lat()*math.Pi/180)
	area.Min, area.Max = orb.Point{area.Min[0] - lon, area.Min[1] - lat}, orb.Point{area.Max[0] + lon, area.Max[1] + lat}
	return area, !area.IsEmpty()
}

// vehicleDescriptor describes a bus. Its id is that of the operator; the label is the plate, if the fleet has it.
func vehicleDescriptor(bus *nhip.Bus) *gtfs.VehicleDescriptor {
	d := &gtfs.VehicleDescriptor{Id: &bus.ID}
	if bus.Plate != "" {
		d.Label, d.LicensePlate = &bus.Plate, &bus.Plate
	}
	return d
}

// vehiclePosition adds the position of a bus. shared tells that a bus of another agency has the same id, which must be
// unique in the feed (E052).
func (b *builder) vehiclePosition(t *transit.Timetable, bus *nhip.Bus, shared bool) {
	v := &gtfs.VehiclePosition{
		Vehicle: vehicleDescriptor(bus), Timestamp: seconds(b.measured(bus.Time)),
		Position: &gtfs.Position{Latitude: proto.Float32(float32(bus.Lat)), Longitude: proto.Float32(float32(bus.Lon))},
	}
	if shared {
		v.Vehicle.Id = proto.String(bus.Agency + "_" + bus.ID)
	}
	if bearing, known := bus.Bearing.Get(); known {
		v.Position.Bearing = proto.Float32(float32(bearing))
	}
	if speed, known := bus.Speed.Get(); known && speed >= 0 && speed <= maxSpeed {
		v.Position.Speed = proto.Float32(float32(speed))
	}
	if code, known := gtfs.VehiclePosition_OccupancyStatus_value[string(bus.Occupancy)]; known {
		v.OccupancyStatus = gtfs.VehiclePosition_OccupancyStatus(code).Enum()
	}
	agency := ""
	if t != nil {
		agency = b.setTrip(t, v, bus)
	}
	b.add(&gtfs.FeedEntity{Id: proto.String(bus.Agency + "|" + bus.ID), Vehicle: v}, bus.Time, bus.Agency, agency)
}

// setTrip sets the trip of a bus and its next stop, and returns the agency of its route. A bus that is not trusted to
// be on a line has neither. One that another bus stands for on its trip (E047), or that is far from its line (E029),
// has only the route.
func (b *builder) setTrip(t *transit.Timetable, v *gtfs.VehiclePosition, bus *nhip.Bus) (agency string) {
	tracked := b.transit.Tracked(topics.LiveBusTopic(bus.Agency, bus.ID))
	if tracked == nil || tracked.State.Pattern == nil || tracked.State.Confidence < board.MinConfidence {
		return ""
	}
	s := &tracked.State
	p, inst := s.Pattern, s.Instance
	on, _ := p.At(s.Along)
	onTrip := inst != nil && !s.Stranded() && geo.DistanceHaversine(on, bus.Point()) <= maxTripDistance
	if onTrip {
		holder := t.On(inst)
		onTrip = holder != nil && holder.Bus.ID == bus.ID && holder.Bus.Agency == bus.Agency
	}
	if !onTrip {
		v.Trip = &gtfs.TripDescriptor{RouteId: &p.Route.ID, ScheduleRelationship: gtfs.TripDescriptor_SCHEDULED.Enum()}
		return agencyOf(p.Route)
	}
	v.Trip = tripDescriptor(inst, gtfs.TripDescriptor_SCHEDULED)
	if s.Next < len(p.Stops) {
		call := &inst.Trip.StopTimes[s.Next]
		v.CurrentStopSequence, v.StopId = proto.Uint32(uint32(call.Sequence)), &call.Stop.ID
		v.CurrentStatus = gtfs.VehiclePosition_IN_TRANSIT_TO.Enum()
	}
	return agencyOf(p.Route)
}
