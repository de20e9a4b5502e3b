package air

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Extent returns a box, in WGS84 lon, lat, around all that the tiles of a snapshot draw: zones, stations, and the air
// up to the reach of each monitor. Of the current hour it holds stations of the fleet that are silent, too, because
// clients keep it while the air changes. It is empty if nothing is drawn.
func (m *Model) Extent(s *Snapshot) orb.Bound {
	out := m.interpolator.Bound(s.observations)
	for i := range s.Stations {
		if p, placed := s.Stations[i].Point(); placed {
			out = out.Extend(p)
		}
	}
	for _, z := range m.o.Zones.All(s.End) {
		out = out.Union(z.Bound())
	}
	if s.Past {
		return out
	}
	for _, station := range m.o.State.Located() {
		if p, placed := station.Point(); placed {
			out = out.Union(geo.NewBoundAroundPoint(p, m.o.Reach))
		}
	}
	return out
}

// HasMobile reports whether any station of the snapshot is on a bus.
func (s *Snapshot) HasMobile() bool {
	for i := range s.Stations {
		if s.Stations[i].Mobile {
			return true
		}
	}
	return false
}
