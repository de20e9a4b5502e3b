package sim

import (
	"testing"

	"nhip/geo/zone"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// TestDistrictsPartTheCity finds exactly one district for each station and for a lattice of places in the city, and
// valid rings of plausible size.
func TestDistrictsPartTheCity(t *testing.T) {
	zones := Districts()
	for i := range zones {
		ring := zones[i].Area[0][0]
		if !ring.Closed() || ring.Orientation() != orb.CCW || len(ring) < 40 {
			t.Errorf("%s: closed %v, orientation %d, %d corners", zones[i].ID, ring.Closed(), ring.Orientation(), len(ring))
		}
		if km2 := geo.Area(zones[i].Area) / 1e6; km2 < 4 || km2 > 250 {
			t.Errorf("%s has %.1f km²", zones[i].ID, km2)
		}
	}
	set := zone.New(zones)
	check := func(p orb.Point, what string) {
		n := 0
		for _, z := range set.All(at(9, 0)) {
			if z.Contains(p) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d districts", what, n)
		}
	}
	for _, s := range stationSpecs {
		check(s.point, s.id)
	}
	f := newPlane(cityCenter)
	for x := -15_000.0; x <= 15_000; x += 397 {
		for y := -15_000.0; y <= 15_000; y += 397 {
			if p := (orb.Point{x, y}); length(p) < cityRadius-2*borderWander {
				check(f.toWGS84(p), "a place in the city")
			}
		}
	}
	for i, d := range districts {
		if !zones[i].Contains(d.center) {
			t.Errorf("%s does not contain its middle", d.id)
		}
	}
}
