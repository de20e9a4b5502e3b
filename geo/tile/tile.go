// Package tile makes the platform's vector tiles (Mapbox Vector Tile 2.1): the air, from what the
// monitors say now, and the transit network, which is the ground of the offline map.
//
// Every tile is made in one order: project, simplify, clip, round, drop what vanished. What a tile
// is made of is never changed, so any number of tiles may be made at once.
package tile

import (
	"math"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// MaxZoom is the closest zoom that is served.
const MaxZoom = 22

// DeepZoom is the zoom from which clients draw closer ones themselves: a unit of its tiles is
// 0.6 m, finer than any receiver's fix.
const DeepZoom = 14

const (
	extent = 4096 // units along a tile's side
	// buffer is how far around a tile things are drawn, so that a circle or a wide line that
	// reaches over the edge is whole: 64 units, 8 pixels of a 512-pixel tile, as is usual.
	buffer = 64
)

// Address returns the tile at z/x/y. There is none beyond MaxZoom or outside the 2^z by 2^z of a
// zoom, which is an *nhip.Error (NotFound).
func Address(z, x, y int) (maptile.Tile, error) {
	if z < 0 || z > MaxZoom {
		return maptile.Tile{}, nhip.Errorf(nhip.NotFound, "z", "must be between 0 and %d, got %d", MaxZoom, z)
	}
	last := 1<<z - 1
	if x < 0 || x > last {
		return maptile.Tile{}, nhip.Errorf(nhip.NotFound, "x", "must be between 0 and %d at zoom %d, got %d", last, z, x)
	}
	if y < 0 || y > last {
		return maptile.Tile{}, nhip.Errorf(nhip.NotFound, "y", "must be between 0 and %d at zoom %d, got %d", last, z, y)
	}
	return maptile.New(uint32(x), uint32(y), maptile.Zoom(z)), nil
}

// check refuses a tile that Address would not have made.
func check(t maptile.Tile) error {
	if t.Z > MaxZoom || !t.Valid() {
		return nhip.Errorf(nhip.NotFound, "tile", "there is no tile %d/%d/%d", t.Z, t.X, t.Y)
	}
	return nil
}

// onMap returns a place on the square of Web Mercator, 0 to 1 eastwards and southwards, and false
// for what is no place. Beyond 85.05° the square ends: such places come out above 0 or below 1, in
// no tile. Within a thousandth of a degree of a pole the height is held finite.
func onMap(p orb.Point) (orb.Point, bool) {
	lon, lat := p[0], p[1]
	if !(lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90) { // written so that NaN fails
		return orb.Point{}, false
	}
	lat = max(-89.999, min(89.999, lat))
	sin := math.Sin(lat * math.Pi / 180)
	return orb.Point{lon/360 + 0.5, 0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)}, true
}

// frame places what is on the map in one tile.
type frame struct {
	x, y  float64 // the tile's corner, in tiles
	tiles float64 // along the map's side
}

func newFrame(t maptile.Tile) frame {
	return frame{float64(t.X), float64(t.Y), float64(uint64(1) << t.Z)}
}

// bound returns the tile with its buffer, on the map.
func (f frame) bound() orb.Bound {
	const margin = float64(buffer) / extent
	return orb.Bound{
		Min: orb.Point{(f.x - margin) / f.tiles, (f.y - margin) / f.tiles},
		Max: orb.Point{(f.x + 1 + margin) / f.tiles, (f.y + 1 + margin) / f.tiles},
	}
}

// units returns a place on the map in the tile's units, y downwards.
func (f frame) units(p orb.Point) (x, y int32) {
	return round((p[0]*f.tiles - f.x) * extent), round((p[1]*f.tiles - f.y) * extent)
}

func round(v float64) int32 { return int32(math.Floor(v + 0.5)) }

// nearby returns p by the shorter way round the world: a place just west of the antimeridian is in
// the buffer of the tile east of it.
func (f frame) nearby(p orb.Point) orb.Point {
	switch dx := p[0] - (f.x+0.5)/f.tiles; {
	case dx > 0.5:
		p[0]--
	case dx < -0.5:
		p[0]++
	}
	return p
}
