package network

import (
	"math"

	"github.com/paulmach/orb"
)

// cellSize is the height and the approximate width of a cell, in metres.
const cellSize = 250

// grid finds the stretches of patterns near a place. It consists of rows of latitude, each divided into cells
// about as wide as high, so that cells have the same size everywhere.
type grid struct {
	cells map[cellKey][]stretch
}

type cellKey struct{ row, column int32 }

// stretch is a range of consecutive segments of a pattern within their reach of a cell.
type stretch struct {
	pattern, first, last int32
}

func newGrid(patterns []*Pattern) grid {
	g := grid{cells: make(map[cellKey][]stretch)}
	for _, p := range patterns {
		for i := range len(p.Line) - 1 {
			g.addSegment(p, i)
		}
	}
	return g
}

// addSegment adds a segment to every cell within its reach, in steps too small to skip a cell.
func (g *grid) addSegment(p *Pattern, i int) {
	a, b := p.Line[i], p.Line[i+1]
	f := PlaneAt(a)
	x, y := f.xy(b)
	reach := reachOf(p.looseness(i, 0.5)) + (cellSize-2*MatchRadius)/2
	steps := int(math.Ceil(math.Hypot(x, y)/(cellSize-2*MatchRadius))) + 1
	for k := 0; k <= steps; k++ {
		part := float64(k) / float64(steps)
		at := PlaneAt(a)
		at.Point = offset(&at, part*x, part*y)
		visitCells(at.Point, reach, func(c cellKey) { g.addStretch(c, int32(p.Index), int32(i)) })
	}
}

// visitCells calls visit for every cell within at least that many metres of a point.
func visitCells(at orb.Point, reach float64, visit func(cellKey)) {
	f := PlaneAt(at)
	low, high := rowOf(at.Lat()-reach/metresPerDegree), rowOf(at.Lat()+reach/metresPerDegree)
	for row := low; row <= high; row++ {
		west := columnOf(row, offset(&f, -reach, 0).Lon())
		east := columnOf(row, offset(&f, reach, 0).Lon())
		for c := west; ; c = (c + 1) % columns(row) {
			visit(cellKey{row, c})
			if c == east {
				break
			}
		}
	}
}

// addStretch adds a segment to a cell. It extends the last stretch if the segment follows it.
func (g *grid) addStretch(c cellKey, pattern, segment int32) {
	all := g.cells[c]
	if n := len(all); n > 0 {
		last := &all[n-1]
		if last.pattern == pattern && last.last+1 >= segment {
			last.last = max(last.last, segment)
			return
		}
	}
	g.cells[c] = append(all, stretch{pattern, segment, segment})
}

func (g *grid) at(p orb.Point) []stretch {
	row := rowOf(p.Lat())
	return g.cells[cellKey{row, columnOf(row, p.Lon())}]
}

func rowOf(lat float64) int32 { return int32(math.Floor(lat * metresPerDegree / cellSize)) }

// columns returns the number of cells in a row around the earth.
func columns(row int32) int32 {
	lat := (float64(row) + 0.5) * cellSize / metresPerDegree
	return max(int32(360*metresPerDegree*math.Cos(lat*math.Pi/180)/cellSize), 1)
}

func columnOf(row int32, lon float64) int32 {
	n := columns(row)
	part := (lon + 180) / 360
	c := int32(math.Floor((part - math.Floor(part)) * float64(n)))
	return min(c, n-1)
}

// offset returns the point east and north of a place by that many metres, with a longitude in [-180, 180].
func offset(f *LocalPlane, east, north float64) orb.Point {
	lon := f.Point[0]
	if f.cos > 0 {
		lon += east / (f.cos * metresPerDegree)
	}
	if lon > 180 {
		lon -= 360
	} else if lon < -180 {
		lon += 360
	}
	return orb.Point{lon, f.Point[1] + north/metresPerDegree}
}
