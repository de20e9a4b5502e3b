package tile

import (
	"cmp"
	"slices"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// BusesZoom is the zoom from which tiles have buses: at lower zooms they would hide the lines.
const BusesZoom = 10

// Buses returns a tile with the layer buses: a point for each bus in the tile or its buffer, with id, agency,
// route, line, headsign, bearing (degrees clockwise from north), occupancy, state (live or stale at now), and
// time (RFC 3339, UTC), as far as they are known. It returns nil without buses and below BusesZoom. The result
// can be appended to a tile of a TransitMap to make one tile. Tiles that Address does not return are an error.
func Buses(t maptile.Tile, buses []*nhip.Bus, now time.Time) ([]byte, error) {
	if err := check(t); err != nil || t.Z < BusesZoom {
		return nil, err
	}
	f := newFrame(t)
	bound := f.bound()
	l := newLayer("buses")
	type placed struct {
		bus *nhip.Bus
		at  orb.Point
	}
	var visible []placed
	for _, b := range buses {
		p, valid := mercator(b.Point())
		if p = f.nearby(p); valid && bound.Contains(p) && !b.Expired(now) {
			visible = append(visible, placed{b, p})
		}
	}
	slices.SortStableFunc(visible, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.bus.Agency, b.bus.Agency), cmp.Compare(a.bus.ID, b.bus.ID))
	})
	var scratch [10]property
	for _, h := range visible {
		x, y := f.units(h.at)
		l.point(h.bus.Agency+"/"+h.bus.ID, x, y, busProperties(scratch[:0], h.bus, now)...)
	}
	return l.appendTo(nil), nil
}

func busProperties(to []property, b *nhip.Bus, now time.Time) []property {
	for _, p := range [...]struct{ key, value string }{
		{"id", b.ID},
		{"agency", b.Agency},
		{"route", b.Route},
		{"line", b.Line},
		{"headsign", b.Headsign},
		{"occupancy", string(b.Occupancy)},
		{"state", string(b.State(now))},
		{"time", b.Time.UTC().Format(time.RFC3339)},
		{"origin", string(b.Origin)},
	} {
		if p.value != "" {
			to = append(to, property{p.key, text(p.value)})
		}
	}
	if bearing, ok := b.Bearing.Get(); ok {
		to = append(to, property{"bearing", number(bearing)})
	}
	return to
}
