// Package tile encodes the platform's map tiles: vector tiles (Mapbox Vector Tile 2.1) of the current air quality
// and of the transit network, and PNG tiles of the index. The transit tiles are the base layer of the offline
// map.
//
// Every vector tile is made in the same order: project, simplify, clip, round, drop what has vanished. The input
// is never changed, so tiles can be made concurrently.
package tile

import (
	"math"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// MaxZoom is the highest zoom that is served.
const MaxZoom = 22

// DetailZoom is the highest zoom that clients need; they scale its tiles for higher zooms. A unit of its tiles is
// 0.6 m, finer than the accuracy of any receiver.
const DetailZoom = 14

const (
	extent = 4096 // units along a tile's side
	// buffer is how far beyond its edges a tile is drawn, so that circles and wide lines that reach over an edge are
	// complete: 64 units, the usual 8 pixels of a 512-pixel tile.
	buffer = 64
)

// Address returns the tile at z/x/y. It returns an *nhip.Error (CodeNotFound) beyond MaxZoom or outside the 2^z
// by 2^z tiles of a zoom.
func Address(z, x, y int) (maptile.Tile, error) {
	if z < 0 || z > MaxZoom {
		return maptile.Tile{}, nhip.Errorf(nhip.CodeNotFound, "z", "must be between 0 and %d, got %d", MaxZoom, z)
	}
	last := 1<<z - 1
	if x < 0 || x > last {
		return maptile.Tile{}, nhip.Errorf(nhip.CodeNotFound, "x", "must be between 0 and %d at zoom %d, got %d", last, z, x)
	}
	if y < 0 || y > last {
		return maptile.Tile{}, nhip.Errorf(nhip.CodeNotFound, "y", "must be between 0 and %d at zoom %d, got %d", last, z, y)
	}
	return maptile.New(uint32(x), uint32(y), maptile.Zoom(z)), nil
}

// check rejects tiles that Address does not return.
func check(t maptile.Tile) error {
	if t.Z > MaxZoom || !t.Valid() {
		return nhip.Errorf(nhip.CodeNotFound, "tile", "no tile %d/%d/%d", t.Z, t.X, t.Y)
	}
	return nil
}

// mercator projects a place to the Web Mercator square, 0 to 1 eastwards and southwards. ok is false for invalid
// coordinates. Beyond 85.05° the result is above or below the square, in no tile. Latitudes within a thousandth
// of a degree of a pole are limited to keep the result finite.
func mercator(p orb.Point) (orb.Point, bool) {
	lon, lat := p[0], p[1]
	if !(lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90) { // NaN fails this comparison
		return orb.Point{}, false
	}
	lat = max(-89.999, min(89.999, lat))
	sin := math.Sin(lat * math.Pi / 180)
	return orb.Point{lon/360 + 0.5, 0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)}, true
}

// frame converts map coordinates to the units of one tile.
type frame struct {
	x, y  float64 // corner of the tile, in tiles
	tiles float64 // number of tiles along the side of the map
}

func newFrame(t maptile.Tile) frame {
	return frame{float64(t.X), float64(t.Y), float64(uint64(1) << t.Z)}
}

// bound returns the extent of the tile with its buffer in map coordinates.
func (f frame) bound() orb.Bound {
	const margin = float64(buffer) / extent
	return orb.Bound{
		Min: orb.Point{(f.x - margin) / f.tiles, (f.y - margin) / f.tiles},
		Max: orb.Point{(f.x + 1 + margin) / f.tiles, (f.y + 1 + margin) / f.tiles},
	}
}

// units converts map coordinates to tile units, y downwards.
func (f frame) units(p orb.Point) (x, y int32) {
	return round((p[0]*f.tiles - f.x) * extent), round((p[1]*f.tiles - f.y) * extent)
}

func round(v float64) int32 { return int32(math.Floor(v + 0.5)) }

// nearby returns the copy of p that is nearest to the tile: a place just west of the antimeridian may lie in the
// buffer of the tile east of it.
func (f frame) nearby(p orb.Point) orb.Point {
	switch dx := p[0] - (f.x+0.5)/f.tiles; {
	case dx > 0.5:
		p[0]--
	case dx < -0.5:
		p[0]++
	}
	return p
}
