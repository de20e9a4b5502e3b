package index

import (
	"math"

	"github.com/paulmach/orb"
)

// A cell at maxDepth is 360°/2^30 wide, 4 cm at the equator: items in it are at the same place. Below that depth
// the tree divides by the hash of the id, two bits per level, so that even 5,000 buses at the coordinates of one
// depot are fast to move. A 64-bit hash can be divided hashLevels times.
const (
	maxDepth   = 30
	hashLevels = 32
)

// cell is a rectangle of the lon/lat plane, twice as wide as high in degrees. All its numbers are dyadic
// fractions of 45 and exact as float64, so halving and comparing are exact.
type cell struct {
	lon, lat float64 // its centre
	half     float64 // half its width, and its whole height, in degrees
	depth    int     // number of divisions of the world
}

// world contains every key.
var world = cell{half: 180}

// spatial reports whether the cell is divided by place; otherwise it is divided by hash.
func (c *cell) spatial() bool { return c.depth <= maxDepth }

// quadrant returns the quadrant of a spatial cell that contains a key: bit 0 is east, bit 1 is north.
func (c *cell) quadrant(lon, lat float64) int {
	q := 0
	if lon >= c.lon {
		q |= 1
	}
	if lat >= c.lat {
		q |= 2
	}
	return q
}

// hashQuadrant returns the quadrant of a cell below maxDepth for an id.
func (c *cell) hashQuadrant(id string) int {
	return int(hash(id)>>(2*(c.depth-maxDepth-1))) & 3
}

// child returns a quadrant. Below maxDepth it covers the same area, one level deeper.
func (c *cell) child(q int) cell {
	if !c.spatial() {
		return cell{c.lon, c.lat, c.half, c.depth + 1}
	}
	h := c.half / 2
	k := cell{c.lon - h, c.lat - h/2, h, c.depth + 1}
	if q&1 != 0 {
		k.lon = c.lon + h
	}
	if q&2 != 0 {
		k.lat = c.lat + h/2
	}
	return k
}

// covers reports whether a key lies in the cell. The west and south edges belong to the cell.
func (c *cell) covers(lon, lat float64) bool {
	h := c.half / 2
	return lon >= c.lon-c.half && lon < c.lon+c.half && lat >= c.lat-h && lat < c.lat+h
}

// minCos returns a lower bound on cos(lat) over the cell. The cosine of a latitude band is least at one of its
// edges; 1e-15 exceeds the rounding error of math.Cos.
func (c *cell) minCos() float64 {
	h := c.half / 2
	least := min(math.Cos(radians(c.lat-h)), math.Cos(radians(c.lat+h)))
	return max(0, least-1e-15)
}

// key returns the coordinates under which a point is stored: 180° becomes -180°, and the north pole, which the
// half-open cells exclude, is moved just below it.
func key(p orb.Point) (lon, lat float64) {
	lon, lat = p[0], p[1]
	if lon == 180 {
		lon = -180
	}
	if lat == 90 {
		lat = math.Nextafter(90, 0)
	}
	return lon, lat
}

// hash is 64-bit FNV-1a with a final mix into the low bits, which are used first.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h ^ h>>32
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
