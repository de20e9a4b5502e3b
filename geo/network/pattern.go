package network

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"nhip"
	"nhip/geo/gtfs"
)

// Pattern is one way of a route in one direction, with the stops at which its trips call.
type Pattern struct {
	ID        string // the same in every process that reads the same timetable
	Index     int    // in Network.Patterns
	Route     *gtfs.Route
	Direction nhip.Opt[int] // GTFS direction_id
	Headsign  string        // of its first trip; trips may differ
	Stops     []*gtfs.Stop
	Along     []float64      // metres along the line of each stop; never falls
	Links     []int32        // Links[i] is the way from stop i to i+1, shared by all patterns with that pair of stops
	Line      orb.LineString // WGS84 lon, lat
	Trips     []*gtfs.Trip

	reach []float64 // metres along the line of each of its points
}

// Length returns the metres from the line's first point to its last.
func (p *Pattern) Length() float64 { return p.reach[len(p.reach)-1] }

// Last returns the index of the last stop.
func (p *Pattern) Last() int { return len(p.Stops) - 1 }

// NextStop returns the index of the first stop that is further along the line, or len(Stops).
func (p *Pattern) NextStop(along float64) int {
	i, _ := slices.BinarySearchFunc(p.Along, along, func(a, b float64) int {
		if a <= b {
			return -1
		}
		return 1
	})
	return i
}

// At returns the place that many metres along the line, and the line's bearing there, in degrees
// clockwise from north.
func (p *Pattern) At(along float64) (orb.Point, float64) {
	i := p.segment(along)
	a, b := p.Line[i], p.Line[i+1]
	part := 0.0
	if span := p.reach[i+1] - p.reach[i]; span > 0 {
		part = min(max((along-p.reach[i])/span, 0), 1)
	}
	bearing := geo.Bearing(a, b)
	if bearing < 0 {
		bearing += 360
	}
	return orb.Point{a[0] + part*(b[0]-a[0]), a[1] + part*(b[1]-a[1])}, bearing
}

// segment returns the segment that holds a place along the line.
func (p *Pattern) segment(along float64) int {
	i, _ := slices.BinarySearch(p.reach, along)
	return min(max(i-1, 0), len(p.Line)-2)
}

// link is a pair of stops that follow one another.
type link struct{ from, to *gtfs.Stop }

func (p *Pattern) number(links map[link]int32) {
	p.Links = make([]int32, p.Last())
	for i := range p.Links {
		k := link{p.Stops[i], p.Stops[i+1]}
		n, known := links[k]
		if !known {
			n = int32(len(links))
			links[k] = n
		}
		p.Links[i] = n
	}
}

// patternID names a pattern by what makes it: route, direction, shape and stops.
func patternID(t *gtfs.Trip) string {
	h := fnv.New64a()
	put := func(s string) {
		var size [4]byte
		binary.LittleEndian.PutUint32(size[:], uint32(len(s)))
		_, _ = h.Write(size[:]) // a hash takes everything
		_, _ = h.Write([]byte(s))
	}
	if t.Shape != nil {
		put(t.Shape.ID)
	}
	for i := range t.StopTimes {
		put(t.StopTimes[i].Stop.ID)
	}
	way := "x"
	if d, ok := t.Direction.Get(); ok {
		way = string(rune('0' + d))
	}
	return t.Route.ID + ":" + way + ":" + hex.EncodeToString(h.Sum(nil)[:5])
}

func newPattern(id string, t *gtfs.Trip) *Pattern {
	p := &Pattern{ID: id, Route: t.Route, Direction: t.Direction, Headsign: t.Headsign}
	for i := range t.StopTimes {
		p.Stops = append(p.Stops, t.StopTimes[i].Stop)
	}
	if p.Headsign == "" {
		p.Headsign = p.Stops[p.Last()].Name
	}
	p.Line = wayOf(t)
	p.reach = measure(p.Line)
	p.Along = p.place(t)
	return p
}

// wayOf returns the shape of a trip, or lines from stop to stop where the timetable draws none.
func wayOf(t *gtfs.Trip) orb.LineString {
	var line orb.LineString
	add := func(p orb.Point) {
		if n := len(line); n == 0 || line[n-1] != p {
			line = append(line, p)
		}
	}
	if t.Shape != nil {
		for _, p := range t.Shape.Line {
			add(p)
		}
	}
	if len(line) < 2 {
		line = line[:0]
		for i := range t.StopTimes {
			add(t.StopTimes[i].Stop.Point)
		}
	}
	for len(line) < 2 { // all in one spot
		line = append(line, t.StopTimes[0].Stop.Point)
	}
	return line
}

// measure returns the metres from a line's beginning to each of its points.
func measure(line orb.LineString) []float64 {
	reach := make([]float64, len(line))
	for i := 1; i < len(line); i++ {
		reach[i] = reach[i-1] + geo.DistanceHaversine(line[i-1], line[i])
	}
	return reach
}

// option is one place along the line at which a stop may lie.
type option struct {
	along, metres float64
	cost          float64 // of the cheapest way to here
	from          int     // its option at the stop before
}

// place returns where the stops lie along the line: each as near to its pole as it can while none lies
// before the one ahead of it. A line may pass a stop twice, and then only the order tells which pass is
// meant; so all passes are weighed together (least squares of the distances).
func (p *Pattern) place(t *gtfs.Trip) []float64 {
	if along := p.placed(t); along != nil {
		return along
	}
	stages := make([][]option, len(p.Stops))
	for i, s := range p.Stops {
		stages[i] = p.passes(s.Point)
		if i == 0 {
			continue
		}
		for k := range stages[i] {
			stages[i][k].join(stages[i-1])
		}
	}
	last := stages[len(stages)-1]
	best := 0
	for k := range last {
		if last[k].cost < last[best].cost {
			best = k
		}
	}
	along := make([]float64, len(p.Stops))
	for i := len(stages) - 1; i >= 0; i-- {
		o := stages[i][best]
		along[i], best = o.along, o.from
	}
	for i := 1; i < len(along); i++ { // a line that runs backwards against its stops
		along[i] = max(along[i], along[i-1])
	}
	return along
}

// disorder is what it costs to lie before the stop ahead, in square metres: more than any detour.
const disorder = 1e9

// join finds the cheapest way to an option from the stop before.
func (o *option) join(before []option) {
	own := o.metres * o.metres
	o.cost = -1
	for k := range before {
		cost := before[k].cost + own
		if before[k].along > o.along {
			cost += disorder
		}
		if o.cost < 0 || cost < o.cost {
			o.cost, o.from = cost, k
		}
	}
}

// detour is how much further from a stop than the nearest a pass may lie to be one that is meant, in
// metres: the other side of a wide road.
const detour = 60

// passes returns the places where the line comes nearest to a point, one for each time it passes.
func (p *Pattern) passes(at orb.Point) []option {
	var all []option
	f := From(at)
	near := false // whether the segment before belongs to a pass
	nearest := -1.0
	for i := range len(p.Line) - 1 {
		o := p.on(&f, i)
		if nearest < 0 || o.Metres < nearest {
			nearest = o.Metres
		}
		if o.Metres > max(nearest+detour, 2*nearest) {
			near = false
			continue
		}
		n := len(all)
		switch together := near && o.Along-all[n-1].along <= 2*(o.Metres+all[n-1].metres)+detour; {
		case !together:
			all = append(all, option{along: o.Along, metres: o.Metres})
		case o.Metres <= all[n-1].metres:
			all[n-1] = option{along: o.Along, metres: o.Metres}
		}
		near = true
	}
	all = slices.DeleteFunc(all, func(o option) bool { return o.metres > max(nearest+detour, 2*nearest) })
	for k := range all {
		all[k].cost = all[k].metres * all[k].metres
	}
	return all
}

// placed returns the places that the timetable itself gives (shape_dist_traveled), or nil.
func (p *Pattern) placed(t *gtfs.Trip) []float64 {
	if t.Shape == nil || t.Shape.Dists == nil {
		return nil
	}
	for i := range t.StopTimes {
		if t.StopTimes[i].Dist == gtfs.NoDist {
			return nil
		}
	}
	dists, reach := t.Shape.Dists, measure(t.Shape.Line)
	along := make([]float64, len(t.StopTimes))
	for i := range t.StopTimes {
		d := t.StopTimes[i].Dist
		k, _ := slices.BinarySearchFunc(dists, d, cmp.Compare[float32])
		k = min(max(k, 1), len(dists)-1)
		part := 0.0
		if span := dists[k] - dists[k-1]; span > 0 {
			part = min(max(float64((d-dists[k-1])/span), 0), 1)
		}
		along[i] = reach[k-1] + part*(reach[k]-reach[k-1])
		if i > 0 {
			along[i] = max(along[i], along[i-1])
		}
		if at, _ := p.At(along[i]); geo.DistanceHaversine(at, p.Stops[i].Point) > misplaced {
			return nil // distances in a unit or from an origin of their own
		}
	}
	return along
}

// misplaced is how far from its pole the timetable may place a stop on the line before we rather look
// ourselves, in metres.
const misplaced = 150
