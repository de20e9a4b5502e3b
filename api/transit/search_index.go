package transit

import (
	"slices"
	"strings"

	"nhip/geo/gtfs"
	"nhip/geo/network"

	"golang.org/x/text/unicode/norm"
)

// SearchText is a text to search for; see NewSearchText.
type SearchText struct {
	Typed string // lower case, NFC

	folded nameWords    // of the whole text
	marked []markedWord // its words with diacritics
	route  nameWords    // without words such as "tuyến" and "xe buýt", for routes; empty if it has no others
	stop   nameWords    // without words such as "trạm xe buýt", for stops; the whole text if it has no others
	noun   bool         // whether a word says that a route is meant
}

// NewSearchText prepares a text. It reports false if the text has neither a letter nor a digit.
func NewSearchText(s string) (SearchText, bool) {
	typed := norm.NFC.String(strings.ToLower(strings.TrimSpace(s)))
	words := splitWords(foldDiacritics(joinInitials(typed)))
	text := SearchText{Typed: typed, folded: newNameWords(words)}
	for _, w := range textWords(typed) {
		if foldDiacritics(w) != w {
			text.marked = append(text.marked, newMarkedWord(w))
		}
	}
	text.noun = slices.ContainsFunc(words, func(w string) bool { return routeNouns[w] })
	text.route = newNameWords(withoutRouteWords(words))
	if text.stop = newNameWords(withoutStopWords(words)); len(text.stop.words) == 0 {
		text.stop = text.folded
	}
	return text, len(words) > 0
}

// searchIndex holds the names of the routes, and of the stops at which trips call, and for a search those of other
// things.
type searchIndex struct {
	routes []indexed[*gtfs.Route]
	stops  []indexed[*gtfs.Stop]
	named  []*NameIndex
}

// indexed is an item with its names.
type indexed[T any] struct {
	item    T
	folded  nameWords    // all names
	all     []string     // the words of folded and what else people write for them, sorted
	marked  []markedWord // the words of the main name and of what else people write for it
	numbers []string     // spellings of the number of a route: "02" and "2"
}

// newSearchIndex returns the index of a timetable. language is the one whose translations are found, too.
func newSearchIndex(n *network.Network, language string) (x searchIndex) {
	for _, r := range n.Feed.Routes {
		x.addRoute(r, n.Feed.RouteName(r, language))
	}
	for _, s := range n.Feed.Stops {
		if s.LocationType == gtfs.LocationPlatform && len(n.CallsAt(s)) > 0 {
			x.stops = append(x.stops, newIndexed(s, s.Name, s.Code+" "+n.Feed.StopName(s, language)))
		}
	}
	return x
}

func (x *searchIndex) addRoute(r *gtfs.Route, otherNames string) {
	e := newIndexed(r, strings.TrimSpace(r.ShortName+" "+r.LongName), otherNames)
	var parts []string
	e.numbers, parts = numberSpellings(withoutRouteWords(splitWords(foldDiacritics(r.ShortName))))
	folded, marked := synonymsOf(parts) // "BRT01": "buýt nhanh"
	e.all = sortedWords(slices.Concat(e.all, e.numbers, parts, folded))
	e.marked = append(e.marked, newMarkedWords(marked)...)
	x.routes = append(x.routes, e)
}

func newIndexed[T any](item T, name, otherNames string) indexed[T] {
	words := splitWords(foldDiacritics(joinInitials(norm.NFC.String(name + " " + otherNames))))
	folded, marked := synonymsOf(words)
	return indexed[T]{
		item: item, folded: newNameWords(words), all: sortedWords(append(folded, words...)),
		marked: newMarkedWords(append(marked, textWords(norm.NFC.String(strings.ToLower(name)))...)),
	}
}

// hasAll reports whether each word is the start of one of the item's words.
func (e *indexed[T]) hasAll(words []string) bool {
	for _, w := range words {
		at, _ := slices.BinarySearch(e.all, w)
		if at == len(e.all) || !strings.HasPrefix(e.all[at], w) {
			return false
		}
	}
	return true
}

// hasMarks reports whether each word of a text with diacritics is the start of a word of the main name.
func (e *indexed[T]) hasMarks(text *SearchText) bool {
	for _, w := range text.marked {
		if !slices.ContainsFunc(e.marked, w.begins) {
			return false
		}
	}
	return true
}

// rank returns how well the names match words of a text: 0 is best, 4 is worst, -1 is no match. Each word must be the
// start of a word of the names. If the text has diacritics, names with the same ones rank higher.
func (e *indexed[T]) rank(words nameWords, text *SearchText) int {
	if !e.hasAll(words.words) {
		return -1
	}
	marked := e.hasMarks(text)
	switch {
	case e.folded.canonical == words.canonical, strings.HasPrefix(e.folded.canonical, words.canonical+" ") &&
		!strings.Contains(words.canonical, " "):
		return 0
	case marked && strings.HasPrefix(e.folded.canonical, words.canonical):
		return 1
	case marked && strings.Contains(e.folded.canonical, words.canonical):
		return 2
	case marked:
		return 3
	}
	return 4
}

// rankRoute returns the rank of a route. Words that only say that it is a route need not be in its names.
func rankRoute(e *indexed[*gtfs.Route], text *SearchText) int {
	if len(text.route.words) == 0 {
		if text.noun && e.rank(text.folded, text) < 0 {
			return 3 // "tuyến": all routes
		}
		return e.rank(text.folded, text)
	}
	if slices.Contains(e.numbers, strings.Join(text.route.words, "")) {
		return 0
	}
	rank := e.rank(text.route, text)
	if rank > 1 && slices.ContainsFunc(text.route.words, func(w string) bool { return slices.Contains(e.numbers, w) }) {
		return 1 // "32 nhổn": before route 320
	}
	return rank
}
