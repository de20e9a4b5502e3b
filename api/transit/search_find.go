package transit

import (
	"cmp"
	"slices"
	"strings"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Kinds of what a search finds, in the order in which equally good matches are listed.
const (
	KindRoute   = "route"
	KindStop    = "stop"
	KindPlace   = "place"
	KindStation = "station"
)

// Kinds are all kinds.
var Kinds = []string{KindRoute, KindStop, KindPlace, KindStation}

// SearchQuery is what a search asks for.
type SearchQuery struct {
	Text  SearchText
	Near  nhip.Opt[orb.Point] // lists near things first among those that match about as well; WGS84 lon, lat
	Kinds []string            // any if empty
	Limit int
	Sees  func(station string) bool // which stations are looked at; nil: all
}

func (q *SearchQuery) wants(kind string) bool {
	return len(q.Kinds) == 0 || slices.Contains(q.Kinds, kind)
}

// sees reports whether a thing may be found: anything but a station out of the scope of who searches.
func (q *SearchQuery) sees(n *Named) bool {
	return n.Kind != KindStation || q.Sees == nil || q.Sees(n.ID)
}

// Named is a place or a station with its names.
type Named struct {
	Kind   string // KindPlace or KindStation
	ID     string
	Name   nhip.LocalizedText
	Type   string // of a place: "hospital", or the kind of a zone, "district"
	Zone   string // of a place that is a zone: kind/id
	Point  orb.Point
	Placed bool // whether Point is known
}

// NameIndex finds places or stations by their names. It does not change.
type NameIndex struct{ items []indexed[*Named] }

// NewNameIndex returns the index of things. Those without a name are found by their id.
func NewNameIndex(things []Named) *NameIndex {
	x := &NameIndex{items: make([]indexed[*Named], len(things))}
	for i := range things {
		n := &things[i]
		x.items[i] = newIndexed(n, cmp.Or(n.Name.Vi, n.Name.En, n.ID), n.Name.En)
	}
	return x
}

// foundItem is something that matches a text.
type foundItem struct {
	kind   string
	route  *gtfs.Route
	stop   *gtfs.Stop
	named  *Named
	rank   int // see indexed.rank
	name   string
	metres nhip.Opt[float64] // from SearchQuery.Near
}

// point returns where the item is, and false if that is not known, as of a route.
func (f *foundItem) point() (orb.Point, bool) {
	switch {
	case f.stop != nil:
		return f.stop.Point, true
	case f.named != nil:
		return f.named.Point, f.named.Placed
	}
	return orb.Point{}, false
}

// find returns what matches a query, the best match first. If nothing does, words that names often lack need not
// match, and then spaces need not.
func (x *searchIndex) find(q SearchQuery) []foundItem {
	typed := q.Text
	found := x.match(&q)
	looser, dropped := withoutCommonWords(typed.Typed)
	if dropped && len(found) == 0 {
		if text, ok := NewSearchText(looser); ok {
			q.Text = text
			found = x.match(&q)
		}
	}
	if len(found) == 0 {
		found = x.matchJoined(&q, strings.Join(typed.folded.words, " "))
	}
	near, given := q.Near.Get()
	if !given {
		slices.SortStableFunc(found, foundItem.compare)
		return found
	}
	for i := range found {
		if p, placed := found[i].point(); placed {
			found[i].metres = nhip.Some(geo.DistanceHaversine(near, p))
		}
	}
	slices.SortStableFunc(found, foundItem.compareNear)
	return found
}

// compare orders items by how well they match, then by kind.
func (f foundItem) compare(g foundItem) int {
	return cmp.Or(cmp.Compare(f.rank, g.rank), compareKinds(f.kind, g.kind), cmp.Compare(len(f.name), len(g.name)),
		cmp.Compare(f.name, g.name))
}

// compareNear orders items by roughly how well they match, then by kind, then by distance. A line with the number that
// was typed comes first.
func (f foundItem) compareNear(g foundItem) int {
	rough := func(f *foundItem) int {
		if f.route != nil && f.rank == 0 {
			return -1
		}
		return f.rank / 2
	}
	return cmp.Or(cmp.Compare(rough(&f), rough(&g)), compareKinds(f.kind, g.kind),
		cmp.Compare(f.metres.Or(farthest), g.metres.Or(farthest)), f.compare(g))
}

// farthest is farther than any place on Earth is from another, m.
const farthest = 1e9

func compareKinds(a, b string) int {
	return cmp.Compare(slices.Index(Kinds, a), slices.Index(Kinds, b))
}

// match returns what has all words of a text.
func (x *searchIndex) match(q *SearchQuery) []foundItem {
	text := &q.Text
	return x.each(q, func(e *indexed[*gtfs.Route]) int { return rankRoute(e, text) },
		func(e names) int { return e.rank(text.stop, text) })
}

// matchJoined returns what matches words that are written together: "caugiay", "bvbachmai".
func (x *searchIndex) matchJoined(q *SearchQuery, word string) []foundItem {
	if len(word) < shortestJoined || strings.Contains(word, " ") {
		return nil
	}
	rank := func(n *nameWords) int {
		if n.joinedHave(word) {
			return 0
		}
		return -1
	}
	return x.each(q, func(e *indexed[*gtfs.Route]) int { return rank(&e.folded) },
		func(e names) int { return rank(e.words()) })
}

// names are the names of an item of any type.
type names interface {
	rank(words nameWords, text *SearchText) int
	words() *nameWords
}

func (e *indexed[T]) words() *nameWords { return &e.folded }

// each returns the items that the query wants with a rank of 0 or more: of routes by one function, of others by
// another.
func (x *searchIndex) each(q *SearchQuery, route func(*indexed[*gtfs.Route]) int, other func(names) int) []foundItem {
	var found []foundItem
	add := func(rank int, f foundItem, name *nameWords) {
		if rank >= 0 {
			f.rank, f.name = rank, name.canonical
			found = append(found, f)
		}
	}
	if q.wants(KindRoute) {
		for i := range x.routes {
			e := &x.routes[i]
			add(route(e), foundItem{kind: KindRoute, route: e.item}, &e.folded)
		}
	}
	if q.wants(KindStop) {
		for i := range x.stops {
			e := &x.stops[i]
			add(other(e), foundItem{kind: KindStop, stop: e.item}, &e.folded)
		}
	}
	for _, index := range x.named {
		for i := range index.items {
			if e := &index.items[i]; q.wants(e.item.Kind) {
				if rank := other(e); rank >= 0 && q.sees(e.item) {
					add(rank, foundItem{kind: e.item.Kind, named: e.item}, &e.folded)
				}
			}
		}
	}
	return found
}
