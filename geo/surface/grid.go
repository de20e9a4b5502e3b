package surface

import (
	"math"

	"github.com/paulmach/orb"
)

// Grid is a lattice on the Web Mercator square. The square is Size nodes wide and high; Size is a power of two,
// so the borders of tiles of every zoom lie on nodes. Node (i, j) of W×H lies at ((X+i)/Size, (Y+j)/Size),
// counted eastwards and southwards.
type Grid struct{ X, Y, W, H, Size int }

// MaxNodes is the maximum number of nodes of a grid that GridOver returns.
const MaxNodes = 65_536

// GridOver returns the finest grid of at most MaxNodes nodes over a box (WGS84 lon, lat) extended by margin in
// metres. Cells are at least least metres wide.
func GridOver(b orb.Bound, margin, least float64) Grid {
	lat := math.Min(math.Max(math.Abs(b.Min[1]), math.Abs(b.Max[1])), maxLat) * math.Pi / 180
	metres := 2 * math.Pi * earthRadius * math.Cos(lat) // length of the map's side at this latitude
	low, high := mercator(orb.Point{b.Min[0], b.Max[1]}), mercator(orb.Point{b.Max[0], b.Min[1]})
	for size := 1 << max(0, int(math.Log2(metres/least))); ; size /= 2 {
		n := float64(size)
		edge := margin / metres
		g := Grid{X: int(math.Floor((low[0] - edge) * n)), Y: int(math.Floor((low[1] - edge) * n)), Size: size}
		g.W = int(math.Ceil((high[0]+edge)*n)) - g.X + 1
		g.H = int(math.Ceil((high[1]+edge)*n)) - g.Y + 1
		if g.W*g.H <= MaxNodes || size == 1 {
			return g
		}
	}
}

// maxLat is the latitude at which the Web Mercator square ends.
const maxLat = 85.05112877980659

// mercator projects a place to the Web Mercator square: 0 to 1 eastwards and southwards.
func mercator(p orb.Point) orb.Point {
	sin := math.Sin(max(-maxLat, min(maxLat, p[1])) * math.Pi / 180)
	return orb.Point{p[0]/360 + 0.5, 0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)}
}

// Nodes returns the number of nodes.
func (g Grid) Nodes() int { return g.W * g.H }

// Lon returns the longitude of column i. Columns and rows may be fractional.
func (g Grid) Lon(i float64) float64 { return (float64(g.X)+i)/float64(g.Size)*360 - 180 }

// Lat returns the latitude of row j.
func (g Grid) Lat(j float64) float64 {
	return math.Atan(math.Sinh(math.Pi*(1-2*(float64(g.Y)+j)/float64(g.Size)))) * 180 / math.Pi
}

// Bound returns the bounding box of the lattice in WGS84.
func (g Grid) Bound() orb.Bound {
	return orb.Bound{
		Min: orb.Point{g.Lon(0), g.Lat(float64(g.H - 1))},
		Max: orb.Point{g.Lon(float64(g.W - 1)), g.Lat(0)},
	}
}

// ColumnRow returns the fractional column and row of a place.
func (g Grid) ColumnRow(p orb.Point) (i, j float64) {
	m := mercator(p)
	return m[0]*float64(g.Size) - float64(g.X), m[1]*float64(g.Size) - float64(g.Y)
}

// Raster holds a value for each node of a lattice, row by row from the north. Unknown values are NaN.
type Raster struct {
	Grid
	Values []float32
}

// NewRaster returns a raster of unknown values.
func NewRaster(g Grid) *Raster {
	r := &Raster{g, make([]float32, g.Nodes())}
	for i := range r.Values {
		r.Values[i] = float32(math.NaN())
	}
	return r
}

// At returns the value at column i and row j by bilinear interpolation. It is NaN outside the lattice or if one
// of the four nodes around is unknown.
func (r *Raster) At(i, j float64) float64 {
	if !(i >= 0 && j >= 0 && i <= float64(r.W-1) && j <= float64(r.H-1)) {
		return math.NaN()
	}
	x, y := min(int(i), r.W-2), min(int(j), r.H-2)
	if x < 0 || y < 0 {
		return math.NaN()
	}
	fx, fy := i-float64(x), j-float64(y)
	north := r.Values[y*r.W+x:][:2]
	south := r.Values[(y+1)*r.W+x:][:2]
	top := float64(north[0]) + fx*float64(north[1]-north[0])
	bottom := float64(south[0]) + fx*float64(south[1]-south[0])
	return top + fy*(bottom-top)
}

// AtPoint returns the value at a place (WGS84 lon, lat), like At.
func (r *Raster) AtPoint(p orb.Point) float64 { return r.At(r.ColumnRow(p)) }
