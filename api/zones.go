package api

import (
	"strings"

	"nhip"
	"nhip/api/scope"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// zonesNow are the zones that are valid now, by their kind and id as in district/ba-dinh. It implements scope.Zones.
type zonesNow struct {
	set   *zone.Set // nil: there are none
	clock nhip.Clock
}

// ZonesNow returns the zones of a set that are valid at the time of a clock; nil is a set without zones.
func ZonesNow(set *zone.Set, clock nhip.Clock) scope.Zones { return zonesNow{set, clock} }

// HasZone implements scope.Zones.
func (z zonesNow) HasZone(name string) bool { return z.find(name) != nil }

// InZone implements scope.Zones.
func (z zonesNow) InZone(name string, p orb.Point) bool {
	found := z.find(name)
	return found != nil && found.Contains(p)
}

// Name returns the name of a zone, the text itself if there is none.
func (z zonesNow) Name(name string) nhip.LocalizedText {
	if found := z.find(name); found != nil {
		return found.Name
	}
	return nhip.LocalizedText{Vi: name, En: name}
}

func (z zonesNow) find(name string) *zone.Zone {
	kind, id, _ := strings.Cut(name, "/")
	return z.set.Find(kind, id, z.clock.Now())
}
