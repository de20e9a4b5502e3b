package gtfs

import (
	"fmt"
	"maps"
)

// Merge makes one feed of several, which must keep the same time zone. An id that an earlier feed has
// already gets the later feed's place in the list before it, as in "2:S1": feeds do not know each other.
// The feeds must not be used any more.
func Merge(feeds ...*Feed) (*Feed, error) {
	if len(feeds) == 1 {
		return feeds[0], nil
	}
	all := &Feed{translations: make(map[translationKey]string)}
	taken := make(map[string]bool)
	for i, f := range feeds {
		if zone := f.Location().String(); i > 0 && zone != all.Location().String() {
			return nil, fmt.Errorf("the time zone of feed %d is %s, and of the first %s: they must be the same", i+1, zone, all.Location())
		}
		own := func(kind, id string) string {
			if taken[kind+id] {
				id = fmt.Sprintf("%d:%s", i+1, id)
			}
			return id
		}
		names := f.rename(own)
		for k := range names {
			taken[k] = true
		}
		maps.Copy(all.translations, f.translations)
		all.Agencies = append(all.Agencies, f.Agencies...)
		all.Stops = append(all.Stops, f.Stops...)
		all.Routes = append(all.Routes, f.Routes...)
		all.Services = append(all.Services, f.Services...)
		all.Shapes = append(all.Shapes, f.Shapes...)
		all.Trips = append(all.Trips, f.Trips...)
		all.Unread = append(all.Unread, f.Unread...)
		all.Info = merged(all.Info, f.Info)
	}
	return all, nil
}

// rename gives everything its own id and returns the ids with their kinds. Blocks of two feeds are never
// one vehicle's work.
func (f *Feed) rename(own func(kind, id string) string) map[string]bool {
	names := make(map[string]bool)
	give := func(kind string, id *string) {
		*id = own(kind, *id)
		names[kind+*id] = true
	}
	stops := make(map[string]string)
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
		give("route ", &r.ID)
	}
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
		give("trip ", &t.ID)
		if t.Block != "" {
			t.Block = own("block ", t.Block)
			names["block "+t.Block] = true
		}
	}
	return names
}

// merged is what holds for both: the timetable is good as long as each is.
func merged(a, b *Info) *Info {
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

// Expires returns the last day that the timetable is good for: what feed_info.txt says, else the last day
// with service.
func (f *Feed) Expires() Date {
	if f.Info != nil && f.Info.End != 0 {
		return f.Info.End
	}
	_, last := f.Period()
	return last
}
