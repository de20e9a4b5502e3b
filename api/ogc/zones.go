package ogc

import (
	"fmt"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/encode"
	"nhip/api/scope"
	"nhip/geo/zone"
)

// zoneProperties are the properties of a zone. Stations and air are null for a zone that is not valid now.
type zoneProperties struct {
	Kind     string              `json:"kind"`
	ID       string              `json:"id"`
	NameVi   string              `json:"name_vi"`
	NameEn   string              `json:"name_en"`
	From     nhip.Opt[time.Time] `json:"from"`
	To       nhip.Opt[time.Time] `json:"to"` // exclusive
	SquareKm decimal             `json:"area_km2"`
	Stations nhip.Opt[int]       `json:"stations"`
	AQI      nhip.Opt[decimal]   `json:"vn_aqi"`
	Max      nhip.Opt[decimal]   `json:"vn_aqi_max"`
	Level    nhip.Opt[int]       `json:"vn_aqi_level"`
}

// zones returns the zones that are valid at any time of the span, or now if no span is given.
func (h *Handler) zones(ask asked) []feature {
	span := ask.timeSpan
	if !span.given {
		now := h.Clock.Now()
		span = timeSpan{now, now, true}
	}
	var current map[*zone.Zone]air.ZoneRow
	ids := zoneIDs(h.Air.ZoneSet())
	var out []feature
	for _, z := range h.Air.ZoneSet().Between(span.from, span.to) {
		out = append(out, feature{ids[z], z.Area, time.Time{}, func() any {
			if current == nil {
				current = h.currentZones(ask.view)
			}
			return newZoneProperties(z, current)
		}})
	}
	return out
}

// zoneIDs returns a unique id for each zone. If zones of different periods share an id, the last one keeps it and the
// earlier ones get a number appended.
func zoneIDs(s *zone.Set) map[*zone.Zone]string {
	ids := make(map[*zone.Zone]string)
	all := s.Between(time.Time{}, time.Time{})
	count := 0
	for i, z := range all {
		id := z.Kind + ":" + z.ID
		if i+1 < len(all) && all[i+1].Kind == z.Kind && all[i+1].ID == z.ID {
			count++
			id = fmt.Sprintf("%s@%d", id, count)
		} else {
			count = 0
		}
		ids[z] = id
	}
	return ids
}

// currentZones returns the zones that are valid now, with their current air and the stations in a view.
func (h *Handler) currentZones(view scope.View) map[*zone.Zone]air.ZoneRow {
	now := h.Air.Zones(h.Air.Current(), nhip.ScaleVNAQI)
	out := make(map[*zone.Zone]air.ZoneRow, len(now.Zones))
	for i, z := range now.Zones {
		out[z] = now.Row(i, func(id string) bool {
			s, ok := h.Live.Known(id)
			return ok && view.Station(s)
		})
	}
	return out
}

func newZoneProperties(z *zone.Zone, current map[*zone.Zone]air.ZoneRow) zoneProperties {
	p := zoneProperties{
		Kind: z.Kind, ID: z.ID, NameVi: z.Name.Vi, NameEn: z.Name.En, SquareKm: decimal(encode.Round(z.SquareKm(), 100)),
	}
	if !z.From.IsZero() {
		p.From = nhip.Some(z.From)
	}
	if !z.To.IsZero() {
		p.To = nhip.Some(z.To)
	}
	row, valid := current[z]
	if valid {
		p.Stations = nhip.Some(len(row.Stations))
	}
	if a := row.Air; a != nil {
		p.AQI, p.Max, p.Level = nhip.Some(decimal(a.AQI)), nhip.Some(decimal(a.Max)), nhip.Some(a.Level.Number)
	}
	return p
}
