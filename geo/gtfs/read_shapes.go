package gtfs

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"unsafe"

	"github.com/paulmach/orb"
)

// shapePoints are the points of all shapes, shape by shape. Parallel arrays need less memory than rows.
type shapePoints struct {
	line  orb.LineString
	dists []float32
	order []shapeOrder
}

// shapeOrder is where a point stands.
type shapeOrder struct{ sequence, line int32 }

// pointSize is the memory of a point in bytes.
const pointSize = unsafe.Sizeof(orb.Point{}) + unsafe.Sizeof(float32(0)) + unsafe.Sizeof(shapeOrder{})

// readShapes counts the points of each shape, and then reads each point to its place.
func (l *loader) readShapes() error {
	var names []string
	index, counts, total := map[string]int32{}, []int32(nil), 0
	if !l.has("shapes.txt") {
		return nil
	}
	err := l.readTable("shapes.txt", nil, func(t *table) {
		id := t.require("shape_id")
		for t.next() && t.hold(pointSize) {
			i, known := index[t.ref(id)]
			if !known {
				t.hold(unsafe.Sizeof(Shape{}) + 2*mapEntry + reference)
				i = int32(len(names))
				name := t.clone(t.ref(id))
				index[name] = i
				names, counts = append(names, name), append(counts, 0)
			}
			counts[i]++
			total++
		}
	})
	if err != nil || total == 0 {
		return l.tolerate("shapes.txt", err)
	}
	rows := shapePoints{make(orb.LineString, total), make([]float32, total), make([]shapeOrder, total)}
	places := newPlaces(counts)
	if err := l.readShapePoints(index, places, &rows); err != nil {
		return l.tolerate("shapes.txt", err)
	}
	for i, name := range names {
		from, to := places.of(i)
		if from < to {
			l.addShape(name, rows.part(from, to))
		}
	}
	return nil
}

func (l *loader) readShapePoints(index map[string]int32, places *places, rows *shapePoints) error {
	return l.table("shapes.txt", func(t *table) {
		id, lat, lon := t.require("shape_id"), t.require("shape_pt_lat"), t.require("shape_pt_lon")
		sequence, dist := t.require("shape_pt_sequence"), t.column("shape_dist_traveled")
		for t.next() {
			t.checkID(id)
			order := shapeOrder{sequence: int32(t.requireInteger(sequence, 0, math.MaxInt32)), line: int32(t.line())}
			point, given := t.point(lat, lon)
			if !given {
				t.leaveOut(codeMissingField, lat, "a valid place is required")
			}
			along := t.dist(dist)
			i, known := index[t.ref(id)]
			if t.rowFailed || !known {
				continue
			}
			at, ok := places.next(i)
			if !ok {
				t.err = &Error{File: t.name, Rule: "the file changed while it was read"}
				return
			}
			rows.order[at], rows.line[at], rows.dists[at] = order, point, along
		}
	})
}

// part returns the points from one index to another.
func (s *shapePoints) part(from, to int) shapePoints {
	return shapePoints{s.line[from:to:to], s.dists[from:to:to], s.order[from:to:to]}
}

// Len, Less and Swap sort the points by their sequence numbers.
func (s shapePoints) Len() int { return len(s.line) }

// Less orders by sequence number and then by line.
func (s shapePoints) Less(i, j int) bool { return compareOrder(s.order[i], s.order[j]) < 0 }

// Swap exchanges two points.
func (s shapePoints) Swap(i, j int) {
	s.line[i], s.line[j] = s.line[j], s.line[i]
	s.dists[i], s.dists[j] = s.dists[j], s.dists[i]
	s.order[i], s.order[j] = s.order[j], s.order[i]
}

func compareOrder(a, b shapeOrder) int {
	return cmp.Or(cmp.Compare(a.sequence, b.sequence), cmp.Compare(a.line, b.line))
}

// addShape adds a shape that can be drawn.
func (l *loader) addShape(id string, rows shapePoints) {
	if !slices.IsSortedFunc(rows.order, compareOrder) {
		sort.Sort(rows)
	}
	bad := func(i int, severity Severity, code, field, message, done string) {
		l.findings.Add(Finding{
			severity, code, "shapes.txt", int(rows.order[i].line), field, "the shape " + clip(id) + " " + message, done,
		})
	}
	kept := 0
	for i := range rows.order {
		if i > 0 && rows.order[i].sequence == rows.order[kept-1].sequence {
			bad(i, SeverityWarning, codeDuplicateKey, "shape_pt_sequence", "has two points of this number", leftOut)
			continue
		}
		rows.order[kept], rows.line[kept], rows.dists[kept] = rows.order[i], rows.line[i], rows.dists[i]
		kept++
	}
	rows = rows.part(0, kept)
	switch {
	case kept < 2:
		bad(0, SeverityError, codeSinglePoint, "shape_id", "has only one valid point", shapeLeftOut)
		return
	case kept > maxShapePoints:
		bad(maxShapePoints, SeverityError, codeTooManyRows, "shape_id", "has too many points", shapeLeftOut)
		return
	}
	s := &Shape{ID: id, Line: rows.line, Dists: rows.dists}
	if slices.Contains(s.Dists, NoDist) { // distances are useful only if every point has one
		s.Dists = nil
	}
	for i := 1; i < len(s.Dists); i++ {
		if s.Dists[i] < s.Dists[i-1] {
			bad(i, SeverityWarning, codeDecreasingDistance, "shape_dist_traveled", "has distances that decrease",
				"the distances of the shape are left out")
			s.Dists = nil
		}
	}
	l.shapes[id] = s
	l.feed.Shapes = append(l.feed.Shapes, s)
}

// shapeLeftOut is what is done with a shape that can't be drawn.
const shapeLeftOut = "the shape is left out; its trips go from stop to stop"

// maxShapePoints bounds the points of one shape: a point every 10 m of a line of 1,000 km.
const maxShapePoints = 100_000
