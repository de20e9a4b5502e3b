package stream

import (
	"math"
	"slices"

	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// Cells of level n are cellSide·2ⁿ wide and high. A narrow box lies in the cells of the lowest level at which it covers
// at most three by three.
const (
	cellSide   = 0.01 // degrees, about 1 km
	cellLevels = 4    // cells of the highest level are 0.08° wide, which suffices for narrowSide
)

// cell is a square of the lon/lat plane.
type cell struct {
	level int
	x, y  int32
}

// cellAt returns the cell of a level at a point.
func cellAt(level int, p orb.Point) cell {
	side := cellSide * float64(int(1)<<level)
	return cell{level, int32(math.Floor(p[0] / side)), int32(math.Floor(p[1] / side))}
}

// cellsOf returns the cells of a narrow box.
func cellsOf(b index.Box) []cell {
	level := 0
	for wide := max(b.MaxLon-b.MinLon, b.MaxLat-b.MinLat) / 2; level < cellLevels-1 &&
		cellSide*float64(int(1)<<level) < wide; {
		level++
	}
	low, high := cellAt(level, orb.Point{b.MinLon, b.MinLat}), cellAt(level, orb.Point{b.MaxLon, b.MaxLat})
	var out []cell
	for x := low.x; x <= high.x; x++ {
		for y := low.y; y <= high.y; y++ {
			out = append(out, cell{level, x, y})
		}
	}
	return out
}

// grid finds the streams whose narrow box contains a point.
type grid struct {
	cells  map[cell][]*stream
	levels [cellLevels]int // streams by level
}

func newGrid() grid { return grid{cells: make(map[cell][]*stream)} }

func (g *grid) add(s *stream) {
	for i, c := range cellsOf(s.box) {
		if i == 0 {
			g.levels[c.level]++
		}
		g.cells[c] = append(g.cells[c], s)
	}
}

func (g *grid) remove(s *stream) {
	for i, c := range cellsOf(s.box) {
		if i == 0 {
			g.levels[c.level]--
		}
		rest := removed(g.cells[c], slices.Index(g.cells[c], s))
		if g.cells[c] = rest; len(rest) == 0 {
			delete(g.cells, c)
		}
	}
}

// each calls f for each stream whose box contains p.
func (g *grid) each(p orb.Point, f func(s *stream)) {
	for level, streams := range g.levels {
		if streams == 0 {
			continue
		}
		for _, s := range g.cells[cellAt(level, p)] {
			if s.box.Contains(p) {
				f(s)
			}
		}
	}
}
