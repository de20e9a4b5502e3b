package air

import (
	"math"
	"slices"

	"nhip"
	"nhip/api/encode"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/tile"
	"nhip/geo/zone"
)

// ZoneAQI holds the zones of one hour and their air on one scale.
type ZoneAQI struct {
	Zones   []*zone.Zone
	Rows    []ZoneRow // one for each zone
	Drawing *tile.ZoneMap

	exceedances map[string][exceedanceSpan]int8 // by station, see Snapshot.exceedances
	limit       float64
}

// Row returns a row for somebody who sees some stations only: with these, and what is counted at these.
func (z *ZoneAQI) Row(i int, sees func(station string) bool) ZoneRow {
	row := z.Rows[i]
	seen := slices.DeleteFunc(slices.Clone(row.Stations), func(id string) bool { return !sees(id) })
	if len(seen) < len(row.Stations) {
		row.Stations, row.Exceed = seen, exceedanceIn(z.exceedances, seen, z.limit)
	}
	return row
}

// ZoneRow is a zone and its air.
type ZoneRow struct {
	Kind     string             `json:"kind"`
	ID       string             `json:"id"`
	Name     nhip.LocalizedText `json:"name"`
	SquareKm float64            `json:"area_km2"`
	Stations []string           `json:"stations"` // ids of those in the zone
	Air      *ZoneIndex         `json:"air"`      // nil if unknown
	Exceed   *ExceedanceHours   `json:"exceedance_hours,omitempty"`
}

// Index returns the index of the zone and its category; ok is false if they are unknown.
func (r *ZoneRow) Index() (value float64, category nhip.AQICategory, ok bool) {
	if r.Air == nil {
		return 0, nhip.AQICategory{}, false
	}
	return r.Air.AQI, r.Air.Level, true
}

// ZoneIndex is the interpolated air of an area.
type ZoneIndex struct {
	AQI      float64          `json:"aqi"`     // of the mean concentrations
	Max      float64          `json:"max_aqi"` // anywhere in the area
	Level    nhip.AQICategory `json:"level"`
	Dominant nhip.Quantity    `json:"dominant"`
	Known    float64          `json:"known_pct"` // of the area
	Parts    []ZonePart       `json:"quantities"`
}

// ZonePart is one quantity of a ZoneIndex.
type ZonePart struct {
	Quantity nhip.Quantity `json:"quantity"`
	Average  string        `json:"average"`
	Mean     float64       `json:"mean"`
	Max      float64       `json:"max"`
	Unit     string        `json:"unit"`
}

func newZoneIndex(a *geoair.AreaEstimate) *ZoneIndex {
	z := &ZoneIndex{
		AQI: a.Index, Max: a.Max, Level: a.Category, Dominant: a.Dominant, Known: math.Round(1000*a.Coverage) / 10,
		Parts: []ZonePart{},
	}
	for _, p := range a.Averages {
		z.Parts = append(z.Parts, ZonePart{
			p.Average.Quantity, p.Average.Name, encode.Round(p.Mean, 10), encode.Round(p.Max, 10), p.Average.Quantity.Unit(),
		})
	}
	return z
}

// Zones returns the zones that were valid at the end of the snapshot's hour, with their air. The result is cached in
// the snapshot.
func (m *Model) Zones(s *Snapshot, scale nhip.Scale) *ZoneAQI {
	return s.zones.Get(scale, func() *ZoneAQI { return m.zoneAQI(s, scale) })
}

func (m *Model) zoneAQI(s *Snapshot, scale nhip.Scale) *ZoneAQI {
	field := s.Field(scale)
	z := &ZoneAQI{Zones: m.o.Zones.All(s.End), exceedances: s.exceedances(scale), limit: exceedanceLimit(scale)}
	z.Drawing = m.zones.drawing(z.Zones)
	for _, area := range z.Zones {
		row := ZoneRow{
			Kind: area.Kind, ID: area.ID, Name: area.Name.Full(), SquareKm: encode.Round(area.SquareKm(), 100),
			Stations: s.stationsIn(area),
		}
		row.Exceed = exceedanceIn(z.exceedances, row.Stations, z.limit)
		if a, ok := field.Area(m.zones.latticeNodes(field.Grid, area)); ok {
			row.Air = newZoneIndex(&a)
		}
		z.Rows = append(z.Rows, row)
	}
	return z
}

// stationsIn returns the ids of the stationary stations in a zone.
func (s *Snapshot) stationsIn(z *zone.Zone) []string {
	out := []string{}
	for i := range s.Stations {
		if p, placed := s.Stations[i].Point(); placed && !s.Stations[i].Mobile && z.Contains(p) {
			out = append(out, s.Stations[i].ID)
		}
	}
	return out
}

// ExceedanceHours counts the hours of the last 24 in which any monitor in a zone had an index above a limit.
type ExceedanceHours struct {
	Hours int     `json:"hours"`
	Known int     `json:"known"` // hours with an index
	Above float64 `json:"above"` // the limit
}

// exceedanceSpan is the number of hours that ExceedanceHours covers.
const exceedanceSpan = 24

// exceedanceLimit returns the index above which an hour counts: unhealthy for sensitive people, or above the WHO
// guideline.
func exceedanceLimit(scale nhip.Scale) float64 {
	if scale == nhip.ScaleWHO {
		return 1
	}
	return 100
}

// exceedances returns for each monitor and each of the last hours, newest first: 1 if its index was above the limit, 0
// if not, −1 if it had none.
func (s *Snapshot) exceedances(scale nhip.Scale) map[string][exceedanceSpan]int8 {
	monitors := s.observations.Monitors
	out := make(map[string][exceedanceSpan]int8, len(monitors))
	for i := range monitors {
		x := &monitors[i]
		var above [exceedanceSpan]int8
		for back := range above {
			above[back] = -1
			hours := make(aqi.Hours, len(x.Hours))
			for q, values := range x.Hours {
				hours[q] = values[min(back, len(values)):]
			}
			if index, ok := aqi.HourlyIndex(scale, s.End, hours); ok {
				above[back] = 0
				if index.Value > exceedanceLimit(scale) {
					above[back] = 1
				}
			}
		}
		out[x.ID] = above
	}
	return out
}

// exceedanceIn combines the monitors of a zone. It returns nil if none has an index.
func exceedanceIn(all map[string][exceedanceSpan]int8, stations []string, limit float64) *ExceedanceHours {
	out := &ExceedanceHours{Above: limit}
	for back := range exceedanceSpan {
		worst := int8(-1)
		for _, id := range stations {
			if above, known := all[id]; known {
				worst = max(worst, above[back])
			}
		}
		if worst >= 0 {
			out.Known++
			out.Hours += int(worst)
		}
	}
	if out.Known == 0 {
		return nil
	}
	return out
}
