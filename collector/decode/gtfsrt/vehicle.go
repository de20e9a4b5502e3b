package gtfsrt

import (
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/paulmach/orb"
)

// addVehicle adds the position of a VehiclePosition, or rejects it. The error is one of the whole message.
func (f *feed) addVehicle(entity string, msg []byte) error {
	if f.vehicles++; f.vehicles > maxVehicles {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must have at most %d vehicles", maxVehicles)
	}
	p, err := f.vehicle(entity, msg)
	if err != nil {
		f.faults.Reject(decode.InRow(p.Row, err))
		return nil
	}
	f.out.Positions = append(f.out.Positions, p)
	return nil
}

func (f *feed) vehicle(entity string, msg []byte) (nhip.Position, error) {
	p := nhip.Position{Agency: f.in.Feed.Agency, Event: nhip.EventPosition, Row: entity}
	if len(msg) > maxVehicle {
		return p, nhip.Errorf(nhip.CodeOutOfRange, "vehicle", "must be at most %d bytes, got %d", maxVehicle, len(msg))
	}
	var v gtfs.VehiclePosition
	if err := unmarshal.Unmarshal(msg, &v); err != nil {
		return p, nhip.Errorf(nhip.CodeMalformed, "vehicle", "must be a VehiclePosition in Protobuf")
	}
	p.Vehicle, p.NextStop = vehicleID(v.GetVehicle()), v.GetStopId()
	if p.Vehicle == "" {
		return p, nhip.Errorf(nhip.CodeMissing, "vehicle.id", "is required, or license_plate, or label")
	}
	p.Row += " vehicle " + strconv.Quote(decode.Clip(p.Vehicle))
	var err error
	if p.Time, err = f.vehicleTime(v.GetTimestamp()); err != nil {
		return p, err
	}
	p.Occupancy = occupancy(&v)
	setTrip(&p, v.GetTrip())
	if err := setPosition(&p, v.GetPosition()); err != nil {
		f.drop(p.Row, err)
	}
	return p, nil
}

// vehicleTime returns the time of a vehicle, or that of the feed if it has none.
func (f *feed) vehicleTime(stamp uint64) (time.Time, error) {
	if stamp == 0 {
		stamp = f.header.made
	}
	return f.time(stamp, "timestamp")
}

// occupancy returns the occupancy status, whose names are those of GTFS-realtime. An unknown status, of a newer version
// of GTFS-realtime, is ignored, so that the bus is not lost.
func occupancy(v *gtfs.VehiclePosition) nhip.Occupancy {
	if v.OccupancyStatus == nil {
		return ""
	}
	if o := nhip.Occupancy(v.GetOccupancyStatus().String()); o.Valid() {
		return o
	}
	return ""
}

// vehicleID returns the id of the vehicle, its plate or its label.
func vehicleID(d *gtfs.VehicleDescriptor) string {
	for _, text := range [...]string{d.GetId(), d.GetLicensePlate(), d.GetLabel()} {
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// setTrip sets the trip. A vehicle on a trip that does not run is on none. The collector checks the fields.
func setTrip(p *nhip.Position, t *gtfs.TripDescriptor) {
	p.Route = t.GetRouteId()
	if r, known := relationship(t); known && !r.Runs() {
		return
	}
	p.Trip, p.StartDate, p.StartTime = t.GetTripId(), startDate(t.GetStartDate()), t.GetStartTime()
	if t != nil && t.DirectionId != nil {
		p.Direction = nhip.Some(int(t.GetDirectionId()))
	}
}

// setPosition sets the point, the speed and the bearing, each if the feed has it. Without a valid point the position
// keeps none of them, and the error says why.
func setPosition(p *nhip.Position, at *gtfs.Position) error {
	if at == nil {
		return nil
	}
	if at.Latitude == nil {
		return nhip.Errorf(nhip.CodeMissing, "position.latitude", "is required")
	}
	if at.Longitude == nil {
		return nhip.Errorf(nhip.CodeMissing, "position.longitude", "is required")
	}
	point := orb.Point{float64(at.GetLongitude()), float64(at.GetLatitude())}
	if err := nhip.CheckPoint(point); err != nil {
		return decode.InRow("position", err)
	}
	p.Point = nhip.Some(point)
	if at.Speed != nil {
		p.Speed = nhip.Some(float64(at.GetSpeed()))
	}
	if at.Bearing != nil {
		p.Bearing = nhip.Some(bearing(at.GetBearing()))
	}
	return nil
}

// bearing returns degrees clockwise from north. 360, which many feeds send for north, becomes 0.
func bearing(degrees float32) float64 {
	if degrees == 360 {
		return 0
	}
	return float64(degrees)
}
