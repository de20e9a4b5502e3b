package gtfsrttest

import (
	"math"

	static "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

func (c *checker) vehicle(id string, v *gtfs.VehiclePosition) {
	trip := c.descriptor(id, v.GetTrip())
	c.present(id+" timestamp", v.GetTimestamp())
	c.stopID(id, v.GetStopId(), true)
	c.when(trip != nil && len(trip.Frequencies) > 0 && !trip.Frequencies[0].Exact && v.GetVehicle().GetId() == "",
		"W005", "%s", id)
	p := v.GetPosition()
	if p == nil {
		return
	}
	speed := float64(p.GetSpeed())
	c.when(speed < 0 || speed > maxSpeed, "W004", "%s: %.1f m/s", id, speed)
	c.when(p.GetBearing() < 0 || p.GetBearing() > 360, "E027", "%s: %.1f", id, p.GetBearing())
	at := orb.Point{float64(p.GetLongitude()), float64(p.GetLatitude())}
	if p.Latitude == nil || p.Longitude == nil || math.Abs(at.Lat()) > 90 || math.Abs(at.Lon()) > 180 {
		c.add("E026", "%s: %v", id, at)
		return
	}
	if !around(c.bounds, coverageMargin).Contains(at) {
		c.add("E028", "%s: %v", id, at)
		return
	}
	if trip != nil && trip.Shape != nil && !c.detours(trip) {
		far := metresFrom(trip.Shape.Line, at)
		c.when(far > shapeBuffer, "E029", "%s is %.0f m from the shape of %s", id, far, trip.ID)
	}
}

// detours reports whether an alert says that the trip makes a detour.
func (c *checker) detours(trip *static.Trip) bool {
	for _, e := range c.alerts.GetEntity() {
		if e.GetAlert().GetEffect() != gtfs.Alert_DETOUR {
			continue
		}
		for _, s := range e.GetAlert().GetInformedEntity() {
			if s.GetTrip().GetTripId() == trip.ID {
				return true
			}
		}
	}
	return false
}

// metresFrom returns the distance of a point from a line, in the plane of the point.
func metresFrom(line orb.LineString, at orb.Point) float64 {
	const metres = 111_195
	cos := math.Cos(at.Lat() * math.Pi / 180)
	flat := make(orb.LineString, len(line))
	for i, p := range line {
		flat[i] = orb.Point{(p.Lon() - at.Lon()) * metres * cos, (p.Lat() - at.Lat()) * metres}
	}
	return planar.DistanceFrom(flat, orb.Point{})
}

func (c *checker) alert(id string, a *gtfs.Alert) {
	for _, p := range a.GetActivePeriod() {
		c.stamp(id+" start", p.GetStart())
		c.stamp(id+" end", p.GetEnd())
	}
	c.when(len(a.GetInformedEntity()) == 0, "E032", "%s", id)
	for _, s := range a.GetInformedEntity() {
		c.selector(id, s)
	}
}

func (c *checker) selector(id string, s *gtfs.EntitySelector) {
	c.when(s.AgencyId == nil && s.RouteId == nil && s.RouteType == nil && s.StopId == nil && s.Trip == nil,
		"E033", "%s", id)
	c.stopID(id, s.GetStopId(), false)
	c.when(s.GetRouteId() != "" && c.feed.Route(s.GetRouteId()) == nil, "E004", "%s: route %q", id, s.GetRouteId())
	c.when(s.RouteId != nil && s.GetTrip().GetRouteId() != "" && s.GetRouteId() != s.GetTrip().GetRouteId(),
		"E031", "%s", id)
	if trip := c.descriptor(id, s.GetTrip()); trip != nil {
		c.when(s.GetRouteId() != "" && trip.Route.ID != s.GetRouteId(), "E030", "%s", id)
	}
	c.when(s.Trip != nil && s.GetTrip().GetTripId() == "", "W006", "%s", id)
	if id := s.GetAgencyId(); id != "" {
		found := false
		for _, a := range c.feed.Agencies {
			found = found || a.ID == id
		}
		c.when(!found, "E034", "agency %q", id)
	}
}
