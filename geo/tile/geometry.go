package tile

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Geometry types and commands of MVT 2.1 §4.3.
const (
	pointKind   = 1
	lineKind    = 2
	polygonKind = 3

	moveTo    = 1
	lineTo    = 2
	closePath = 7
)

// vertex is a point in tile units, y downwards.
type vertex struct{ x, y int32 }

// geometry is the encoded geometry of one feature. The add methods leave out parts that vanish by rounding, so it
// has no empty or repeated parts.
type geometry struct {
	kind     int
	commands []uint32
	pen      vertex
}

func (g *geometry) empty() bool { return len(g.commands) == 0 }

// addLine adds a line unless all its points coincide.
func (g *geometry) addLine(line []vertex) {
	line = slices.Compact(line)
	if len(line) < 2 {
		return
	}
	g.draw(moveTo, line[0])
	g.draw(lineTo, line[1:]...)
}

// addRing adds a ring and reports whether it has an area. With y downwards, the area of exterior rings must be
// positive and that of interior rings negative; the ring is reversed if necessary.
func (g *geometry) addRing(ring []vertex, exterior bool) bool {
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

// doubleArea returns twice the area by the shoelace formula.
func doubleArea(ring []vertex) int64 {
	var sum int64
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += int64(p.x)*int64(q.y) - int64(q.x)*int64(p.y)
	}
	return sum
}

func (g *geometry) draw(kind int, to ...vertex) {
	g.commands = append(g.commands, command(kind, len(to)))
	for _, p := range to {
		g.commands = append(g.commands, zigzag(p.x-g.pen.x), zigzag(p.y-g.pen.y))
		g.pen = p
	}
}

func command(kind, count int) uint32 { return uint32(kind) | uint32(count)<<3 }

func zigzag(v int32) uint32 { return uint32(protowire.EncodeZigZag(int64(v))) }
