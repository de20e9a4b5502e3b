package ogc

import (
	"maps"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/scope"
	"nhip/api/transit"
	"nhip/geo/aqi"
	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// Properties are flat, because a GIS shows each one as a column. Every feature has all properties of its layer, null or
// empty where unknown, because QGIS derives the columns from the first ten features.

// asked is what a request asks for.
type asked struct {
	timeSpan
	view scope.View // what the caller sees
}

// layer is a collection of features.
type layer struct {
	id, title, description string
	features               func(h *Handler, ask asked) []feature // those that may match
}

// layers returns all layers.
func layers() []layer {
	return []layer{
		{
			id: "stations", title: "Trạm quan trắc · Stations", features: (*Handler).stations,
			description: "Air monitors with their positions and current VN_AQI",
		},
		{
			id: "readings-now", title: "Số đo hiện tại · Readings now", features: (*Handler).readings,
			description: "The newest value of each quantity of each air monitor",
		},
		{id: "stops", title: "Điểm dừng · Stops", features: (*Handler).stops, description: "Bus stops"},
		{
			id: "routes", title: "Tuyến xe · Routes", features: (*Handler).routes,
			description: "Bus routes with the shapes of all their patterns",
		},
		{
			id: "zones", title: "Vùng · Zones", features: (*Handler).zones,
			description: "Areas that are valid at the requested time, with the current air of those that are valid now",
		},
	}
}

// stationProperties are the properties of a station.
type stationProperties struct {
	ID       string              `json:"id"`
	NameVi   string              `json:"name_vi"`
	NameEn   string              `json:"name_en"`
	Kind     string              `json:"kind"`
	Owner    string              `json:"owner"`
	Area     string              `json:"area"`
	State    nhip.State          `json:"state"`
	Time     time.Time           `json:"time"`
	Age      decimal             `json:"age_s"`
	AQI      nhip.Opt[decimal]   `json:"vn_aqi"`
	Level    nhip.Opt[int]       `json:"vn_aqi_level"`
	Dominant nhip.Quantity       `json:"dominant"`
	IndexEnd nhip.Opt[time.Time] `json:"vn_aqi_time"`
	Origin   nhip.Origin         `json:"origin"`
}

// placedStations returns the stations in a view with a public position. A GIS treats a layer whose first features
// have no geometry as a table.
func (h *Handler) placedStations(now time.Time, view scope.View) []*nhip.Station {
	return slices.DeleteFunc(h.Live.Stations(), func(s *nhip.Station) bool {
		_, placed := s.Point()
		return !placed || s.Expired(now) || !view.Station(s)
	})
}

func (h *Handler) stations(ask asked) []feature {
	now := h.Clock.Now()
	var out []feature
	for _, s := range h.placedStations(now, ask.view) {
		p, _ := s.Point()
		out = append(out, feature{s.ID, p, s.Time, func() any { return newStationProperties(s, now) }})
	}
	return out
}

func newStationProperties(s *nhip.Station, now time.Time) stationProperties {
	p := stationProperties{
		ID: s.ID, NameVi: s.Name.Vi, NameEn: s.Name.En, Kind: s.Kind, Owner: s.Owner, Area: s.Area,
		State: s.State(now), Time: s.Time.UTC(), Age: age(s.Time, now), Origin: s.Origin,
	}
	if index, _, ok := aqi.StationIndex(s, nhip.ScaleVNAQI, now); ok {
		p.AQI, p.Level = nhip.Some(decimal(index.Value)), nhip.Some(index.Category.Number)
		p.Dominant, p.IndexEnd = index.Dominant, nhip.Some(index.Time.UTC())
	}
	return p
}

// readingProperties are the properties of the newest value of a quantity at a station.
type readingProperties struct {
	Station  string        `json:"station"`
	Quantity nhip.Quantity `json:"quantity"`
	Value    decimal       `json:"value"`
	Unit     string        `json:"unit"`
	Time     time.Time     `json:"time"` // end of the period
	Age      decimal       `json:"age_s"`
	Period   string        `json:"period"`
	State    nhip.State    `json:"state"`
	Flag     nhip.Flag     `json:"flag"`
	Tests    string        `json:"tests"`
	Origin   nhip.Origin   `json:"origin"`
}

func (h *Handler) readings(ask asked) []feature {
	now := h.Clock.Now()
	var out []feature
	for _, s := range h.placedStations(now, ask.view) {
		p, _ := s.Point()
		for _, q := range slices.Sorted(maps.Keys(s.Values)) {
			v := s.Values[q]
			out = append(out, feature{s.ID + ":" + string(q), p, v.Time, func() any {
				return readingProperties{
					Station: s.ID, Quantity: q, Value: decimal(v.Value), Unit: q.Unit(), Time: v.Time.UTC(), Age: age(v.Time, now),
					Period: nhip.FormatPeriod(time.Duration(v.Period * float64(time.Second))), State: s.ValueState(v, now),
					Flag: v.Flag, Tests: v.Tests, Origin: s.Origin,
				}
			}})
		}
	}
	return out
}

// stopProperties are the properties of a stop.
type stopProperties struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	NameEn string `json:"name_en"`
	Code   string `json:"code"`
	Lines  string `json:"lines"` // separated by commas
}

func (h *Handler) stops(asked) []feature {
	t, err := h.Transit.Timetable()
	if err != nil {
		return nil
	}
	var out []feature
	for _, hit := range t.Stops().Within(nil, index.World, nil) {
		out = append(out, feature{hit.ID, hit.Point, time.Time{}, func() any {
			s := t.Stop(hit.Item)
			return stopProperties{s.ID, s.Name, s.NameEn, s.Code, joinLines(s.Lines)}
		}})
	}
	return out
}

// joinLines lists each line once, separated by commas.
func joinLines(all []transit.LineRef) string {
	var out []string
	for _, l := range all {
		if !slices.Contains(out, l.Line) {
			out = append(out, l.Line)
		}
	}
	return strings.Join(out, ", ")
}

// routeProperties are the properties of a route. Their order and types are those of transit.Route.
type routeProperties struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Name   string `json:"name"`
	NameEn string `json:"name_en"`
	Agency string `json:"agency"`
	Type   int    `json:"type"` // GTFS route_type
	Color  string `json:"color"`
	Buses  int    `json:"buses"`
}

func (h *Handler) routes(asked) []feature {
	t, err := h.Transit.Timetable()
	if err != nil {
		return nil
	}
	var out []feature
	for _, r := range t.Network.Feed.Routes {
		var shapes orb.MultiLineString
		for _, p := range t.Network.PatternsOf(r) {
			shapes = append(shapes, p.Line)
		}
		if len(shapes) > 0 {
			out = append(out, feature{r.ID, shapes, time.Time{}, func() any { return routeProperties(t.Route(r)) }})
		}
	}
	return out
}
