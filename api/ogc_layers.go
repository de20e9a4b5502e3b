package api

import (
	"fmt"
	"strings"
	"time"

	"nhip"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// Properties are flat, because a GIS shows each as a column, and each is there in every feature, with null or nothing
// in it: QGIS knows of no columns but those of the first ten features.

// ogcLayer is a collection.
type ogcLayer struct {
	id, title, description string
	features               func(a *API, span ogcSpan) []ogcFeature
}

// ogcLayers are all collections.
func ogcLayers() []ogcLayer {
	return []ogcLayer{
		{"stations", "Trạm quan trắc · Stations", "Air monitors, where they stand and their VN_AQI", (*API).ogcStations},
		{"readings-now", "Số đo hiện tại · Readings now", "The newest value of each quantity at each monitor", (*API).ogcReadings},
		{"stops", "Điểm dừng · Stops", "Places to board a bus", (*API).ogcStops},
		{"routes", "Tuyến xe · Routes", "Lines of the network, with all their ways", (*API).ogcRoutesLayer},
		{"zones", "Vùng · Zones", "Areas that are valid at the time that is asked for, and the air now of those that are valid now", (*API).ogcZones},
	}
}

type ogcStation struct {
	ID       string              `json:"id"`
	NameVi   string              `json:"name_vi"`
	NameEn   string              `json:"name_en"`
	Kind     string              `json:"kind"`
	Owner    string              `json:"owner"`
	Area     string              `json:"area"`
	State    nhip.State          `json:"state"`
	Time     time.Time           `json:"time"`
	Age      ogcNumber           `json:"age_s"`
	AQI      nhip.Opt[ogcNumber] `json:"vn_aqi"`
	Level    nhip.Opt[int]       `json:"vn_aqi_level"`
	Dominant nhip.Quantity       `json:"dominant"`
	IndexEnd nhip.Opt[time.Time] `json:"vn_aqi_time"`
	Origin   nhip.Origin         `json:"origin"`
}

// placedStations are those that are on the map. A GIS takes a layer whose first features have no place for a table.
func (a *API) placedStations(now time.Time) []*nhip.Station {
	var out []*nhip.Station
	for _, s := range a.city.allStations() {
		if _, placed := s.Point(); placed && !s.Gone(now) {
			out = append(out, s)
		}
	}
	return out
}

func (a *API) ogcStations(ogcSpan) []ogcFeature {
	now := a.o.Clock.Now()
	var out []ogcFeature
	for _, s := range a.placedStations(now) {
		p, _ := s.Point()
		out = append(out, ogcFeature{s.ID, p, s.Time, func() any { return tellStation(s, now) }})
	}
	return out
}

func tellStation(s *nhip.Station, now time.Time) ogcStation {
	row := ogcStation{
		ID: s.ID, NameVi: s.Name.Vi, NameEn: s.Name.En, Kind: s.Kind, Owner: s.Owner, Area: s.Area, State: s.State(now), Time: s.Time.UTC(), Age: age(s.Time, now), Origin: s.Origin,
	}
	if index, _, ok := stationIndex(s, nhip.VNAQI, now); ok {
		row.AQI, row.Level, row.Dominant, row.IndexEnd = nhip.Some(ogcNumber(index.Value)), nhip.Some(index.Level.Number), index.Dominant, nhip.Some(index.Time.UTC())
	}
	return row
}

type ogcReading struct {
	Station  string        `json:"station"`
	Quantity nhip.Quantity `json:"quantity"`
	Value    ogcNumber     `json:"value"`
	Unit     string        `json:"unit"`
	Time     time.Time     `json:"time"` // END of the period
	Age      ogcNumber     `json:"age_s"`
	Period   string        `json:"period"`
	State    nhip.State    `json:"state"`
	Flag     nhip.Flag     `json:"flag"`
	Tests    string        `json:"tests"`
	Origin   nhip.Origin   `json:"origin"`
}

func (a *API) ogcReadings(ogcSpan) []ogcFeature {
	now := a.o.Clock.Now()
	var out []ogcFeature
	for _, s := range a.placedStations(now) {
		p, _ := s.Point()
		for _, q := range quantities(s) {
			v := s.Values[q]
			out = append(out, ogcFeature{s.ID + ":" + string(q), p, v.Time, func() any {
				return ogcReading{
					Station: s.ID, Quantity: q, Value: ogcNumber(v.Value), Unit: q.Unit(), Time: v.Time.UTC(), Age: age(v.Time, now), Flag: v.Flag, Tests: v.Tests, State: s.ValueState(v, now),
					Period: nhip.FormatPeriod(time.Duration(v.Period * float64(time.Second))), Origin: s.Origin,
				}
			}})
		}
	}
	return out
}

type ogcStop struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	NameEn string `json:"name_en"`
	Code   string `json:"code"`
	Lines  string `json:"lines"` // with commas between
}

func (a *API) ogcStops(ogcSpan) []ogcFeature {
	t := a.city.transit.Load()
	if t == nil {
		return nil
	}
	var out []ogcFeature
	for _, h := range t.stops.Within(nil, world, nil) {
		out = append(out, ogcFeature{h.ID, h.Point, time.Time{}, func() any {
			s := t.stop(h.Item)
			return ogcStop{s.ID, s.Name, s.NameEn, s.Code, linesOf(s.Lines)}
		}})
	}
	return out
}

// linesOf names each line once.
func linesOf(all []lineRef) string {
	var out []string
	seen := make(map[string]bool)
	for _, l := range all {
		if !seen[l.Line] {
			seen[l.Line] = true
			out = append(out, l.Line)
		}
	}
	return strings.Join(out, ", ")
}

type ogcRoute struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Name   string `json:"name"`
	NameEn string `json:"name_en"`
	Agency string `json:"agency"`
	Type   int    `json:"type"` // GTFS route_type
	Color  string `json:"color"`
	Buses  int    `json:"buses"`
}

func (a *API) ogcRoutesLayer(ogcSpan) []ogcFeature {
	t := a.city.transit.Load()
	if t == nil {
		return nil
	}
	var out []ogcFeature
	for _, r := range t.net.Feed.Routes {
		var ways orb.MultiLineString
		for _, p := range t.net.PatternsOf(r) {
			ways = append(ways, p.Line)
		}
		if len(ways) == 0 {
			continue
		}
		out = append(out, ogcFeature{r.ID, ways, time.Time{}, func() any {
			t.mu.RLock()
			defer t.mu.RUnlock()
			return ogcRoute(t.route(r))
		}})
	}
	return out
}

type ogcZone struct {
	Kind     string              `json:"kind"`
	ID       string              `json:"id"`
	NameVi   string              `json:"name_vi"`
	NameEn   string              `json:"name_en"`
	From     nhip.Opt[time.Time] `json:"from"`
	To       nhip.Opt[time.Time] `json:"to"` // exclusive
	SquareKm ogcNumber           `json:"area_km2"`
	Stations nhip.Opt[int]       `json:"stations"`
	AQI      nhip.Opt[ogcNumber] `json:"vn_aqi"`
	Max      nhip.Opt[ogcNumber] `json:"vn_aqi_max"`
	Level    nhip.Opt[int]       `json:"vn_aqi_level"`
}

// ogcZones are the areas that are valid at any time of the span, or now.
func (a *API) ogcZones(span ogcSpan) []ogcFeature {
	if !span.asked {
		now := a.o.Clock.Now()
		span = ogcSpan{now, now, true}
	}
	var airs map[*zone.Zone]zoneRow
	names := zoneNames(a.sky.zones)
	var out []ogcFeature
	for _, z := range a.sky.zones.Between(span.from, span.to) {
		out = append(out, ogcFeature{names[z], z.Area, time.Time{}, func() any {
			if airs == nil {
				airs = a.zonesNow()
			}
			return tellZone(z, airs)
		}})
	}
	return out
}

// zoneNames gives each zone an id of its own. Where areas had the same id one after the other, the last keeps it and
// the earlier ones are counted.
func zoneNames(s *zone.Set) map[*zone.Zone]string {
	names := make(map[*zone.Zone]string)
	all := s.Between(time.Time{}, time.Time{})
	count := 0
	for i, z := range all {
		name := z.Kind + ":" + z.ID
		if i+1 < len(all) && all[i+1].Kind == z.Kind && all[i+1].ID == z.ID {
			count++
			name = fmt.Sprintf("%s@%d", name, count)
		} else {
			count = 0
		}
		names[z] = name
	}
	return names
}

// zonesNow is the air of the zones of now.
func (a *API) zonesNow() map[*zone.Zone]zoneRow {
	now := a.sky.zoned(a.sky.present(), nhip.VNAQI)
	out := make(map[*zone.Zone]zoneRow, len(now.zones))
	for i, z := range now.zones {
		out[z] = now.rows[i]
	}
	return out
}

func tellZone(z *zone.Zone, airs map[*zone.Zone]zoneRow) ogcZone {
	row := ogcZone{Kind: z.Kind, ID: z.ID, NameVi: z.Name.Vi, NameEn: z.Name.En, SquareKm: ogcNumber(roundTo(z.SquareKm(), 100))}
	if !z.From.IsZero() {
		row.From = nhip.Some(z.From)
	}
	if !z.To.IsZero() {
		row.To = nhip.Some(z.To)
	}
	now, valid := airs[z]
	if valid {
		row.Stations = nhip.Some(len(now.Stations))
	}
	if air := now.Air; air != nil {
		row.AQI, row.Max, row.Level = nhip.Some(ogcNumber(air.AQI)), nhip.Some(ogcNumber(air.Max)), nhip.Some(air.Level.Number)
	}
	return row
}
