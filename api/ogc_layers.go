package api

import (
	"strings"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// Properties are flat: a GIS shows each as a column.

type ogcStation struct {
	ID       string            `json:"id"`
	NameVi   string            `json:"name_vi,omitempty"`
	NameEn   string            `json:"name_en,omitempty"`
	Kind     string            `json:"kind,omitempty"`
	Owner    string            `json:"owner,omitempty"`
	Area     string            `json:"area,omitempty"`
	State    nhip.State        `json:"state"`
	Time     time.Time         `json:"time"`
	AQI      nhip.Opt[float64] `json:"vn_aqi,omitzero"`
	Level    nhip.Opt[int]     `json:"vn_aqi_level,omitzero"`
	Dominant nhip.Quantity     `json:"dominant,omitempty"`
	IndexEnd *time.Time        `json:"vn_aqi_time,omitempty"`
	Origin   nhip.Origin       `json:"origin,omitempty"`
}

// placedStations are those that are on the map.
func (a *API) placedStations(now time.Time) []*nhip.Station {
	var out []*nhip.Station
	for _, s := range a.city.allStations() {
		if _, placed := s.Point(); placed && !s.Gone(now) {
			out = append(out, s)
		}
	}
	return out
}

func (a *API) ogcStations(ogcSpan) ([]ogcFeature, error) {
	now := a.o.Clock.Now()
	var out []ogcFeature
	for _, s := range a.placedStations(now) {
		p, _ := s.Point()
		row := ogcStation{
			ID: s.ID, NameVi: s.Name.Vi, NameEn: s.Name.En, Kind: s.Kind, Owner: s.Owner, Area: s.Area, State: s.State(now), Time: s.Time.UTC(), Origin: s.Origin,
		}
		if index, _, ok := stationIndex(s, nhip.VNAQI, now); ok {
			row.AQI, row.Level, row.Dominant, row.IndexEnd = nhip.Some(index.Value), nhip.Some(index.Level.Number), index.Dominant, &index.Time
		}
		out = append(out, newFeature(s.ID, p, s.Time, row))
	}
	return out, nil
}

type ogcReading struct {
	Station  string        `json:"station"`
	Quantity nhip.Quantity `json:"quantity"`
	Value    float64       `json:"value"`
	Unit     string        `json:"unit"`
	Time     time.Time     `json:"time"` // END of the period
	Period   string        `json:"period"`
	State    nhip.State    `json:"state"`
	Flag     nhip.Flag     `json:"flag"`
	Tests    string        `json:"tests,omitempty"`
	Origin   nhip.Origin   `json:"origin,omitempty"`
}

func (a *API) ogcReadings(ogcSpan) ([]ogcFeature, error) {
	now := a.o.Clock.Now()
	var out []ogcFeature
	for _, s := range a.placedStations(now) {
		p, _ := s.Point()
		for _, q := range quantities(s) {
			v := s.Values[q]
			out = append(out, newFeature(s.ID+":"+string(q), p, v.Time, ogcReading{
				Station: s.ID, Quantity: q, Value: v.Value, Unit: q.Unit(), Time: v.Time.UTC(), Flag: v.Flag, Tests: v.Tests, State: s.ValueState(v, now),
				Period: nhip.FormatPeriod(time.Duration(v.Period * float64(time.Second))), Origin: s.Origin,
			}))
		}
	}
	return out, nil
}

type ogcStop struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	NameEn string `json:"name_en,omitempty"`
	Code   string `json:"code,omitempty"`
	Lines  string `json:"lines"` // with commas between
}

func (a *API) ogcStops(ogcSpan) ([]ogcFeature, error) {
	t := a.city.transit.Load()
	if t == nil {
		return nil, nil
	}
	var out []ogcFeature
	for _, h := range t.stops.Within(nil, world, nil) {
		s := t.stop(h.Item)
		var lines []string
		seen := make(map[string]bool)
		for _, l := range s.Lines {
			if !seen[l.Line] {
				seen[l.Line] = true
				lines = append(lines, l.Line)
			}
		}
		out = append(out, newFeature(s.ID, h.Item.Point, time.Time{}, ogcStop{s.ID, s.Name, s.NameEn, s.Code, strings.Join(lines, ", ")}))
	}
	return out, nil
}

type ogcRoute struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Name   string `json:"name,omitempty"`
	Agency string `json:"agency"`
	Type   int    `json:"type"` // GTFS route_type
	Color  string `json:"color,omitempty"`
	Buses  int    `json:"buses"`
}

func (a *API) ogcRoutesLayer(ogcSpan) ([]ogcFeature, error) {
	t := a.city.transit.Load()
	if t == nil {
		return nil, nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []ogcFeature
	for _, r := range t.net.Feed.Routes {
		var ways orb.MultiLineString
		for _, p := range t.net.PatternsOf(r) {
			ways = append(ways, p.Line)
		}
		if len(ways) == 0 {
			continue
		}
		x := t.route(r)
		out = append(out, newFeature(r.ID, ways, time.Time{}, ogcRoute{x.ID, x.Line, x.Name, x.Agency, x.Type, x.Color, x.Buses}))
	}
	return out, nil
}

type ogcZone struct {
	Kind     string            `json:"kind"`
	ID       string            `json:"id"`
	NameVi   string            `json:"name_vi,omitempty"`
	NameEn   string            `json:"name_en,omitempty"`
	From     *time.Time        `json:"from,omitempty"`
	To       *time.Time        `json:"to,omitempty"`
	SquareKm float64           `json:"area_km2"`
	Stations int               `json:"stations"`
	AQI      nhip.Opt[float64] `json:"vn_aqi,omitzero"`
	Max      nhip.Opt[float64] `json:"vn_aqi_max,omitzero"`
	Level    nhip.Opt[int]     `json:"vn_aqi_level,omitzero"`
}

// ogcZones are the areas that are valid at the end of the span; their air is that of now.
func (a *API) ogcZones(span ogcSpan) ([]ogcFeature, error) {
	now := a.sky.zoned(a.sky.present(), nhip.VNAQI)
	var out []ogcFeature
	for _, z := range a.sky.zones.All(span.instant(a.o.Clock.Now())) {
		row := ogcZone{Kind: z.Kind, ID: z.ID, NameVi: z.Name.Vi, NameEn: z.Name.En, SquareKm: roundTo(z.SquareKm(), 100)}
		if !z.From.IsZero() {
			row.From = &z.From
		}
		if !z.To.IsZero() {
			row.To = &z.To
		}
		for i, of := range now.zones {
			if of == z {
				row.Stations = len(now.rows[i].Stations)
				if air := now.rows[i].Air; air != nil {
					row.AQI, row.Max, row.Level = nhip.Some(air.AQI), nhip.Some(air.Max), nhip.Some(air.Level.Number)
				}
			}
		}
		out = append(out, newFeature(z.Kind+":"+z.ID, z.Area, time.Time{}, row))
	}
	return out, nil
}
