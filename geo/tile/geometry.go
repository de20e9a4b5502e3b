package tile

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Kinds of geometry and commands of MVT 2.1 §4.3.
const (
	pointKind   = 1
	lineKind    = 2
	polygonKind = 3

	moveTo    = 1
	lineTo    = 2
	closePath = 7
)

// place is a point in a tile's units, y downwards.
type place struct{ x, y int32 }

// geometry is one feature's drawing. Nothing in it is empty or drawn twice in one spot: what
// vanishes when it is rounded is left out by the add methods.
type geometry struct {
	kind     int
	commands []uint32
	pen      place
}

func (g *geometry) empty() bool { return len(g.commands) == 0 }

// addLine draws a line, unless it is a single spot.
func (g *geometry) addLine(line []place) {
	line = slices.Compact(line)
	if len(line) < 2 {
		return
	}
	g.draw(moveTo, line[0])
	g.draw(lineTo, line[1:]...)
}

// addRing draws a ring and reports whether there was anything to draw. An exterior ring's area
// must be positive and an interior one's negative, with y downwards, whichever way it came.
func (g *geometry) addRing(ring []place, exterior bool) bool {
	ring = slices.Compact(ring)
	if len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1] // ClosePath draws the last side
	}
	area := doubleArea(ring)
	if area == 0 {
		return false
	}
	if area > 0 != exterior {
		slices.Reverse(ring)
	}
	g.draw(moveTo, ring[0])
	g.draw(lineTo, ring[1:]...)
	g.commands = append(g.commands, command(closePath, 1))
	return true
}

// doubleArea is the surveyor's formula.
func doubleArea(ring []place) int64 {
	var sum int64
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += int64(p.x)*int64(q.y) - int64(q.x)*int64(p.y)
	}
	return sum
}

func (g *geometry) draw(what int, to ...place) {
	g.commands = append(g.commands, command(what, len(to)))
	for _, p := range to {
		g.commands = append(g.commands, zigzag(p.x-g.pen.x), zigzag(p.y-g.pen.y))
		g.pen = p
	}
}

func command(what, count int) uint32 { return uint32(what) | uint32(count)<<3 }

func zigzag(v int32) uint32 { return uint32(protowire.EncodeZigZag(int64(v))) }
