package v1

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/transit"

	"github.com/paulmach/orb"
)

// Limits of queries for departures.
const (
	defaultAround  = 600.0 // m
	maxAround      = 5000.0
	defaultAhead   = 60 // minutes
	maxAhead       = 24 * 60
	defaultPerLine = 3
	maxPerLine     = 20
)

// lineDepartures is the departures of a line with the current air at their stop.
type lineDepartures struct {
	*transit.LineGroup
	Air *airBrief `json:"air,omitempty"`
}

// listDepartures answers GET /v1/departures with the next departures around a place.
func (h *Handler) listDepartures(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "near", "radius", "minutes", "limit", "route", "direction")
	near, given := q.Point("near")
	radius := q.Number("radius", defaultAround, minRadius, maxAround)
	perLine := q.Integer("limit", defaultPerLine, 1, maxPerLine)
	if !given {
		q.Fail("near", "is required: LAT,LON in degrees, as in 21.0285,105.8542")
	}
	board, routes := h.boardQuery(r, q)
	t, err := h.timetable(q)
	if err != nil {
		return err
	}
	if board.Routes, err = t.FindRoutes(routes); err != nil {
		return err
	}
	lines := []lineDepartures{}
	for _, g := range t.Nearby(near, radius, perLine, board) {
		lines = append(lines, lineDepartures{g, h.airAt(orb.Point{g.Stop.Lon, g.Stop.Lat})})
	}
	return h.JSON(w, rest.CacheLive, struct {
		Time  time.Time        `json:"time"`
		Lines []lineDepartures `json:"lines"`
	}{board.Now, lines})
}

// boardQuery reads the parameters that departures and arrivals have in common. routes is the parameter route, for
// Timetable.FindRoutes.
func (h *Handler) boardQuery(r *http.Request, q *rest.Query) (b transit.BoardQuery, routes string) {
	now := h.Clock.Now()
	ahead := time.Duration(q.Integer("minutes", defaultAhead, 1, maxAhead)) * time.Minute
	return transit.BoardQuery{
		Now: now, Until: now.Add(ahead), Direction: direction(q), View: rest.ScopeOf(r),
	}, q.Text("route")
}

// direction reads the parameter direction.
func direction(q *rest.Query) nhip.Opt[int] {
	if d := q.Integer("direction", -1, 0, 1); d >= 0 {
		return nhip.Some(d)
	}
	return nhip.Opt[int]{}
}
