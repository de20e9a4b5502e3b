package gtfs

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// shapeRow is a point before it is in order.
type shapeRow struct {
	sequence int
	line     int
	point    orb.Point
	dist     float32
}

func (l *loader) readShapes() error {
	rows := map[string][]shapeRow{}
	var order []string
	err := l.optional("shapes.txt", func(t *table) {
		id, lat, lon := t.need("shape_id"), t.need("shape_pt_lat"), t.need("shape_pt_lon")
		sequence, dist := t.need("shape_pt_sequence"), t.column("shape_dist_traveled")
		for t.next() {
			name := t.text(id)
			if _, known := rows[name]; !known {
				name = strings.Clone(t.id(id))
				order = append(order, name)
			}
			rows[name] = append(rows[name], shapeRow{
				sequence: t.integerNeeded(sequence, 0, math.MaxInt32), line: t.line(),
				point: t.point(lat, lon, true), dist: t.dist(dist),
			})
		}
	})
	if err != nil {
		return err
	}
	for _, id := range order {
		if err := l.addShape(id, rows[id]); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) addShape(id string, rows []shapeRow) error {
	slices.SortStableFunc(rows, func(a, b shapeRow) int { return cmp.Compare(a.sequence, b.sequence) })
	if err := checkShape(id, rows); err != nil {
		return err
	}
	s := &Shape{ID: id, Line: make(orb.LineString, len(rows)), Dists: make([]float32, len(rows))}
	for i, r := range rows {
		s.Line[i], s.Dists[i] = r.point, r.dist
	}
	if slices.Contains(s.Dists, NoDist) { // distances help only where every point has one
		s.Dists = nil
	}
	l.shapes[id] = s
	l.feed.Shapes = append(l.feed.Shapes, s)
	return nil
}

func checkShape(id string, rows []shapeRow) error {
	bad := func(r shapeRow, field, rule string) error {
		return &Error{File: "shapes.txt", Line: r.line, Field: field, Rule: "shape " + id + ": " + rule}
	}
	if len(rows) < 2 {
		return bad(rows[0], "shape_id", "must have at least two points")
	}
	last := NoDist
	for i, r := range rows {
		if i > 0 && r.sequence == rows[i-1].sequence {
			return bad(r, "shape_pt_sequence", "is there twice")
		}
		if r.dist != NoDist && r.dist < last {
			return bad(r, "shape_dist_traveled", "must not fall along the shape")
		}
		last = max(last, r.dist)
	}
	return nil
}
