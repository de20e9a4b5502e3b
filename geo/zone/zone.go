// Package zone knows areas with names (districts, wards, school zones …) and which of them a place lies in.
package zone

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Zone is an area that is valid for a time.
type Zone struct {
	Kind string // what it is a zone of: "district", "ward"; ids are unique within it
	ID   string
	Name nhip.Name
	From time.Time // zero: always was
	To   time.Time // exclusive; zero: still is
	// Area is in WGS84 lon, lat. Rings are closed, outer ones counter-clockwise and holes clockwise (RFC 7946).
	Area  orb.MultiPolygon
	bound orb.Bound
}

// ValidAt reports whether the zone was, or is, one at a time.
func (z *Zone) ValidAt(t time.Time) bool {
	return !t.Before(z.From) && (z.To.IsZero() || t.Before(z.To))
}

// Bound returns the box around it.
func (z *Zone) Bound() orb.Bound { return z.bound }

// SquareKm returns its area on the WGS84 ellipsoid: that on a sphere of the equator's radius, by how much more the
// ground is curved at the zone's latitude.
func (z *Zone) SquareKm() float64 {
	const e2 = 0.00669437999014 // the ellipsoid's eccentricity, squared
	sin := math.Sin(z.Area.Bound().Center()[1] * math.Pi / 180)
	flat := 1 - e2*sin*sin
	return geo.Area(z.Area) / 1e6 * (1 - e2) / (flat * flat)
}

// Contains reports whether a place lies in it, by casting a ray eastwards. What lies on a border belongs to just one of
// the two sides: zones that share their borders point for point hold each place once.
func (z *Zone) Contains(p orb.Point) bool {
	if !z.bound.Contains(p) {
		return false
	}
	inside := false
	for _, polygon := range z.Area {
		for _, ring := range polygon {
			if crosses(ring, p) {
				inside = !inside
			}
		}
	}
	return inside
}

// crosses reports whether a ray from p eastwards crosses a ring an odd number of times. An edge counts from its lower
// end, included, to its upper one, and where the ray meets it is worked out from the lower end whichever way the ring
// goes: so both neighbours of an edge get the same.
func crosses(ring orb.Ring, p orb.Point) bool {
	odd := false
	for i := 1; i < len(ring); i++ {
		low, high := ring[i-1], ring[i]
		if low[1] > high[1] {
			low, high = high, low
		}
		if low[1] > p[1] || p[1] >= high[1] {
			continue
		}
		if p[0] < low[0]+(p[1]-low[1])*(high[0]-low[0])/(high[1]-low[1]) {
			odd = !odd
		}
	}
	return odd
}

// Set is zones that can be looked up. It does not change, and may be used by any number of goroutines.
type Set struct {
	zones []*Zone // by kind and id
}

// New returns the set of zones. Of two with one kind and id at one time both are in it.
func New(zones []Zone) *Set {
	s := &Set{zones: make([]*Zone, len(zones))}
	for i := range zones {
		s.zones[i] = &zones[i]
		s.zones[i].bound = zones[i].Area.Bound()
	}
	slices.SortStableFunc(s.zones, func(a, b *Zone) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), a.From.Compare(b.From))
	})
	return s
}

// All returns the zones of a time, by kind and id; none of nil.
func (s *Set) All(t time.Time) []*Zone {
	if s == nil {
		return nil
	}
	var out []*Zone
	for _, z := range s.zones {
		if z.ValidAt(t) {
			out = append(out, z)
		}
	}
	return out
}

// Between returns the zones that are valid at any time of a span, both ends included, by kind, id and when they begin.
// A zero end is open.
func (s *Set) Between(from, to time.Time) []*Zone {
	if s == nil {
		return nil
	}
	var out []*Zone
	for _, z := range s.zones {
		if (z.To.IsZero() || from.Before(z.To)) && (to.IsZero() || !to.Before(z.From)) {
			out = append(out, z)
		}
	}
	return out
}
