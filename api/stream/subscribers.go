package stream

import "slices"

// subscribers finds the streams with narrow subscriptions that an object concerns.
type subscribers struct {
	grid   grid
	listed map[listKey][]*stream
	all    []*stream // in any order; stream.member is the index
}

// listKey is an entry of a list of a subscription.
type listKey struct{ list, id string }

func newSubscribers() subscribers {
	return subscribers{grid: newGrid(), listed: make(map[listKey][]*stream)}
}

// keys calls f for each entry of the lists of a subscription.
func (s *subscription) keys(f func(listKey)) {
	for _, l := range lists {
		for _, id := range *l.of(s) {
			f(listKey{l.name, id})
		}
	}
}

func (s *subscribers) add(st *stream) {
	if st.boxed {
		s.grid.add(st)
	}
	st.keys(func(k listKey) { s.listed[k] = append(s.listed[k], st) })
	st.member = len(s.all)
	s.all = append(s.all, st)
}

func (s *subscribers) remove(st *stream) {
	if st.boxed {
		s.grid.remove(st)
	}
	st.keys(func(k listKey) {
		rest := removed(s.listed[k], slices.Index(s.listed[k], st))
		if s.listed[k] = rest; len(rest) == 0 {
			delete(s.listed, k)
		}
	})
	at := st.member
	if s.all = removed(s.all, at); at < len(s.all) {
		s.all[at].member = at
	}
}

// removed returns a list without the stream at an index, which the last one replaces.
func removed(list []*stream, at int) []*stream {
	last := len(list) - 1
	list[at], list[last] = list[last], nil
	return list[:last]
}

// each calls f for each stream whose subscription covers an object at a place, for some more than once.
func (s *subscribers) each(o *object, p *place, f func(*stream)) {
	list := func(name, id string) {
		for _, st := range s.listed[listKey{name, id}] {
			f(st)
		}
	}
	switch o.kind {
	case kindTiles, kindAlert: // these change rarely
		for _, st := range s.all {
			f(st)
		}
		return
	case kindStop:
		list("stops", o.id)
		return
	case kindZone:
		list("zones", o.id)
		return
	case kindAir:
		list("stations", o.id)
	}
	if p.placed {
		s.grid.each(p.point, f)
	}
	if len(s.listed) == 0 {
		return
	}
	for _, line := range p.lines {
		list("lines", line)
	}
	for _, zone := range p.zones {
		list("zones", zone)
	}
}
