// Package zone holds named areas (districts, wards, school zones …) and finds the ones that contain a place.
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

// Zone is a named area with a period of validity.
type Zone struct {
	Kind string // "district", "ward", …; ids are unique within a kind
	ID   string
	Name nhip.LocalizedText
	From time.Time // zero: no beginning
	To   time.Time // exclusive; zero: no end
	// Area is in WGS84 lon, lat. Rings are closed, outer ones counter-clockwise and holes clockwise (RFC 7946).
	Area  orb.MultiPolygon
	bound orb.Bound
}

// ValidAt reports whether the zone is valid at a time.
func (z *Zone) ValidAt(t time.Time) bool {
	return !t.Before(z.From) && (z.To.IsZero() || t.Before(z.To))
}

// Bound returns the bounding box.
func (z *Zone) Bound() orb.Bound { return z.bound }

// SquareKm returns the area on the WGS84 ellipsoid: the area on a sphere with the equatorial radius, corrected by
// the curvature of the ellipsoid at the zone's latitude.
func (z *Zone) SquareKm() float64 {
	const e2 = 0.00669437999014 // squared eccentricity of the ellipsoid
	sin := math.Sin(z.Area.Bound().Center()[1] * math.Pi / 180)
	flat := 1 - e2*sin*sin
	return geo.Area(z.Area) / 1e6 * (1 - e2) / (flat * flat)
}

// Contains reports whether a place lies in the zone, by casting a ray eastwards. A place on a border belongs to
// exactly one side: zones whose borders coincide point for point contain each place exactly once.
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

// crosses reports whether a ray from p eastwards crosses a ring an odd number of times. An edge includes its
// lower end but not its upper one. The crossing is always computed from the lower end, in whichever direction the
// ring runs, so that the two zones at an edge get the same result.
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

// Set is a searchable set of zones. It does not change and is safe for concurrent use.
type Set struct {
	zones []*Zone // sorted by kind, id and beginning
}

// New returns a set of zones. Zones with the same kind and id may overlap in time; both are kept.
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

// All returns the zones that are valid at a time, by kind and id. It returns nil if s is nil.
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

// Between returns the zones that are valid at any time from from to to, both included, by kind, id and beginning.
// A zero to means no end.
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

// Find returns the zone of a kind with an id that is valid at a time, nil if there is none.
func (s *Set) Find(kind, id string, t time.Time) *Zone {
	if s == nil {
		return nil
	}
	first, _ := slices.BinarySearchFunc(s.zones, [2]string{kind, id}, func(z *Zone, name [2]string) int {
		return cmp.Or(cmp.Compare(z.Kind, name[0]), cmp.Compare(z.ID, name[1]))
	})
	for _, z := range s.zones[first:] {
		if z.Kind != kind || z.ID != id {
			return nil
		}
		if z.ValidAt(t) {
			return z
		}
	}
	return nil
}
