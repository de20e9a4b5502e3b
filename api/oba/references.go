package oba

import (
	"cmp"
	"slices"

	"nhip/api/transit"
	"nhip/geo/gtfs"
)

// references are the elements that an answer refers to, once each, ordered by id.
type references struct {
	Agencies   []agencyElement    `json:"agencies"`
	Routes     []routeElement     `json:"routes"`
	Situations []situationElement `json:"situations"`
	StopTimes  []struct{}         `json:"stopTimes"`
	Stops      []stopElement      `json:"stops"`
	Trips      []tripElement      `json:"trips"`

	q       *request
	known   map[any]bool
	byRoute map[*gtfs.Route][]string // ids of situations
}

func (r *references) init(q *request) {
	*r = references{
		Agencies: []agencyElement{}, Routes: []routeElement{}, Situations: []situationElement{}, StopTimes: []struct{}{},
		Stops: []stopElement{}, Trips: []tripElement{}, q: q, known: make(map[any]bool),
		byRoute: make(map[*gtfs.Route][]string),
	}
}

// noReferences are those of a client that wants none.
var noReferences = func() *references {
	var r references
	r.init(nil)
	return &r
}()

// isNew reports whether an element is not among the references yet, and notes it.
func (r *references) isNew(x any) bool {
	if r.known[x] {
		return false
	}
	r.known[x] = true
	return true
}

func (r *references) agency(a *gtfs.Agency) {
	if a != nil && r.isNew(a) {
		r.Agencies = append(r.Agencies, r.q.newAgency(a))
	}
}

// route adds a route with its agency.
func (r *references) route(x *gtfs.Route) {
	if r.isNew(x) {
		r.Routes = append(r.Routes, newRoute(x))
		r.agency(x.Agency)
	}
}

// stop adds a stop with its routes.
func (r *references) stop(s *gtfs.Stop) {
	if !r.isNew(s) {
		return
	}
	r.Stops = append(r.Stops, r.q.newStop(s))
	r.routesAt(s)
}

// routesAt adds the routes that call at a stop.
func (r *references) routesAt(s *gtfs.Stop) {
	for _, c := range r.q.t.Network.CallsAt(s) {
		r.route(c.Pattern.Route)
	}
}

// trip adds a trip with its route.
func (r *references) trip(t *gtfs.Trip) {
	if r.isNew(t) {
		r.Trips = append(r.Trips, r.q.newTrip(t))
		r.route(t.Route)
	}
}

// situations adds the active service alerts of a scope and returns their ids.
func (r *references) situations(scope transit.AlertScope) []string {
	ids := []string{}
	for _, a := range r.q.transit.ServiceAlerts(scope, false) {
		x := r.q.newSituation(a.ServiceAlert)
		ids = append(ids, x.ID)
		if r.isNew("situation " + x.ID) {
			r.Situations = append(r.Situations, x)
		}
	}
	return ids
}

// situationsOf adds the active service alerts of a route and returns their ids.
func (r *references) situationsOf(x *gtfs.Route) []string {
	ids, known := r.byRoute[x]
	if !known {
		ids = []string{}
		if r.q.transit.HasServiceAlerts() { // most of the time there are none, and a scope is large
			ids = r.situations(r.q.t.RouteScope(x))
		}
		r.byRoute[x] = ids
	}
	return ids
}

// sorted returns the references in the order of their ids.
func (r *references) sorted() *references {
	if r.q.withoutRefs {
		return noReferences
	}
	slices.SortFunc(r.Agencies, func(a, b agencyElement) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Routes, func(a, b routeElement) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Situations, func(a, b situationElement) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Stops, func(a, b stopElement) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Trips, func(a, b tripElement) int { return cmp.Compare(a.ID, b.ID) })
	return r
}

// entry is the data of an answer with one element.
type entry struct {
	Entry      any         `json:"entry"`
	References *references `json:"references"`
}

// list is the data of an answer with several elements.
type list struct {
	List          any         `json:"list"`
	LimitExceeded bool        `json:"limitExceeded"`
	OutOfRange    bool        `json:"outOfRange"`
	References    *references `json:"references"`
}

// entry returns the data of one element, and list that of several.
func (q *request) entry(x any) entry { return entry{x, q.refs.sorted()} }

func (q *request) list(x any, limitExceeded, outOfRange bool) list {
	return list{x, limitExceeded, outOfRange, q.refs.sorted()}
}
