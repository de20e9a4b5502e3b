package stream

import (
	"slices"

	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// trail is where an object has been for a while. A client that resumes is told that an object has gone if it may have
// had it.
type trail struct {
	bound  orb.Bound
	placed bool
	lines  []string
}

// add adds a place.
func (t *trail) add(p *place) {
	switch {
	case p.placed && t.placed:
		t.bound = t.bound.Extend(p.point)
	case p.placed:
		t.bound, t.placed = p.point.Bound(), true
	}
	for _, line := range p.lines {
		if !slices.Contains(t.lines, line) {
			t.lines = append(t.lines, line)
		}
	}
}

// meets reports whether the trail may have entered a box.
func (t *trail) meets(b index.Box) bool { return t.placed && b.Intersects(t.bound.ToPolygon()) }

// covers reports whether an object at a place is in a subscription.
func (s *subscription) covers(o *object, p *place) bool {
	switch o.kind {
	case kindTiles:
		return true
	case kindStop:
		return contains(s.stops, o.id)
	case kindZone:
		return contains(s.zones, o.id)
	case kindAlert:
		return s.concernedBy(o.alert)
	}
	if s.everything() || s.boxed && p.placed && s.box.Contains(p.point) {
		return true
	}
	if o.kind == kindBus {
		return containsAny(s.lines, p.lines)
	}
	return contains(s.stations, o.id) || containsAny(s.zones, p.zones)
}

// mayHaveCovered reports whether an object may have been in a subscription during its trail.
func (s *subscription) mayHaveCovered(o *object) bool {
	if s.covers(o, &o.place) {
		return true
	}
	switch o.kind {
	case kindBus:
		return s.boxed && (o.recent.meets(s.box) || o.earlier.meets(s.box)) ||
			containsAny(s.lines, o.recent.lines) || containsAny(s.lines, o.earlier.lines)
	case kindAir: // stations move rarely
		return s.boxed && (o.recent.meets(s.box) || o.earlier.meets(s.box)) || len(s.zones) > 0
	case kindAlert: // what it concerned before is not known
		return len(s.lines)+len(s.stops) > 0
	}
	return false
}

func contains(sorted []string, id string) bool {
	_, found := slices.BinarySearch(sorted, id)
	return found
}

func containsAny(sorted, ids []string) bool {
	return len(sorted) > 0 && slices.ContainsFunc(ids, func(id string) bool { return contains(sorted, id) })
}

// shows reports whether a stream's client may see an object and wants to.
func (v *view) shows(o *object) bool { return v.covers(o, &o.place) && v.maySee(o) }

// maySee reports whether an object is in the scope of a stream's caller.
func (v *view) maySee(o *object) bool {
	switch o.kind {
	case kindBus:
		return v.sees.Agency(o.agency)
	case kindAir:
		return o.last == nil || v.sees.Station(o.last)
	case kindStop, kindZone:
		return o.watched == nil || o.watched.audience == audienceOf(v.sees)
	}
	return true
}
