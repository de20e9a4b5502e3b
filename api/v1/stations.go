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
	now    time.Time
	view   scope.View
}

// stateAll is the value of the parameter state for all stations that exist.
const stateAll = "all"

// stationsQuery reads the query of GET /v1/stations.
func (h *Handler) stationsQuery(r *http.Request) (*stationsQuery, error) {
	p := rest.ReadQuery(r, "bbox", "index", "state", "format")
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
	if q.format == rest.FormatCSV {
		h.CSV(w, "stations", rest.CacheLive, stationsCSV(stations, q))
		return nil
	}
	body := geojson.AppendCollectionHead(nil, q.now, len(stations), len(stations))
	for i := range stations {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendStation(body, &stations[i], q.scale, q.now), '}', '}')
	}
	h.Bytes(w, geojson.ContentType, rest.CacheLive, append(body, "]}\n"...))
	return nil
}

// stations returns the stations of a query. The time spans of their readings are known if all that exist are listed.
func (h *Handler) stations(ctx context.Context, q *stationsQuery) ([]catalog.Entry, error) {
	var all []catalog.Entry
	if q.listed {
		var err error
		if all, err = h.Stations.Entries(ctx); err != nil {
			return nil, err
		}
	} else {
		for _, s := range h.Live.Stations() {
			all = append(all, catalog.Entry{Station: s})
		}
	}
	return slices.DeleteFunc(all, func(e catalog.Entry) bool { return !q.matches(e.Station) }), nil
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
