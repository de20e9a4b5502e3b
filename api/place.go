package api

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// placeAnswer is the air at a place.
type placeAnswer struct {
	Time    time.Time   `json:"time"` // END of the hour
	Age     float64     `json:"age_s"`
	State   nhip.State  `json:"state"`
	AQI     *placeIndex `json:"aqi"` // null where nothing is known
	Why     *nhip.Name  `json:"why,omitempty"`
	Advice  *aqi.Advice `json:"advice,omitempty"`
	Nearest []nearby    `json:"nearest"`
}

// placeIndex is an estimated index. Low and High hold it in 8 of 10 cases; they are left out where that is not known.
type placeIndex struct {
	Scale    nhip.Scale        `json:"scale"`
	Source   string            `json:"source"`
	Rule     string            `json:"rule"`
	Value    float64           `json:"value"`
	Low      nhip.Opt[float64] `json:"low,omitzero"`
	High     nhip.Opt[float64] `json:"high,omitzero"`
	Level    nhip.Level        `json:"level"`
	Dominant nhip.Quantity     `json:"dominant"`
	Sub      []placePart       `json:"sub_indices"`
}

// placePart is the estimate of one average.
type placePart struct {
	Quantity      nhip.Quantity     `json:"quantity"`
	Average       string            `json:"average"`
	Concentration float64           `json:"concentration"`
	Low           nhip.Opt[float64] `json:"low,omitzero"`
	High          nhip.Opt[float64] `json:"high,omitzero"`
	Unit          string            `json:"unit"`
	Value         float64           `json:"value"`
	Method        string            `json:"method"` // kriging or idw
	Sites         int               `json:"sites"`
}

// nearby is a monitor and how far it is.
type nearby struct {
	ID       string            `json:"id"`
	Name     nhip.Name         `json:"name,omitzero"`
	Kind     string            `json:"kind,omitempty"`
	Distance float64           `json:"distance_m"`
	State    nhip.State        `json:"state"`
	AQI      nhip.Opt[float64] `json:"aqi,omitzero"`

	of *nhip.Station
}

// mostNearby is how many monitors are named.
const mostNearby = 3

// tooFar says why there is no index.
var tooFar = nhip.Name{
	Vi: "Không có trạm quan trắc nào đủ gần để ước tính.",
	En: "No monitor is near enough for an estimate.",
}

// getAir answers GET /v1/air.
func (a *API) getAir(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "at", "time", "index")
	at, asked := q.point("at")
	scale := q.scale("index")
	if !asked {
		q.fail("at", "is required: LAT,LON in degrees, as in 21.0285,105.8542")
	}
	h, err := a.hour(r.Context(), q)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	answer := placeAnswer{
		Time: h.End, Age: roundTo(max(0, a.o.Clock.Now().Sub(h.End).Seconds()), 10), State: h.state(), Nearest: h.nearest(at, scale),
	}
	if here, ok := h.on(scale).At(at); ok {
		answer.AQI = newPlaceIndex(scale, &here)
		if advice, ok := aqi.AdviceFor(&nhip.AQI{Scale: scale, Level: here.Level}); ok {
			answer.Advice = &advice
		}
	} else {
		answer.Why = &tooFar
	}
	w.Header().Set("Cache-Control", h.caching("public, max-age=30"))
	sendJSON(w, answer)
}

// state tells whether the hour may be read as that which was asked for.
func (h *hour) state() nhip.State {
	if h.at.Sub(h.End) > indexStaleAfter {
		return nhip.Stale
	}
	return nhip.Live
}

func newPlaceIndex(scale nhip.Scale, here *air.Here) *placeIndex {
	out := &placeIndex{
		Scale: scale, Source: aqi.SourceOf(scale), Rule: aqi.Hourly, Value: here.Index.Value, Level: here.Level, Dominant: here.Dominant,
		Low: known(here.Index.Low, 100), High: known(here.Index.High, 100), Sub: make([]placePart, len(here.Parts)),
	}
	for i, p := range here.Parts {
		out.Sub[i] = placePart{
			Quantity: p.Average.Quantity, Average: p.Average.Name, Unit: p.Average.Quantity.Unit(), Concentration: roundTo(p.Concentration.Value, 10),
			Low: known(p.Concentration.Low, 10), High: known(p.Concentration.High, 10), Value: p.Index.Value, Method: string(p.Method), Sites: p.Sites,
		}
	}
	return out
}

// known returns a number in steps of 1/unit; none of NaN.
func known(v, unit float64) nhip.Opt[float64] {
	if math.IsNaN(v) {
		return nhip.Opt[float64]{}
	}
	return nhip.Some(roundTo(v, unit))
}

// nearest returns the monitors around a place, the nearest first.
func (h *hour) nearest(at orb.Point, scale nhip.Scale) []nearby {
	out := []nearby{}
	for i := range h.stations {
		s := &h.stations[i]
		p, placed := s.Point()
		if !placed || s.Mobile {
			continue
		}
		out = append(out, nearby{ID: s.ID, Name: s.Name, Kind: s.Kind, Distance: geo.DistanceHaversine(at, p), State: s.State(h.at), of: s})
	}
	slices.SortFunc(out, func(a, b nearby) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
	})
	out = out[:min(len(out), mostNearby)]
	for i := range out {
		out[i].Distance = math.Round(out[i].Distance)
		if index, _, ok := h.indexOf(scale)(out[i].of); ok {
			out[i].AQI = nhip.Some(index)
		}
	}
	return out
}

// airBrief is the air at a stop.
type airBrief struct {
	Scale    nhip.Scale        `json:"scale"`
	Value    float64           `json:"value"`
	Low      nhip.Opt[float64] `json:"low,omitzero"`
	High     nhip.Opt[float64] `json:"high,omitzero"`
	Level    nhip.Level        `json:"level"`
	Dominant nhip.Quantity     `json:"dominant"`
	Time     time.Time         `json:"time"` // END of the hour
	State    nhip.State        `json:"state"`
}

// airAt returns the air of now at a place; nil where nothing is known.
func (a *API) airAt(at orb.Point) *airBrief {
	h := a.sky.present()
	here, ok := h.on(nhip.VNAQI).At(at)
	if !ok {
		return nil
	}
	return &airBrief{
		Scale: nhip.VNAQI, Value: here.Index.Value, Low: known(here.Index.Low, 1), High: known(here.Index.High, 1), Level: here.Level,
		Dominant: here.Dominant, Time: h.End, State: h.state(),
	}
}

// wayAnswer is the air along one way of a route.
type wayAnswer struct {
	ID        string        `json:"id"`
	Headsign  string        `json:"headsign"`
	Direction nhip.Opt[int] `json:"direction,omitzero"`
	Length    float64       `json:"length_m"`
	Known     float64       `json:"known_pct"` // of its length
	Mean      *waySum       `json:"mean"`      // null where nothing is known
	Max       *waySum       `json:"max"`
	Steps     []wayStep     `json:"steps"`
}

type waySum struct {
	AQI    float64           `json:"aqi"`
	Level  nhip.Level        `json:"level"`
	Metres nhip.Opt[float64] `json:"along_m,omitzero"` // where the highest is
}

// wayStep is the index at one place of the way; null where nothing is known.
type wayStep struct {
	Metres float64           `json:"along_m"`
	AQI    nhip.Opt[float64] `json:"aqi"`
}

// wayEvery is how far apart places along a line are, m.
const wayEvery = 250

// getRouteAir answers GET /v1/routes/{id}/air.
func (a *API) getRouteAir(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "index", "time")
	scale := q.scale("index")
	t, route, err := a.askedRoute(r, q.err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	h, err := a.hour(r.Context(), q)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	answer := struct {
		Time  time.Time   `json:"time"`
		State nhip.State  `json:"state"`
		Route string      `json:"route"`
		Line  string      `json:"line"`
		Scale nhip.Scale  `json:"scale"`
		Ways  []wayAnswer `json:"ways"`
	}{h.End, h.state(), route.ID, lineOf(route), scale, []wayAnswer{}}
	for _, p := range t.net.PatternsOf(route) {
		way := along(h.on(scale), p.Line)
		way.ID, way.Headsign, way.Direction, way.Length = p.ID, p.Headsign, p.Direction, float64(int(p.Length()))
		answer.Ways = append(answer.Ways, way)
	}
	w.Header().Set("Cache-Control", h.caching("public, max-age=30"))
	sendJSON(w, answer)
}

func along(c *air.City, line orb.LineString) wayAnswer {
	way := wayAnswer{Steps: []wayStep{}}
	sum, count := 0.0, 0
	for _, s := range c.Along(line, wayEvery) {
		way.Steps = append(way.Steps, wayStep{math.Round(s.Metres), known(s.Index, 100)})
		if math.IsNaN(s.Index) {
			continue
		}
		sum += s.Index
		count++
		if way.Max == nil || s.Index > way.Max.AQI {
			way.Max = &waySum{s.Index, aqi.LevelOf(c.Scale, s.Index), nhip.Some(math.Round(s.Metres))}
		}
	}
	if count > 0 {
		mean := math.Round(sum / float64(count))
		if c.Scale == nhip.WHO {
			mean = roundTo(sum/float64(count), 100)
		}
		way.Mean = &waySum{AQI: mean, Level: aqi.LevelOf(c.Scale, mean)}
		way.Known = math.Round(1000*float64(count)/float64(len(way.Steps))) / 10
	}
	return way
}
