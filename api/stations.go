package api

import (
	"net/http"
	"net/url"
	"slices"

	"nhip"

	"github.com/go-chi/chi/v5"
)

// listStations answers GET /v1/stations.
func (a *API) listStations(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "bbox", "index", "format")
	box, boxed := q.box("bbox")
	scale, form := q.scale("index"), q.form(r)
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	now := a.o.Clock.Now()
	stations := slices.DeleteFunc(a.city.allStations(), func(s *nhip.Station) bool {
		p, placed := s.Point()
		return s.Gone(now) || boxed && !(placed && box.Contains(p))
	})
	switch form {
	case formCSV:
		body := []byte(byteOrderMark + stationColumns)
		for _, s := range stations {
			body = appendStationCSV(body, s, scale, now)
		}
		startCSV(w.Header(), "stations")
		writeLive(w, body)
	case formJSON:
		body := appendCollection(nil, now, len(stations), len(stations))
		for i, s := range stations {
			if i > 0 {
				body = append(body, ',')
			}
			body = appendStation(body, s, scale, now)
		}
		w.Header().Set("Content-Type", geoJSON)
		writeLive(w, append(body, "]}\n"...))
	default:
		noForm(w)
	}
}

// getStation answers GET /v1/stations/{id}.
func (a *API) getStation(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "id")
	q := readQuery(r, "index")
	scale := q.scale("index")
	if err == nil {
		err = q.err
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	s, ok := a.city.station(id)
	now := a.o.Clock.Now()
	if !ok || s.Gone(now) {
		a.problem(w, r, unknownStation(id))
		return
	}
	w.Header().Set("Content-Type", geoJSON)
	body := appendAdvice(appendStationOpen(nil, s, scale, now), s, scale, now)
	writeLive(w, append(body, "}}\n"...))
}

func unknownStation(id string) error {
	return nhip.Errorf(nhip.NotFound, "id", "there is no station %q", id)
}

// pathID reads a part of the path, in which a slash is written %2F. The router hands out what it
// matched: the path as it was sent where that differs from its plain encoding, else decoded.
func pathID(r *http.Request, name string) (string, error) {
	id := chi.URLParam(r, name)
	if r.URL.RawPath != "" {
		var err error
		if id, err = url.PathUnescape(id); err != nil {
			return "", nhip.Errorf(nhip.Invalid, name, "is not percent-encoded as it should be")
		}
	}
	return id, nhip.CheckID(name, id)
}
