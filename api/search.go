package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"nhip/geo/gtfs"

	"golang.org/x/text/unicode/norm"
)

// folded is text without diacritics and case, as people type it on a phone: "Cầu Giấy" is "cau giay".
func folded(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// found is a route or a stop that a search finds.
type found struct {
	Kind  string       `json:"kind"` // "route" or "stop"
	Route *routeAnswer `json:"route,omitempty"`
	Stop  *stopRef     `json:"stop,omitempty"`

	rank int
	name string
}

// finder finds routes and stops by name.
type finder struct {
	routes []entryOf[*gtfs.Route]
	stops  []entryOf[*gtfs.Stop]
}

// entryOf is a thing with its folded name; marked keeps the diacritics.
type entryOf[T any] struct {
	thing          T
	folded, marked string
}

func newFinder(t *transit) *finder {
	f := &finder{}
	for _, r := range t.net.Feed.Routes {
		name := strings.TrimSpace(r.ShortName + " " + r.LongName)
		f.routes = append(f.routes, entryOf[*gtfs.Route]{r, folded(name + " " + t.net.Feed.RouteName(r, english)), norm.NFC.String(strings.ToLower(name))})
	}
	for _, s := range t.net.Feed.Stops {
		if s.Kind == gtfs.Platform && len(t.net.CallsAt(s)) > 0 {
			f.stops = append(f.stops, entryOf[*gtfs.Stop]{s, folded(s.Name + " " + s.Code + " " + t.net.Feed.StopName(s, english)), norm.NFC.String(strings.ToLower(s.Name))})
		}
	}
	return f
}

// rank tells how well a name fits what was typed: 0 is best, -1 not at all. Every word must begin one of
// the name's; whoever types diacritics means them.
func (e *entryOf[T]) rank(typed, plain string) int {
	words := strings.Fields(e.folded)
	for _, w := range strings.Fields(plain) {
		if !slices.ContainsFunc(words, func(have string) bool { return strings.HasPrefix(have, w) }) {
			return -1
		}
	}
	marked := typed == plain || strings.Contains(e.marked, typed)
	switch {
	case e.folded == plain || len(words) > 0 && words[0] == plain:
		return 0
	case marked && strings.HasPrefix(e.folded, plain):
		return 1
	case marked && strings.Contains(e.folded, plain):
		return 2
	case marked:
		return 3
	}
	return 4
}

// Limits of a search.
const (
	defaultFound = 20
	maxFound     = 100
)

// search answers GET /v1/search.
func (a *API) search(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "q", "limit")
	typed := norm.NFC.String(strings.ToLower(strings.TrimSpace(q.text("q"))))
	limit := q.integer("limit", defaultFound, 1, maxFound)
	plain := folded(typed)
	if q.err == nil && plain == "" {
		q.fail("q", "must hold a letter or a digit")
	}
	t, err := a.timetable(q.err)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	all := []found{}
	t.mu.RLock()
	for i := range t.names.routes {
		e := &t.names.routes[i]
		if rank := e.rank(typed, plain); rank >= 0 {
			answer := t.route(e.thing)
			all = append(all, found{Kind: "route", Route: &answer, rank: rank, name: e.folded})
		}
	}
	t.mu.RUnlock()
	for i := range t.names.stops {
		e := &t.names.stops[i]
		if rank := e.rank(typed, plain); rank >= 0 {
			ref := t.ref(e.thing)
			all = append(all, found{Kind: "stop", Stop: &ref, rank: rank, name: e.folded})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Kind, b.Kind), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	writeJSON(w, struct {
		Query string  `json:"query"`
		Found []found `json:"found"`
	}{typed, all[:min(limit, len(all))]})
}
