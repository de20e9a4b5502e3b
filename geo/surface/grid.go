package surface

import (
	"math"

	"github.com/paulmach/orb"
)

// Grid is a lattice on the square of Web Mercator, which is Size nodes wide and high, a power of two: so tiles of
// every zoom meet it at nodes. Node (i, j) of W×H stands at ((X+i)/Size, (Y+j)/Size), eastwards and southwards.
type Grid struct{ X, Y, W, H, Size int }

// MostNodes is how many nodes a Grid may have.
const MostNodes = 65_536

// GridOver returns the finest lattice of at most MostNodes over a box of WGS84 lon, lat and a margin in metres.
// Cells are never smaller than least metres.
func GridOver(b orb.Bound, margin, least float64) Grid {
	lat := math.Min(math.Max(math.Abs(b.Min[1]), math.Abs(b.Max[1])), mapEnds) * math.Pi / 180
	metres := 2 * math.Pi * earthRadius * math.Cos(lat) // along the map's side, there
	low, high := mercator(orb.Point{b.Min[0], b.Max[1]}), mercator(orb.Point{b.Max[0], b.Min[1]})
	for size := 1 << max(0, int(math.Log2(metres/least))); ; size /= 2 {
		n := float64(size)
		edge := margin / metres
		g := Grid{X: int(math.Floor((low[0] - edge) * n)), Y: int(math.Floor((low[1] - edge) * n)), Size: size}
		g.W = int(math.Ceil((high[0]+edge)*n)) - g.X + 1
		g.H = int(math.Ceil((high[1]+edge)*n)) - g.Y + 1
		if g.W*g.H <= MostNodes || size == 1 {
			return g
		}
	}
}

// mapEnds is the latitude at which the square ends.
const mapEnds = 85.05112877980659

// mercator returns a place on the square of Web Mercator, 0 to 1 eastwards and southwards.
func mercator(p orb.Point) orb.Point {
	sin := math.Sin(max(-mapEnds, min(mapEnds, p[1])) * math.Pi / 180)
	return orb.Point{p[0]/360 + 0.5, 0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)}
}

// Nodes is how many the lattice has.
func (g Grid) Nodes() int { return g.W * g.H }

// Lon returns the longitude of column i, Lat the latitude of row j. Both may lie between nodes.
func (g Grid) Lon(i float64) float64 { return (float64(g.X)+i)/float64(g.Size)*360 - 180 }

// Lat returns the latitude of row j.
func (g Grid) Lat(j float64) float64 {
	return math.Atan(math.Sinh(math.Pi*(1-2*(float64(g.Y)+j)/float64(g.Size)))) * 180 / math.Pi
}

// Bound is the box around the lattice, WGS84.
func (g Grid) Bound() orb.Bound {
	return orb.Bound{
		Min: orb.Point{g.Lon(0), g.Lat(float64(g.H - 1))},
		Max: orb.Point{g.Lon(float64(g.W - 1)), g.Lat(0)},
	}
}

// Of returns a place in columns and rows of the lattice.
func (g Grid) Of(p orb.Point) (i, j float64) {
	m := mercator(p)
	return m[0]*float64(g.Size) - float64(g.X), m[1]*float64(g.Size) - float64(g.Y)
}

// Raster is a number for each node of a lattice, row by row from the north; NaN where nothing is known.
type Raster struct {
	Grid
	Values []float32
}

// NewRaster returns one of which nothing is known.
func NewRaster(g Grid) *Raster {
	r := &Raster{g, make([]float32, g.Nodes())}
	for i := range r.Values {
		r.Values[i] = float32(math.NaN())
	}
	return r
}

// At returns the number at column i, row j, between nodes by bilinear interpolation; NaN where one of the nodes
// around is not known.
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

// AtPoint is At for WGS84 lon, lat.
func (r *Raster) AtPoint(p orb.Point) float64 { return r.At(r.Of(p)) }
