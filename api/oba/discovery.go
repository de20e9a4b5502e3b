package oba

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nhip/api/transit"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// coverage is the area that an agency serves.
type coverage struct {
	AgencyID string  `json:"agencyId"`
	Lat      float64 `json:"lat"` // of the center
	Lon      float64 `json:"lon"`
	LatSpan  float64 `json:"latSpan"`
	LonSpan  float64 `json:"lonSpan"`
}

// agenciesWithCoverage answers agencies-with-coverage.
func (q *request) agenciesWithCoverage() (any, error) {
	out := []coverage{}
	for _, a := range q.feed().Agencies {
		b, any := q.coverageOf(a)
		if !any {
			continue // it has no stop: nothing could be asked of it
		}
		out = append(out, coverage{
			transit.AgencyID(a), b.Center().Lat(), b.Center().Lon(), b.Max.Lat() - b.Min.Lat(), b.Max.Lon() - b.Min.Lon(),
		})
		q.refs.agency(a)
	}
	return q.list(out, false, false), nil
}

// coverageOf returns the bounds of the stops at which an agency calls.
func (q *request) coverageOf(a *gtfs.Agency) (b orb.Bound, any bool) {
	for _, p := range q.t.Network.Patterns {
		if p.Route.Agency != a {
			continue
		}
		for _, s := range p.Stops {
			if !any {
				b, any = s.Point.Bound(), true
			}
			b = b.Extend(s.Point)
		}
	}
	return b, any
}

// agency answers agency/{id}.
func (q *request) agency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	return q.entry(q.newAgency(a)), nil
}

// config answers config.
func (q *request) config() (any, error) {
	loc := q.t.Network.Location()
	first, last := q.feed().Period()
	day := func(d gtfs.Date) string { return d.At(12*3600, loc).In(loc).Format(time.DateOnly) }
	return q.entry(struct {
		ID              string            `json:"id"`
		Name            string            `json:"name"`
		ServiceDateFrom string            `json:"serviceDateFrom"`
		ServiceDateTo   string            `json:"serviceDateTo"`
		Git             map[string]string `json:"gitProperties"`
	}{"nhip", "nhip", day(first), day(last), map[string]string{}}), nil
}

// currentTime answers current-time.
func (q *request) currentTime() (any, error) {
	return q.entry(currentTime{q.now.In(q.t.Network.Location()).Format(time.RFC3339), q.now.UnixMilli()}), nil
}

type currentTime struct {
	Readable string `json:"readableTime"`
	Time     int64  `json:"time"`
}

// route answers route/{id}.
func (q *request) route() (any, error) {
	r, err := q.pathRoute()
	if err != nil {
		return nil, err
	}
	q.refs.agency(r.Agency)
	return q.entry(newRoute(r)), nil
}

func (q *request) pathRoute() (*gtfs.Route, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	return q.findRoute(id)
}

// stop answers stop/{id}.
func (q *request) stop() (any, error) {
	s, err := q.pathStop()
	if err != nil {
		return nil, err
	}
	q.refs.routesAt(s)
	return q.entry(q.newStop(s)), nil
}

// routesOf returns the routes of an agency that have trips, by id.
func (q *request) routesOf(a *gtfs.Agency) []*gtfs.Route {
	var out []*gtfs.Route
	for _, r := range q.feed().Routes {
		if r.Agency == a && len(q.t.Network.PatternsOf(r)) > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *gtfs.Route) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// routesForAgency answers routes-for-agency/{id}.
func (q *request) routesForAgency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	out := []routeElement{}
	for _, r := range q.routesOf(a) {
		out = append(out, newRoute(r))
	}
	q.refs.agency(a)
	return q.list(out, false, false), nil
}

// routeIDsForAgency answers route-ids-for-agency/{id}.
func (q *request) routeIDsForAgency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, r := range q.routesOf(a) {
		out = append(out, transit.QualifiedRoute(r))
	}
	return q.list(out, false, false), nil
}

// stopsOf returns the stops whose ids begin with an agency, by id.
func (q *request) stopsOf(a *gtfs.Agency) []*gtfs.Stop {
	var out []*gtfs.Stop
	for _, s := range q.feed().Stops {
		if len(q.t.Network.CallsAt(s)) > 0 && q.t.StopAgency(s) == transit.AgencyID(a) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *gtfs.Stop) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// stopsForAgency answers stops-for-agency/{id}.
func (q *request) stopsForAgency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	return q.stopList(q.stopsOf(a), false, false), nil
}

// stopIDsForAgency answers stop-ids-for-agency/{id}.
func (q *request) stopIDsForAgency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, s := range q.stopsOf(a) {
		out = append(out, q.t.QualifiedStop(s))
	}
	return q.list(out, false, false), nil
}

// stopList returns a list of stops with their routes.
func (q *request) stopList(stops []*gtfs.Stop, limitExceeded, outOfRange bool) list {
	out := make([]stopElement, 0, len(stops))
	for _, s := range stops {
		out = append(out, q.newStop(s))
		q.refs.routesAt(s)
	}
	return q.list(out, limitExceeded, outOfRange)
}

// routeList returns a list of routes with their agencies.
func (q *request) routeList(routes []*gtfs.Route, limitExceeded, outOfRange bool) list {
	out := make([]routeElement, 0, len(routes))
	for _, r := range routes {
		out = append(out, newRoute(r))
		q.refs.agency(r.Agency)
	}
	return q.list(out, limitExceeded, outOfRange)
}

// limit returns the first elements, and whether there are more.
func limit[T any](all []T, most int) ([]T, bool) {
	if len(all) <= most {
		return all, false
	}
	return all[:most], true
}

// outOfRange reports whether an area is outside of what any agency serves.
func (q *request) outOfRange(where area) bool {
	for _, a := range q.feed().Agencies {
		b, any := q.coverageOf(a)
		if any && where.box.MinLon <= b.Max.Lon() && where.box.MaxLon >= b.Min.Lon() &&
			where.box.MinLat <= b.Max.Lat() && where.box.MaxLat >= b.Min.Lat() {
			return false
		}
	}
	return true
}

// defaultStops is the number of stops of an answer around a place.
const defaultStops = 100

// stopsForLocation answers stops-for-location: the stops of an area, or those of it with a code or a name.
func (q *request) stopsForLocation() (any, error) {
	text := q.query.Get("query")
	radius := float64(defaultRadius)
	if text != "" {
		radius = defaultQueryRadius
	}
	where, most := q.area(radius), q.integer("maxCount", defaultStops, 1, maxCount)
	if q.err != nil {
		return nil, nil
	}
	stops := q.stopsIn(where)
	if text != "" {
		stops = q.stopsNamed(stops, text)
	}
	stops, more := limit(stops, most)
	return q.stopList(stops, more, len(stops) == 0 && q.outOfRange(where)), nil
}

// stopsNamed returns the stops of some with a code, and, if there is none, those that a search finds.
func (q *request) stopsNamed(among []*gtfs.Stop, name string) []*gtfs.Stop {
	var out []*gtfs.Stop
	for _, s := range among {
		if strings.EqualFold(s.Code, name) || s.ID == name {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range q.foundStops(name) {
		if slices.Contains(among, s) {
			out = append(out, s)
		}
	}
	return out
}

// maxFound bounds the hits of a search.
const maxFound = 100

// foundStops returns the stops that a search finds, the best first.
func (q *request) foundStops(text string) (out []*gtfs.Stop) {
	for _, hit := range q.found(text) {
		if hit.Stop != nil {
			if s := q.t.FindStop(hit.Stop.ID); s != nil {
				out = append(out, s)
			}
		}
	}
	return out
}

// foundRoutes returns the routes that a search finds, the best first.
func (q *request) foundRoutes(text string) (out []*gtfs.Route) {
	for _, hit := range q.found(text) {
		if hit.Route != nil {
			if r := q.feed().Route(hit.Route.ID); r != nil {
				out = append(out, r)
			}
		}
	}
	return out
}

func (q *request) found(typed string) []transit.SearchHit {
	text, usable := transit.NewSearchText(typed)
	if !usable {
		return nil
	}
	return q.t.Search(transit.SearchQuery{Text: text, Limit: maxFound})
}

// routesForLocation answers routes-for-location: the routes that call in an area, or those of it that a search finds.
func (q *request) routesForLocation() (any, error) {
	text := q.query.Get("query")
	radius := float64(defaultRadius)
	if text != "" {
		radius = defaultQueryRadius
	}
	where, most := q.area(radius), q.integer("maxCount", defaultStops, 1, maxCount)
	if q.err != nil {
		return nil, nil
	}
	here := make(map[*gtfs.Route]bool)
	var routes []*gtfs.Route
	for _, s := range q.stopsIn(where) {
		for _, c := range q.t.Network.CallsAt(s) {
			if r := c.Pattern.Route; !here[r] {
				here[r] = true
				routes = append(routes, r)
			}
		}
	}
	if text != "" {
		routes = slices.DeleteFunc(q.foundRoutes(text), func(r *gtfs.Route) bool { return !here[r] })
	}
	routes, more := limit(routes, most)
	return q.routeList(routes, more, len(routes) == 0 && q.outOfRange(where)), nil
}

// defaultFound is the number of hits of a search.
const defaultFound = 20

// searchStop answers search/stop.
func (q *request) searchStop() (any, error) {
	found, more, err := searched(q, (*request).foundStops)
	if err != nil {
		return nil, err
	}
	return q.stopList(found, more, false), nil
}

// searchRoute answers search/route.
func (q *request) searchRoute() (any, error) {
	found, more, err := searched(q, (*request).foundRoutes)
	if err != nil {
		return nil, err
	}
	return q.routeList(found, more, false), nil
}

// searched returns what a search finds for the parameter input; without a hit, an error.
func searched[T any](q *request, find func(*request, string) []T) (found []T, more bool, err error) {
	input, most := q.query.Get("input"), q.integer("maxCount", defaultFound, 1, maxFound)
	if input == "" {
		q.fail("input", "is required")
	}
	if q.err != nil {
		return nil, false, q.err
	}
	found, more = limit(find(q, input), most)
	if len(found) == 0 {
		return nil, false, errNotFound("match of", input)
	}
	return found, more, nil
}
