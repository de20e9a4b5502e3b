package api

import (
	"encoding/json"
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/index"
)

// stopRef names a stop.
type stopRef struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	NameEn string  `json:"name_en,omitempty"` // where the timetable translates it
	Code   string  `json:"code,omitempty"`
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
}

func (t *transit) ref(s *gtfs.Stop) stopRef {
	return stopRef{ID: s.ID, Name: s.Name, NameEn: t.net.Feed.StopName(s, english), Code: s.Code, Lat: s.Point.Lat(), Lon: s.Point.Lon()}
}

// lineRef names a line that calls at a stop.
type lineRef struct {
	Route     string        `json:"route"`
	Line      string        `json:"line"`
	Headsign  string        `json:"headsign"`
	Direction nhip.Opt[int] `json:"direction,omitzero"`
}

// english is the language beside the timetable's own.
const english = "en"

// stopAnswer is a stop with its lines.
type stopAnswer struct {
	stopRef
	Wheelchair string            `json:"wheelchair,omitempty"` // "possible" or "not_possible"
	Distance   nhip.Opt[float64] `json:"distance_m,omitzero"`
	Air        *airBrief         `json:"air,omitempty"` // of now
	Lines      []lineRef         `json:"lines"`
}

func (t *transit) stop(s *gtfs.Stop) stopAnswer {
	out := stopAnswer{stopRef: t.ref(s), Lines: []lineRef{}, Wheelchair: [...]string{"", "possible", "not_possible"}[s.Wheelchair]}
	seen := make(map[groupKey]bool)
	for _, c := range t.net.CallsAt(s) {
		key := groupKey{c.Pattern.Route, c.Pattern.Direction}
		if seen[key] {
			continue
		}
		seen[key] = true
		out.Lines = append(out.Lines, lineRef{c.Pattern.Route.ID, lineOf(c.Pattern.Route), c.Pattern.Headsign, c.Pattern.Direction})
	}
	return out
}

// timetable returns the transit half, or why it can't be asked: the first fault of the question, or that
// no timetable is loaded.
func (a *API) timetable(fault error) (*transit, error) {
	if fault != nil {
		return nil, fault
	}
	t := a.city.transit.Load()
	if t == nil {
		return nil, nhip.Errorf(nhip.Unavailable, "", "no timetable is loaded (gtfs)")
	}
	return t, nil
}

// writeJSON answers with what is true for a second or two.
func writeJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Cache-Control", "public, max-age=1")
	sendJSON(w, answer)
}

// sendJSON answers with what its caller says how long is true.
func sendJSON(w http.ResponseWriter, answer any) { sendAs(w, "application/json", answer) }

func sendAs(w http.ResponseWriter, kind string, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic("an answer can't be encoded: " + err.Error()) // only a NaN could
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Vary", "Accept")
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

// Limits of questions for stops.
const (
	defaultStops = 20
	maxStops     = 1000
)

// listStops answers GET /v1/stops.
func (a *API) listStops(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "near", "radius", "limit", "bbox")
	near, asked := q.point("near")
	radius := q.number("radius", math.Inf(1), minRadius, maxRadius)
	limit := q.integer("limit", defaultStops, 1, maxStops)
	box, _ := q.box("bbox")
	if q.values.Has("radius") && !q.values.Has("near") {
		q.fail("radius", "needs near")
	}
	t, err := a.timetable(q.err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	var hits []index.Hit[*gtfs.Stop]
	if asked {
		hits = t.stops.Nearest(nil, near, limit, radius, func(s **gtfs.Stop) bool { return box.Contains((*s).Point) })
	} else {
		hits = t.stops.Within(nil, box, nil)
	}
	out := make([]stopAnswer, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		s := t.stop(h.Item)
		if asked {
			s.Distance = nhip.Some(math.Round(10*h.Metres) / 10)
		}
		out = append(out, s)
	}
	writeJSON(w, struct {
		Time  time.Time    `json:"time"`
		Stops []stopAnswer `json:"stops"`
	}{a.o.Clock.Now(), out})
}

// askedStop returns the stop of a request's path.
func (a *API) askedStop(r *http.Request, fault error) (*transit, *gtfs.Stop, error) {
	id, err := pathID(r, "id")
	if fault != nil {
		err = fault
	}
	t, err := a.timetable(err)
	if err != nil {
		return nil, nil, err
	}
	s := t.net.Feed.Stop(id)
	if s == nil || s.Kind != gtfs.Platform {
		return nil, nil, nhip.Errorf(nhip.NotFound, "id", "there is no stop %q", id)
	}
	return t, s, nil
}

// getStop answers GET /v1/stops/{id}.
func (a *API) getStop(w http.ResponseWriter, r *http.Request) {
	t, s, err := a.askedStop(r, readQuery(r).err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	answer := t.stop(s)
	answer.Air = a.airAt(s.Point)
	writeJSON(w, answer)
}

// listArrivals answers GET /v1/stops/{id}/arrivals.
func (a *API) listArrivals(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "minutes", "limit")
	ahead := q.integer("minutes", defaultAhead, 1, maxAhead)
	limit := q.integer("limit", 50, 1, maxDepartures)
	t, s, err := a.askedStop(r, q.err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	now := a.o.Clock.Now()
	t.mu.RLock()
	all := t.stopDepartures(s, now, now.Add(time.Duration(ahead)*time.Minute), true)
	t.mu.RUnlock()
	writeJSON(w, struct {
		Time     time.Time   `json:"time"`
		Stop     stopRef     `json:"stop"`
		Arrivals []departure `json:"arrivals"`
	}{now, t.ref(s), all[:min(limit, len(all))]})
}
