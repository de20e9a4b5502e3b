// Package scope decides which objects a caller of the api sees. It knows no HTTP, so that models filter by it.
package scope

import (
	"slices"

	"nhip"

	"github.com/paulmach/orb"
)

// Zones knows the areas of the map.
type Zones interface {
	// InZone reports whether a point, WGS84 lon and lat, is in a zone that is valid now. The zone is named kind/id.
	InZone(zone string, p orb.Point) bool
	// HasZone reports whether a zone is valid now.
	HasZone(zone string) bool
}

// View is what a caller sees. The zero View sees everything.
type View struct {
	limits nhip.Scope
	zones  Zones
}

// New returns the view of a caller with a scope.
func New(limits nhip.Scope, zones Zones) View { return View{limits, zones} }

// Limits returns the scope.
func (v View) Limits() nhip.Scope { return v.limits }

// Station reports whether a station is in scope: by its id, its area or, if its position is known, its zone.
func (v View) Station(s *nhip.Station) bool {
	if !v.limits.LimitsStations() {
		return true
	}
	if slices.Contains(v.limits.Stations, s.ID) || s.Area != "" && slices.Contains(v.limits.Areas, s.Area) {
		return true
	}
	p, placed := s.Point()
	return placed && v.zones != nil && slices.ContainsFunc(v.limits.Zones, func(zone string) bool {
		return v.zones.InZone(zone, p)
	})
}

// Agency reports whether an agency is in scope, and with it its buses and their devices.
func (v View) Agency(id string) bool {
	return !v.limits.LimitsAgencies() || slices.Contains(v.limits.Agencies, id)
}
