package air

import (
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/fleet"
)

// Stations returns all stations that have readings or an entry in the fleet, by id, as describe does.
func (p *Processor) Stations() []*nhip.Station {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*nhip.Station, 0, len(p.all))
	for _, s := range p.all {
		out = append(out, s.describe())
	}
	slices.SortFunc(out, func(a, b *nhip.Station) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// describe returns a station with what the fleet says of it; one that is not known has its id only.
func (p *Processor) describe(id string) *nhip.Station {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.stations[id]; s != nil {
		return s.describe()
	}
	return &nhip.Station{ID: id, Zone: p.o.Zone.String()}
}

// describe returns the station without values. Processor.mu must be held. A private position is left out, as on the
// live topic.
func (s *station) describe() *nhip.Station {
	out := &nhip.Station{
		ID: s.id, Name: s.config.Name, Area: s.config.Area, Kind: s.config.Kind, Owner: s.config.Owner,
		Zone: s.zone.String(), Mobile: s.config.Mobile,
	}
	at, known := s.fleetPosition.Get()
	if s.config.Position == fleet.Private {
		out.Private = true
	} else if known {
		out.Lat, out.Lon = nhip.Some(at.Lat()), nhip.Some(at.Lon())
	}
	return out
}

// ZoneOf returns the time zone of a station's days and months.
func (p *Processor) ZoneOf(id string) *time.Location {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.stations[id]; s != nil {
		return s.zone
	}
	return p.o.Zone
}
