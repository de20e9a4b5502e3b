package gtfs

import (
	"fmt"
	"maps"
	"slices"
)

// Merge combines feeds, which must have the same time zone. Ids of different feeds are unrelated: an id that an
// earlier feed already uses is prefixed with the position of the later feed, as in "2:S1". The feeds must not be
// used afterwards.
func Merge(feeds ...*Feed) (*Feed, error) {
	if len(feeds) == 1 {
		return feeds[0], nil
	}
	all := &Feed{
		translations: make(map[translationKey]string), findings: &Findings{},
		renamed: make(map[string][]*Trip),
	}
	taken := make(map[string]bool)
	for i, f := range feeds {
		if zone := f.Location(); i > 0 && !SameZone(zone, all.Location()) {
			return nil, fmt.Errorf("feed %d has the time zone %s, the first feed %s: they must be the same", i+1, zone,
				all.Location())
		}
		if last := f.Expires(); last != 0 && (all.ends == 0 || last < all.ends) {
			all.ends = last
		}
		f.translateByID()
		all.parts = append(all.parts, newPart(f))
		own := func(kind, id string) string {
			for taken[kind+id] {
				id = fmt.Sprintf("%d:%s", i+1, id)
			}
			return id
		}
		names := f.rename(own, all.renamed)
		for k := range names {
			taken[k] = true
		}
		for _, a := range f.Agencies {
			a.Location = feeds[0].Location()
		}
		maps.Copy(all.translations, f.translations)
		all.findings.join(f.findings)
		all.Agencies = append(all.Agencies, f.Agencies...)
		all.Stops = append(all.Stops, f.Stops...)
		all.Routes = append(all.Routes, f.Routes...)
		all.Services = append(all.Services, f.Services...)
		all.Shapes = append(all.Shapes, f.Shapes...)
		all.Trips = append(all.Trips, f.Trips...)
		all.Unread = append(all.Unread, f.Unread...)
		all.Info = mergeInfo(all.Info, f.Info)
	}
	return all, nil
}

// TripsNamed returns all trips that have an id in the feed of their own: several if feeds with a common id were merged.
func (f *Feed) TripsNamed(id string) []*Trip {
	id = ShortID(id)
	trips := f.renamed[id]
	if t := f.Trip(id); t != nil && !slices.Contains(trips, t) {
		trips = append([]*Trip{t}, trips...)
	}
	return trips
}

// translateByID makes translations that name a text to those of the stops and routes with that text, because the text
// may have another translation in another feed.
func (f *Feed) translateByID() {
	languages := make(map[string]bool)
	for k := range f.translations {
		languages[k.language] = true
	}
	own := make(map[translationKey]string)
	for language := range languages {
		for _, s := range f.Stops {
			if text := f.StopName(s, language); text != "" {
				own[translationKey{table: "stops", field: "stop_name", language: language, id: s.ID}] = text
			}
		}
		for _, r := range f.Routes {
			if text := f.RouteName(r, language); text != "" {
				own[translationKey{table: "routes", field: "route_long_name", language: language, id: r.ID}] = text
			}
		}
	}
	f.translations = own
}

// renameTranslations gives the translations of a table the ids that its records have now.
func (f *Feed) renameTranslations(table string, ids map[string]string) {
	own := make(map[translationKey]string, len(f.translations))
	for k, text := range f.translations {
		if k.table == table {
			k.id = ids[k.id]
		}
		own[k] = text
	}
	f.translations = own
}

// rename gives every object a unique id and returns the ids with their kinds. Blocks of different feeds are
// different vehicles. Trips that get another id are added to renamed by the old one.
func (f *Feed) rename(own func(kind, id string) string, renamed map[string][]*Trip) map[string]bool {
	names := make(map[string]bool)
	give := func(kind string, id *string) {
		*id = own(kind, *id)
		names[kind+*id] = true
	}
	stops, routes := make(map[string]string), make(map[string]string)
	for _, s := range f.Stops {
		old := s.ID
		give("stop ", &s.ID)
		stops[old] = s.ID
	}
	for _, s := range f.Stops {
		if s.Parent != "" {
			s.Parent = stops[s.Parent]
		}
	}
	for _, r := range f.Routes {
		old := r.ID
		give("route ", &r.ID)
		routes[old] = r.ID
	}
	f.renameTranslations("stops", stops)
	f.renameTranslations("routes", routes)
	for _, s := range f.Services {
		give("service ", &s.ID)
	}
	for _, s := range f.Shapes {
		give("shape ", &s.ID)
	}
	for _, a := range f.Agencies {
		give("agency ", &a.ID)
	}
	for _, t := range f.Trips {
		old := t.ID
		if give("trip ", &t.ID); t.ID != old {
			renamed[old] = append(renamed[old], t)
		}
		if t.Block != "" {
			t.Block = own("block ", t.Block)
			names["block "+t.Block] = true
		}
	}
	return names
}

// mergeInfo combines the validity periods: the result is valid while both feeds are.
func mergeInfo(a, b *FeedInfo) *FeedInfo {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	m := *a
	m.Start = max(a.Start, b.Start)
	if b.End != 0 && (m.End == 0 || b.End < m.End) {
		m.End = b.End
	}
	return &m
}
