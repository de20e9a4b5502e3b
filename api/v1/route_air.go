package v1

import (
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/api/transit"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"

	"github.com/paulmach/orb"
)

// patternAir is the air along one pattern of a route.
type patternAir struct {
	ID        string         `json:"id"`
	Headsign  string         `json:"headsign"`
	Direction nhip.Opt[int]  `json:"direction,omitzero"`
	Length    float64        `json:"length_m"`
	Known     float64        `json:"known_pct"` // share of Steps with a known index
	Mean      *patternIndex  `json:"mean"`      // null if unknown
	Max       *patternIndex  `json:"max"`
	Steps     []profilePoint `json:"steps"`
}

// patternIndex is the mean or maximum index along a pattern.
type patternIndex struct {
	AQI    float64           `json:"aqi"`
	Level  nhip.AQICategory  `json:"level"`
	Metres nhip.Opt[float64] `json:"along_m,omitzero"` // place of the maximum
}

// profilePoint is the index at one place of a pattern, null if unknown.
type profilePoint struct {
	Metres float64           `json:"along_m"`
	AQI    nhip.Opt[float64] `json:"aqi"`
}

// profileStep is the distance between the points of a profile, m.
const profileStep = 250

// getRouteAir answers GET /v1/routes/{id}/air.
func (h *Handler) getRouteAir(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "index", "time")
	scale := q.Scale("index")
	t, route, err := h.routeOf(r, q)
	if err != nil {
		return err
	}
	s, err := h.snapshot(r.Context(), q)
	if err != nil {
		return err
	}
	answer := struct {
		Time  time.Time    `json:"time"`
		State nhip.State   `json:"state"`
		Route string       `json:"route"`
		Line  string       `json:"line"`
		Scale nhip.Scale   `json:"scale"`
		Ways  []patternAir `json:"ways"`
	}{s.End, s.State(), route.ID, transit.LineOf(route), scale, []patternAir{}}
	for _, p := range t.Network.PatternsOf(route) {
		x := airAlong(s.Field(scale), p.Line)
		x.ID, x.Headsign, x.Direction, x.Length = p.ID, p.Headsign, p.Direction, float64(int(p.Length()))
		answer.Ways = append(answer.Ways, x)
	}
	return h.JSON(w, cachePolicy(s), answer)
}

// airAlong returns the profile of a line with its mean and maximum.
func airAlong(f *geoair.AQIField, line orb.LineString) patternAir {
	out := patternAir{Steps: []profilePoint{}}
	sum, count := 0.0, 0
	for _, p := range f.Profile(line, profileStep) {
		out.Steps = append(out.Steps, profilePoint{math.Round(p.Metres), known(p.Index, 100)})
		if math.IsNaN(p.Index) {
			continue
		}
		sum += p.Index
		count++
		if out.Max == nil || p.Index > out.Max.AQI {
			out.Max = &patternIndex{p.Index, aqi.CategoryOf(f.Scale, p.Index), nhip.Some(math.Round(p.Metres))}
		}
	}
	if count > 0 {
		mean := math.Round(sum / float64(count))
		if f.Scale == nhip.ScaleWHO {
			mean = encode.Round(sum/float64(count), 100)
		}
		out.Mean = &patternIndex{AQI: mean, Level: aqi.CategoryOf(f.Scale, mean)}
		out.Known = encode.Round(100*float64(count)/float64(len(out.Steps)), 10)
	}
	return out
}
