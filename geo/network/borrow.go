package network

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// A line that nothing draws goes straight from stop to stop, and cuts the corners of the streets. Where other patterns
// call at more stops on the same streets, it borrows them: the line goes through the stops of a path in the graph whose
// edges are all links of the timetable, and short walks to the stops of other lines at the same place.
//
// The constants were measured on Austin's timetable without shapes: the share of positions with the right route and
// direction differs by at most 0.7 points between walks of 60 and 150 m, and between ratios of 1.25 and 2.
const (
	maxWalk     = 100.0 // m between two stops of the same place
	maxRatio    = 1.5   // of the length of a borrowed path to the straight one
	pathSlack   = 100.0 // m by which a borrowed path may be longer in any case
	hopExponent = 1.3   // of the length of an edge: many short hops follow the streets better than a long one
)

// Bounds of the work of borrowing. A search of a link of 5 km in a dense network looks at about 1,000 stops.
const (
	maxSearched    = 4_000     // stops in the search for one link
	maxSearchedAll = 2_000_000 // and for all of a timetable: some seconds
	maxVia         = 64        // stops borrowed by one link
	maxViaAll      = 1_000_000 // points of all patterns' lines
	maxNeighbours  = 32        // stops within a walk
	maxCompared    = 256       // stops of a cell that are compared for it
)

// borrow makes the lines that nothing draws go through the stops of other patterns, where that is a plausible path.
func (n *Network) borrow() {
	missing := n.undrawnLinks()
	if len(missing) == 0 {
		return
	}
	g := newStopGraph(n.Patterns)
	via := make(map[link][]orb.Point)
	budget := maxSearchedAll
	for _, l := range missing { // short ones first, so that long ones do not use up the budget
		if points := g.path(l, &budget); len(points) > 0 {
			via[l] = points
		}
	}
	left := maxViaAll
	for _, p := range n.Patterns {
		if !p.undrawn {
			continue
		}
		count := 0
		for i := range p.Last() {
			count += len(via[link{p.Stops[i], p.Stops[i+1]}])
		}
		if left -= count; left < 0 {
			return
		}
		if count > 0 {
			p.goThrough(via)
		}
	}
}

// undrawnLinks returns the links that nothing draws and that are long enough to have stops between, by length.
func (n *Network) undrawnLinks() []link {
	lengths := make(map[link]float64)
	for _, p := range n.Patterns {
		if !p.undrawn {
			continue
		}
		for i := range p.Last() {
			l := link{p.Stops[i], p.Stops[i+1]}
			if _, known := lengths[l]; known {
				continue
			}
			if d := geo.DistanceHaversine(l.from.Point, l.to.Point); d > maxWalk {
				lengths[l] = d
			}
		}
	}
	all := make([]link, 0, len(lengths))
	for l := range lengths {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b link) int {
		return cmp.Or(cmp.Compare(lengths[a], lengths[b]), cmp.Compare(a.from.ID, b.from.ID), cmp.Compare(a.to.ID, b.to.ID))
	})
	return all
}

// stopGraph is the graph of the stops at which patterns call.
type stopGraph struct {
	index map[*gtfs.Stop]int32
	stops []*gtfs.Stop
	next  [][]stopEdge
	walks map[int32][]stopEdge // of the stops that a search has reached
	cells map[cellKey][]int32

	labels map[stopState]label // reused between searches
}

type stopEdge struct {
	to     int32
	metres float64
}

func newStopGraph(patterns []*Pattern) *stopGraph {
	g := &stopGraph{
		index: make(map[*gtfs.Stop]int32), walks: make(map[int32][]stopEdge), cells: make(map[cellKey][]int32),
		labels: make(map[stopState]label),
	}
	known := make(map[int32]bool)
	for _, p := range patterns {
		for i := range p.Last() {
			if known[p.Links[i]] {
				continue
			}
			known[p.Links[i]] = true
			from, to := g.add(p.Stops[i]), g.add(p.Stops[i+1])
			d := geo.DistanceHaversine(p.Stops[i].Point, p.Stops[i+1].Point)
			g.next[from] = append(g.next[from], stopEdge{to, d})
		}
	}
	return g
}

// add returns the index of a stop.
func (g *stopGraph) add(s *gtfs.Stop) int32 {
	i, known := g.index[s]
	if !known {
		i = int32(len(g.stops))
		g.index[s] = i
		g.stops, g.next = append(g.stops, s), append(g.next, nil)
		row := rowOf(s.Point.Lat())
		c := cellKey{row, columnOf(row, s.Point.Lon())}
		g.cells[c] = append(g.cells[c], i)
	}
	return i
}

// walksFrom returns the nearest stops within maxWalk of a stop.
func (g *stopGraph) walksFrom(i int32) []stopEdge {
	if all, known := g.walks[i]; known {
		return all
	}
	var all []stopEdge
	f := PlaneAt(g.stops[i].Point)
	visitCells(f.Point, maxWalk, func(c cellKey) {
		near := g.cells[c]
		for _, k := range near[:min(len(near), maxCompared)] {
			if d := math.Sqrt(f.MetresSquared(g.stops[k].Point)); k != i && d <= maxWalk {
				all = append(all, stopEdge{k, d})
			}
		}
	})
	slices.SortStableFunc(all, func(a, b stopEdge) int { return cmp.Compare(a.metres, b.metres) })
	all = slices.Clip(all[:min(len(all), maxNeighbours)])
	g.walks[i] = all
	return all
}

// stopState is a stop that a search has reached, by a walk or not: two walks in a row are none.
type stopState struct {
	stop   int32
	walked bool
}

// label is the cheapest way to a state.
type label struct {
	cost, metres float64
	from         stopState
	settled      bool
}

// path returns the points of the stops between those of a link, in order; none if the straight line is best. It lowers
// the budget by the number of stops that it looked at.
func (g *stopGraph) path(l link, budget *int) []orb.Point {
	from, to := g.index[l.from], g.index[l.to]
	direct := geo.DistanceHaversine(l.from.Point, l.to.Point)
	limit, bound := maxRatio*direct+pathSlack, math.Pow(direct, hopExponent)
	start := stopState{stop: from}
	clear(g.labels)
	g.labels[start] = label{}
	open := &stateQueue{{start, 0}}
	for searched := 0; open.Len() > 0 && searched < min(maxSearched, *budget); searched++ {
		at := heap.Pop(open).(queued).state
		here := g.labels[at]
		if here.settled {
			continue
		}
		here.settled = true
		g.labels[at] = here
		*budget--
		if at.stop == to {
			return g.pointsTo(at, start)
		}
		relax := func(e stopEdge, walked bool) {
			next := label{cost: here.cost + math.Pow(e.metres, hopExponent), metres: here.metres + e.metres, from: at}
			state := stopState{e.to, walked}
			if next.cost >= bound || next.metres+geo.DistanceHaversine(g.stops[e.to].Point, l.to.Point) > limit {
				return
			}
			if known, seen := g.labels[state]; seen && known.cost <= next.cost {
				return
			}
			g.labels[state] = next
			heap.Push(open, queued{state, next.cost})
		}
		for _, e := range g.next[at.stop] {
			relax(e, false)
		}
		if !at.walked {
			for _, e := range g.walksFrom(at.stop) {
				relax(e, true)
			}
		}
	}
	return nil
}

// pointsTo returns the points between the start of a search and a state that it reached.
func (g *stopGraph) pointsTo(at, start stopState) []orb.Point {
	var points []orb.Point
	for at = g.labels[at].from; at != start; at = g.labels[at].from {
		points = append(points, g.stops[at.stop].Point)
	}
	if len(points) > maxVia {
		return nil
	}
	slices.Reverse(points)
	return points
}

type queued struct {
	state stopState
	cost  float64
}

// stateQueue is a heap of states by their costs; cf. container/heap.
type stateQueue []queued

func (q stateQueue) Len() int { return len(q) }
func (q stateQueue) Less(i, k int) bool {
	return q[i].cost < q[k].cost || q[i].cost == q[k].cost && q[i].state.stop < q[k].state.stop
}
func (q stateQueue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q *stateQueue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *stateQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
