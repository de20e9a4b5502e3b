package index

import (
	"math"

	"github.com/paulmach/orb"
)

// The depth of cells. A cell at maxDepth is 360°/2^30 wide, 4 cm at the equator: things that share
// one stand in the same spot. Below it the tree goes by the hash of the id, two bits a level, so
// that 5,000 buses parked at one depot coordinate are as quick to move as any; hashLevels is how
// often a 64-bit hash can be cut in four.
const (
	maxDepth   = 30
	hashLevels = 32
)

// cell is a piece of the lon/lat plane, twice as wide as high in degrees. All its numbers are
// dyadic fractions of 45 and fit a float64, so halving and comparing are exact.
type cell struct {
	lon, lat float64 // its centre
	half     float64 // half its width, and its whole height, in degrees
	depth    int     // how often the world was cut to get it
}

// world holds every key.
var world = cell{half: 180}

// spatial reports whether the cell is cut by place; otherwise it is cut by hash.
func (c *cell) spatial() bool { return c.depth <= maxDepth }

// quadrant says in which quarter of a spatial cell a key lies: bit 0 is east, bit 1 is north.
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

// hashed says in which quarter of a cell below maxDepth an id lies.
func (c *cell) hashed(id string) int {
	return int(hash(id)>>(2*(c.depth-maxDepth-1))) & 3
}

// child returns a quarter. Below maxDepth it is the same ground one level deeper.
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

// covers reports whether a key lies in the cell, whose west and south edges belong to it.
func (c *cell) covers(lon, lat float64) bool {
	h := c.half / 2
	return lon >= c.lon-c.half && lon < c.lon+c.half && lat >= c.lat-h && lat < c.lat+h
}

// minCos returns a lower bound on cos(lat) over the cell. On a band of latitudes the cosine is
// least at an edge; 1e-15 is more than the rounding of math.Cos.
func (c *cell) minCos() float64 {
	h := c.half / 2
	least := min(math.Cos(radians(c.lat-h)), math.Cos(radians(c.lat+h)))
	return max(0, least-1e-15)
}

// key returns where a point is filed: 180° is the meridian of -180°, and the pole, which the half
// open cells would leave out, goes with what lies below it.
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

// hash is 64-bit FNV-1a with a finish that spreads it to the low bits, which are used first.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h ^ h>>32
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
