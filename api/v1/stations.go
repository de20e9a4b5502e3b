package v1

import (
	"context"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/geojson"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/geo/index"
)

// stationsQuery is a query of GET /v1/stations.
type stationsQuery struct {
	box    index.Box
	boxed  bool
	scale  nhip.Scale
	state  nhip.State // "" for all
	listed bool       // of all stations that exist, not of those on the map
	format string
	past   time.Time // the zero time for now
	now    time.Time // reference of ages and states: the end of the hour in the past
	view   scope.View
}

// stateAll is the value of the parameter state for all stations that exist.
const stateAll = "all"

// stationsQuery reads the query of GET /v1/stations.
func (h *Handler) stationsQuery(r *http.Request) (*stationsQuery, error) {
	p := rest.ReadQuery(r, "bbox", "index", "state", "time", "format")
	q := &stationsQuery{scale: p.Scale("index"), format: p.Format(r), now: h.Clock.Now(), view: rest.ScopeOf(r)}
	q.box, q.boxed = p.Box("bbox")
	switch state := nhip.State(p.Text("state")); state {
	case "":
	case stateAll:
		q.listed = true
	case nhip.StateLive, nhip.StateStale, nhip.StateSilent:
		q.listed, q.state = true, state
	default:
		p.Fail("state", "must be all, live, stale or silent, got %q", string(state))
	}
	if q.past = p.PastTime("time", q.now); q.listed && !q.past.IsZero() {
		p.Fail("state", "can't be given with time: the stations of an hour are those that reported")
	}
	return q, p.Err
}

// matches reports whether a station is asked for.
func (q *stationsQuery) matches(s *nhip.Station) bool {
	if !q.view.Station(s) {
		return false
	}
	if q.boxed {
		if p, placed := s.Point(); !placed || !q.box.Contains(p) {
			return false
		}
	}
	state := s.MapState(q.now)
	if !q.listed {
		return state != nhip.StateSilent
	}
	return q.state == "" || state == q.state
}

// listStations answers GET /v1/stations.
func (h *Handler) listStations(w http.ResponseWriter, r *http.Request) error {
	q, err := h.stationsQuery(r)
	if err != nil {
		return err
	}
	if q.format == "" {
		return rest.ErrNotAcceptable
	}
	stations, err := h.stations(r.Context(), q)
	if err != nil {
		return err
	}
	policy := rest.CacheLive
	if !q.past.IsZero() {
		policy = rest.CachePast
	}
	if q.format == rest.FormatCSV {
		h.CSV(w, "stations", policy, stationsCSV(stations, q))
		return nil
	}
	body := geojson.AppendCollectionHead(nil, q.now, len(stations), len(stations))
	for i := range stations {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendStation(body, &stations[i], q.scale, q.now), '}', '}')
	}
	h.Bytes(w, geojson.ContentType, policy, append(body, "]}\n"...))
	return nil
}

// stations returns the stations of a query. The time spans of their readings are known if all that exist are listed.
func (h *Handler) stations(ctx context.Context, q *stationsQuery) ([]catalog.Entry, error) {
	var all []catalog.Entry
	var err error
	switch {
	case q.listed:
		all, err = h.Stations.Entries(ctx)
	case !q.past.IsZero():
		all, err = h.stationsAt(ctx, q)
	default:
		for _, s := range h.Live.Stations() {
			all = append(all, catalog.Entry{Station: s})
		}
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e catalog.Entry) bool { return !q.matches(e.Station) }), nil
}

// stationsAt returns the stations with their hourly means as they were at the end of the last hour before q.past, and
// makes that end the reference of ages.
func (h *Handler) stationsAt(ctx context.Context, q *stationsQuery) ([]catalog.Entry, error) {
	s, err := h.Air.At(ctx, q.past)
	if err != nil {
		return nil, err
	}
	q.now = s.At
	var all []catalog.Entry
	for i := range s.Stations {
		all = append(all, catalog.Entry{Station: &s.Stations[i]})
	}
	return all, nil
}

// appendStation appends a station as a feature without the closing braces of its properties and of itself.
func appendStation(b []byte, e *catalog.Entry, scale nhip.Scale, now time.Time) []byte {
	if e.MapState(now) == nhip.StateSilent {
		return geojson.AppendSpan(geojson.AppendSilentOpen(b, e.Station, e.Last, now), e.First, e.Last)
	}
	return geojson.AppendSpan(geojson.AppendStationOpen(b, e.Station, scale, now), e.First, e.Last)
}

// getStation answers GET /v1/stations/{id}.
func (h *Handler) getStation(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	q := rest.ReadQuery(r, "index")
	scale := q.Scale("index")
	if err == nil {
		err = q.Err
	}
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	s, ok := h.Live.Station(id)
	if !ok || s.Expired(now) || !rest.ScopeOf(r).Station(s) {
		return h.getSilentStation(w, r, id)
	}
	body := geojson.AppendAdvice(geojson.AppendStationOpen(nil, s, scale, now), s, scale, now)
	h.Bytes(w, geojson.ContentType, rest.CacheLive, append(body, "}}\n"...))
	return nil
}

// getSilentStation answers with a station that is not on the map.
func (h *Handler) getSilentStation(w http.ResponseWriter, r *http.Request, id string) error {
	if _, err := h.Stations.Station(r.Context(), id); err != nil { // which is cheaper than its span
		return err
	}
	e, err := h.Stations.Entry(r.Context(), id)
	if err != nil {
		return err
	}
	body := appendStation(nil, &e, nhip.ScaleVNAQI, h.Clock.Now())
	h.Bytes(w, geojson.ContentType, rest.CacheLive, append(body, "}}\n"...))
	return nil
}
