package transit

import (
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/scope"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// BoardQuery says which departures or arrivals are asked for.
type BoardQuery struct {
	Now, Until time.Time
	Routes     []*gtfs.Route // any if empty
	Direction  nhip.Opt[int] // any if unknown
	View       scope.View    // whose agencies' buses are told

	arrivals bool
}

// wantsLine reports whether the query asks for the line and the direction of a pattern.
func (q *BoardQuery) wantsLine(p *network.Pattern) bool {
	return (len(q.Routes) == 0 || slices.Contains(q.Routes, p.Route)) &&
		(!q.Direction.Known() || q.Direction == p.Direction)
}

// tells reports whether a departure is soon enough for the query, and not by a bus that is out of scope.
func (q *BoardQuery) tells(d *Departure) bool {
	return !d.at.After(q.Until) && (d.Agency == "" || q.View.Agency(d.Agency))
}

// wants reports whether the query asks for the line and the direction of a departure.
func (q *BoardQuery) wants(d *Departure) bool {
	named := func(r *gtfs.Route) bool { return r.ID == d.Route }
	return q.tells(d) && (len(q.Routes) == 0 || slices.ContainsFunc(q.Routes, named)) &&
		(!q.Direction.Known() || q.Direction == d.Direction)
}

// wantsCall reports whether a call of a trip is a departure, where riders may get on, or an arrival, where they may get
// off. The first stop of a trip counts as an arrival if they may get on there.
func (q *BoardQuery) wantsCall(c network.Call, trip *gtfs.Trip) bool {
	if q.arrivals && c.At > 0 {
		return dropOffAt(c, trip) != gtfs.BoardingNone
	}
	return pickupAt(c, trip) != gtfs.BoardingNone
}

// MaxRoutes is the number of routes that one query may name.
const MaxRoutes = 20

// FindRoutes returns the routes of a list of ids, separated by commas. An id that has a comma itself can be given
// alone. Errors name the parameter route.
func (t *Timetable) FindRoutes(list string) ([]*gtfs.Route, error) {
	if list == "" {
		return nil, nil
	}
	if r := t.Network.Feed.Route(list); r != nil {
		return []*gtfs.Route{r}, nil
	}
	ids := strings.Split(list, ",")
	if len(ids) > MaxRoutes {
		return nil, nhip.Errorf(nhip.CodeInvalid, "route", "must name at most %d routes, got %d", MaxRoutes, len(ids))
	}
	routes := make([]*gtfs.Route, 0, len(ids))
	for _, id := range ids {
		if id = strings.TrimSpace(id); id == "" {
			return nil, nhip.Errorf(nhip.CodeInvalid, "route", "must be ids separated by commas, got %q", list)
		}
		r := t.Network.Feed.Route(id)
		if r == nil {
			return nil, nhip.Errorf(nhip.CodeNotFound, "route", "there is no route %q", id)
		}
		routes = append(routes, r)
	}
	return routes, nil
}
