package edr

import (
	"cmp"
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/geojson"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Limits of queries of stations.
const (
	maxStationHours = 366 * 24
	openHours       = 31 * 24 // of an interval with an open end
	defaultHours    = 24
	nearestWithin   = 10_000 // m, of the station that position tells
	maxSingleReads  = 8      // stations that are read one by one; more are read with all others
	maxRows         = 2_000_000
	readTimeout     = 10 * time.Second
)

// placed returns the fixed stations that a caller sees and whose positions are public, by id.
func (h *Handler) placed(r *http.Request) []*nhip.Station {
	view := rest.ScopeOf(r)
	var out []*nhip.Station
	for _, s := range h.Live.Located() {
		if _, ok := s.Point(); ok && !s.Mobile && view.Station(s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *nhip.Station) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// stationBound returns the box around the stations that a caller sees.
func (h *Handler) stationBound(r *http.Request) orb.Bound {
	out := orb.MultiPoint{}.Bound()
	for _, s := range h.placed(r) {
		p, _ := s.Point()
		out = out.Union(p.Bound())
	}
	return out
}

// stationPosition answers GET /ogc/edr/collections/stations/position with the nearest station to each point.
func (h *Handler) stationPosition(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "stations", []string{"POINT", "MULTIPOINT"})
	if err != nil {
		return err
	}
	all := h.placed(r)
	var chosen []*nhip.Station
	for _, p := range o.geometry.points {
		var nearest *nhip.Station
		least := float64(nearestWithin)
		for _, s := range all {
			if at, _ := s.Point(); geo.DistanceHaversine(p, at) <= least {
				nearest, least = s, geo.DistanceHaversine(p, at)
			}
		}
		if nearest != nil && !slices.Contains(chosen, nearest) {
			chosen = append(chosen, nearest)
		}
	}
	return h.sendStations(w, r, o, o.geometry.kind == "POINT", chosen)
}

// stationArea answers GET /ogc/edr/collections/stations/area.
func (h *Handler) stationArea(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "stations", []string{"POLYGON", "MULTIPOLYGON"})
	if err != nil {
		return err
	}
	return h.sendStations(w, r, o, false, h.stationsIn(r, polygons(o.geometry.polygons)))
}

// stationRadius answers GET /ogc/edr/collections/stations/radius.
func (h *Handler) stationRadius(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "stations", []string{"POINT"}, "within", "within-units")
	if err != nil {
		return err
	}
	return h.sendStations(w, r, o, false, h.stationsIn(r, circle(o.geometry.points[0], o.within)))
}

func (h *Handler) stationsIn(r *http.Request, where region) []*nhip.Station {
	return slices.DeleteFunc(h.placed(r), func(s *nhip.Station) bool {
		p, _ := s.Point()
		return !where.contains(p)
	})
}

// getLocation answers GET /ogc/edr/collections/stations/locations/{id}.
func (h *Handler) getLocation(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	o, err := h.readRequest(r, "stations", nil)
	if err != nil {
		return err
	}
	for _, s := range h.placed(r) {
		if s.ID == id {
			return h.sendStations(w, r, o, true, []*nhip.Station{s})
		}
	}
	return nhip.Errorf(nhip.CodeNotFound, "id", "there is no location %q", id)
}

// listLocations answers GET /ogc/edr/collections/stations/locations.
func (h *Handler) listLocations(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "f")
	if f := readFormat(q, mediaTypes[formatGeoJSON]); f != formatGeoJSON && q.Values.Get("f") != "json" {
		q.Fail("f", "must be GeoJSON: the list of locations has no other format")
	}
	if q.Err != nil {
		return q.Err
	}
	url := h.BaseURL(r) + root + "/collections/stations/locations"
	out := featureCollection{
		Type: "FeatureCollection", Features: []feature{}, Parameters: describeParameters(stationParameters()),
		Links: []link{{Href: url, Rel: "self", Type: mediaTypes[formatGeoJSON], Title: "Locations"}},
	}
	for _, s := range h.placed(r) {
		p, _ := s.Point()
		names := []string{}
		for _, quantity := range slices.Sorted(maps.Keys(s.Values)) {
			names = append(names, string(quantity))
		}
		out.Features = append(out.Features, feature{
			Type: "Feature", ID: s.ID, Geometry: geojson.Geometry{Geometry: p}, Properties: map[string]any{
				"label": labelOf(s), "name": s.Name, "parameter-name": names, "edrqueryendpoint": url + "/" + s.ID,
				"datetime": newestOf(s),
			},
		})
	}
	return h.JSONAs(w, mediaTypes[formatGeoJSON], rest.CacheBrief, out)
}

func labelOf(s *nhip.Station) string { return cmp.Or(s.Name.Vi, s.Name.En, s.ID) }

// newestOf returns the span of a station's data that is known: up to its newest value.
func newestOf(s *nhip.Station) string {
	if s.Time.IsZero() {
		return "../.."
	}
	return "../" + s.Time.UTC().Format(time.RFC3339)
}

// stationHours returns the first and the last hour of a span of stations: the last day if none is given, and the newest
// openHours of an interval with an open end.
func stationHours(s span, now time.Time) (first, last time.Time, err error) {
	last = now.UTC().Truncate(time.Hour)
	if !s.to.IsZero() && s.to.Before(now) {
		last = s.to.Truncate(time.Hour)
	}
	first = ceilHour(s.from)
	newest := last.Add(-(openHours - 1) * time.Hour)
	switch {
	case !s.given:
		return last.Add(-(defaultHours - 1) * time.Hour), last, nil
	case s.instant() && !s.from.IsZero():
		return last, last, nil
	case s.open() && first.Before(newest):
		first = newest
	}
	if last.Sub(first) >= maxStationHours*time.Hour {
		return first, last, nhip.Errorf(nhip.CodeTooLarge, "datetime", "must span at most %d hours", maxStationHours)
	}
	return first, last, nil
}

// stationMeans are the hours of a station by quantity and time.
type stationMeans map[nhip.Quantity]map[time.Time]nhip.RollupStats

// sendStations answers with the hourly means of stations.
func (h *Handler) sendStations(w http.ResponseWriter, r *http.Request, o *request, single bool,
	chosen []*nhip.Station,
) error {
	first, last, err := stationHours(o.span, h.Clock.Now())
	if err != nil {
		return err
	}
	// A station measures about half of what the collection has.
	hours, measured := int(last.Sub(first)/time.Hour)+1, (len(o.parameters)+1)/2
	if err := o.checkSize(len(chosen), hours, measured); err != nil {
		return err
	}
	means := make(map[string]stationMeans)
	if len(chosen) > 0 && !first.After(last) {
		if means, err = h.readMeans(r, chosen, first, last); err != nil {
			return err
		}
	}
	var out []*coverage
	for _, s := range chosen {
		if c := stationCoverage(s, o.parameters, means[s.ID]); c != nil {
			out = append(out, c)
		}
	}
	return h.send(w, o, rest.Revalidate, single, out)
}

// readMeans reads the hours of stations from first to last.
func (h *Handler) readMeans(r *http.Request, chosen []*nhip.Station, first, last time.Time,
) (map[string]stationMeans, error) {
	release, err := h.Slots.Acquire(r.Context())
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), readTimeout)
	defer cancel()
	out, rows := make(map[string]stationMeans, len(chosen)), 0
	for _, s := range chosen {
		out[s.ID] = make(stationMeans)
	}
	yield := func(row influx.RollupRow) error {
		if rows++; rows > maxRows {
			return nhip.Errorf(nhip.CodeTooLarge, "datetime", "asks for too much of the history: ask for a shorter time")
		}
		of := out[row.Station]
		if of == nil {
			return nil
		}
		if of[row.Quantity] == nil {
			of[row.Quantity] = make(map[time.Time]nhip.RollupStats)
		}
		of[row.Quantity][row.Time.UTC()] = row.RollupStats
		return nil
	}
	q := influx.RollupQuery{
		Period: nhip.PeriodHour, Quality: nhip.QualityReviewed, From: first.Add(-time.Nanosecond), To: last, Brief: true,
	}
	stations := []string{""}
	if len(chosen) <= maxSingleReads {
		stations = nil
		for _, s := range chosen {
			stations = append(stations, s.ID)
		}
	}
	for _, q.Station = range stations {
		if err := h.History.Rollups(ctx, q, yield); err != nil {
			return nil, h.readError(r, err)
		}
	}
	return out, nil
}

// readError returns the public error of a query of the history.
func (h *Handler) readError(r *http.Request, err error) error {
	if code := nhip.ErrorCode(err); code == nhip.CodeTooLarge || r.Context().Err() != nil {
		return err
	}
	h.Logger.Warn("history query failed", "query", "edr", "error", err)
	return live.ErrHistoryAway
}

// stationCoverage returns the hours of a station with the parameters that it has; nil if it has none.
func stationCoverage(s *nhip.Station, parameters []parameter, means stationMeans) *coverage {
	known := make(map[time.Time]bool)
	var kept []parameter
	for _, p := range parameters {
		if of := means[p.quantity]; len(of) > 0 {
			kept = append(kept, p)
			for t := range of {
				known[t] = true
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	at, _ := s.Point()
	times := slices.SortedFunc(maps.Keys(known), time.Time.Compare)
	c := series(at, times, kept)
	c.domain, c.id, c.label = "PointSeries", s.ID, labelOf(s)
	for i, p := range kept {
		for _, t := range times {
			c.values[i] = append(c.values[i], meanAt(means[p.quantity], t, p.role))
		}
	}
	return c
}

// meanAt returns the mean of a complete hour, or its flag; NaN if it is unknown.
func meanAt(of map[time.Time]nhip.RollupStats, t time.Time, what role) float64 {
	stats, ok := of[t]
	switch {
	case !ok:
		return math.NaN()
	case what == roleFlag:
		return float64(stats.Flag)
	case !stats.Complete():
		return math.NaN()
	}
	return stats.Mean
}
