package network

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"slices"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Pattern is one path of a route in one direction, with the stops at which its trips call.
type Pattern struct {
	ID        string // the same in every process that reads the same timetable
	Index     int    // position in Network.Patterns
	Route     *gtfs.Route
	Direction nhip.Opt[int] // GTFS direction_id
	Headsign  string        // of its first trip; other trips may differ
	Stops     []*gtfs.Stop
	Along     []float64      // metres along the line of each stop; never decreases
	Links     []int32        // Links[i] is the link from stop i to i+1, shared by all patterns with that pair of stops
	Line      orb.LineString // WGS84 lon, lat
	Trips     []*gtfs.Trip

	cumulative []float64 // metres along the line of each of its points
	undrawn    bool      // nothing draws the line: it goes from stop to stop
	chords     []bool    // which segments nothing draws; nil if the shape draws all
	misfit     misfit    // of the shape
}

// Length returns the length of the line in metres.
func (p *Pattern) Length() float64 { return p.cumulative[len(p.cumulative)-1] }

// Last returns the index of the last stop.
func (p *Pattern) Last() int { return len(p.Stops) - 1 }

// NextStop returns the index of the first stop farther along the line than along, or len(Stops).
func (p *Pattern) NextStop(along float64) int {
	i, _ := slices.BinarySearchFunc(p.Along, along, func(a, b float64) int {
		if a <= b {
			return -1
		}
		return 1
	})
	return i
}

// At returns the point along metres along the line and the bearing of the line there, in degrees clockwise from
// north.
func (p *Pattern) At(along float64) (orb.Point, float64) {
	i, part := p.place(along)
	bearing := geo.Bearing(p.Line[i], p.Line[i+1])
	if bearing < 0 {
		bearing += 360
	}
	return p.pointOn(i, part), bearing
}

// place returns the segment at a distance along the line, and the part (0 to 1) of it that is covered there.
func (p *Pattern) place(along float64) (segment int, part float64) {
	i := p.segment(along)
	if span := p.cumulative[i+1] - p.cumulative[i]; span > 0 {
		part = min(max((along-p.cumulative[i])/span, 0), 1)
	}
	return i, part
}

// pointOn returns the point at a part (0 to 1) of a segment.
func (p *Pattern) pointOn(segment int, part float64) orb.Point {
	a, b := p.Line[segment], p.Line[segment+1]
	return orb.Point{a[0] + part*(b[0]-a[0]), a[1] + part*(b[1]-a[1])}
}

// segment returns the index of the segment at a distance along the line.
func (p *Pattern) segment(along float64) int {
	i, _ := slices.BinarySearch(p.cumulative, along)
	return min(max(i-1, 0), len(p.Line)-2)
}

// link is a pair of consecutive stops.
type link struct{ from, to *gtfs.Stop }

// numberLinks assigns a number to each link of the pattern, a new one if links does not have it yet.
func (p *Pattern) numberLinks(links map[link]int32) {
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

// patternID derives an id from what identifies a pattern: route, direction, shape and stops.
func patternID(t *gtfs.Trip) string {
	h := fnv.New64a()
	put := func(s string) {
		var size [4]byte
		binary.LittleEndian.PutUint32(size[:], uint32(len(s)))
		_, _ = h.Write(size[:]) // writing to a hash never fails
		_, _ = h.Write([]byte(s))
	}
	if t.Shape != nil {
		put(t.Shape.ID)
	}
	for i := range t.StopTimes {
		put(t.StopTimes[i].Stop.ID)
	}
	direction := "x"
	if d, ok := t.Direction.Get(); ok {
		direction = string(rune('0' + d))
	}
	return t.Route.ID + ":" + direction + ":" + hex.EncodeToString(h.Sum(nil)[:5])
}

// lines are the measured lines of shapes, which patterns share.
type lines map[*gtfs.Shape]measuredLine

type measuredLine struct {
	line       orb.LineString
	cumulative []float64 // metres to each point of the line
	reach      []float64 // metres to each point of the shape
}

// of returns the line of a trip's shape; without points if the trip has no shape, or one without a length.
func (l lines) of(t *gtfs.Trip) measuredLine {
	if t.Shape == nil {
		return measuredLine{}
	}
	m, known := l[t.Shape]
	if known {
		return m
	}
	if line := withoutRepetitions(t.Shape.Line); len(line) >= 2 {
		m = measuredLine{line: line, cumulative: measure(line), reach: measure(t.Shape.Line)}
	}
	l[t.Shape] = m
	return m
}

func newPattern(id string, t *gtfs.Trip, lines lines) *Pattern {
	p := &Pattern{ID: id, Route: t.Route, Direction: t.Direction, Headsign: t.Headsign}
	for i := range t.StopTimes {
		p.Stops = append(p.Stops, t.StopTimes[i].Stop)
	}
	if p.Headsign == "" {
		p.Headsign = p.Stops[p.Last()].Name
	}
	m := lines.of(t)
	if m.reach == nil {
		p.goThrough(nil)
		return p
	}
	p.Line, p.cumulative = m.line, m.cumulative
	at := p.placeStops(t, m.reach)
	p.Along = at.along
	p.misfit = p.fitTo(t, at)
	return p
}

// goThrough makes the line go from stop to stop, through the points between the stops of a link.
func (p *Pattern) goThrough(via map[link][]orb.Point) {
	line, index := orb.LineString{p.Stops[0].Point}, make([]int, len(p.Stops))
	add := func(at orb.Point) {
		if line[len(line)-1] != at {
			line = append(line, at)
		}
	}
	for i := range p.Last() {
		for _, at := range via[link{p.Stops[i], p.Stops[i+1]}] {
			add(at)
		}
		add(p.Stops[i+1].Point)
		index[i+1] = len(line) - 1
	}
	if len(line) < 2 { // all points are the same
		line = append(line, line[0])
	}
	p.Line, p.cumulative = line, measure(line)
	p.Along = make([]float64, len(p.Stops))
	for i, k := range index {
		p.Along[i] = p.cumulative[k]
	}
	p.undrawn, p.chords = true, make([]bool, len(line)-1)
	for i := range p.chords {
		p.chords[i] = true
	}
}

// withoutRepetitions returns a line without points that repeat the one before.
func withoutRepetitions(points orb.LineString) orb.LineString {
	var line orb.LineString
	for i, p := range points {
		if i == 0 || points[i-1] != p {
			line = append(line, p)
		}
	}
	return line
}

// measure returns the distance in metres from the beginning of a line to each of its points.
func measure(line orb.LineString) []float64 {
	reach := make([]float64, len(line))
	for i := 1; i < len(line); i++ {
		reach[i] = reach[i-1] + geo.DistanceHaversine(line[i-1], line[i])
	}
	return reach
}

// option is one place along the line where a stop may lie.
type option struct {
	along, metres float64
	cost          float64 // of the cheapest path up to this option
	from          int     // index of the option of the previous stop on that path
}

// placeStops returns the distances along the line of all stops. Each stop is placed as near to its point as
// possible, and none lies before the previous one. A line may pass a stop twice, and then only the order of the
// stops determines which pass is meant. Therefore all passes are considered together, and the sum of squared
// distances is minimised.
func (p *Pattern) placeStops(t *gtfs.Trip, reach []float64) placed {
	if along := p.givenDistances(t, reach); along != nil {
		return placed{along: along}
	}
	stages := make([][]option, len(p.Stops))
	for i, s := range p.Stops {
		stages[i] = p.passes(s.Point)
		if i == 0 {
			continue
		}
		for k := range stages[i] {
			stages[i][k].connect(stages[i-1])
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
	return p.inOrder(along)
}

// disorderCost is the cost of lying before the previous stop, in square metres: more than any distance to the line.
const disorderCost = 1e9

// connect finds the cheapest path to an option from the options of the previous stop.
func (o *option) connect(before []option) {
	own := o.metres * o.metres
	o.cost = -1
	for k := range before {
		cost := before[k].cost + own
		if before[k].along > o.along {
			cost += disorderCost
		}
		if o.cost < 0 || cost < o.cost {
			o.cost, o.from = cost, k
		}
	}
}

// passTolerance is how much farther from a stop than the nearest pass another pass may be, in metres: about the
// other side of a wide road.
const passTolerance = 60

// passes returns the points where the line comes nearest to a point, one for each pass.
func (p *Pattern) passes(at orb.Point) []option {
	var all []option
	f := PlaneAt(at)
	near := false // whether the previous segment belongs to a pass
	nearest := -1.0
	for i := range len(p.Line) - 1 {
		o := p.matchSegment(&f, i)
		if nearest < 0 || o.Metres < nearest {
			nearest = o.Metres
		}
		if o.Metres > max(nearest+passTolerance, 2*nearest) {
			near = false
			continue
		}
		n := len(all)
		switch together := near && o.Along-all[n-1].along <= 2*(o.Metres+all[n-1].metres)+passTolerance; {
		case !together:
			all = append(all, option{along: o.Along, metres: o.Metres})
		case o.Metres <= all[n-1].metres:
			all[n-1] = option{along: o.Along, metres: o.Metres}
		}
		near = true
	}
	all = slices.DeleteFunc(all, func(o option) bool { return o.metres > max(nearest+passTolerance, 2*nearest) })
	for k := range all {
		all[k].cost = all[k].metres * all[k].metres
	}
	return all
}

// givenDistances returns the distances that the timetable itself gives (shape_dist_traveled), or nil if they are
// missing or implausible. reach are the metres to each point of the shape.
func (p *Pattern) givenDistances(t *gtfs.Trip, reach []float64) []float64 {
	if t.Shape == nil || t.Shape.Dists == nil || reach == nil {
		return nil
	}
	for i := range t.StopTimes {
		if t.StopTimes[i].Dist == gtfs.NoDist {
			return nil
		}
	}
	dists := t.Shape.Dists
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
		if at, _ := p.At(along[i]); geo.DistanceHaversine(at, p.Stops[i].Point) > maxMisplacement {
			return nil // distances in another unit or from another origin
		}
	}
	return along
}

// maxMisplacement is how far from a stop the point given by the timetable may lie, in metres. If it is farther
// away, all distances are computed instead.
const maxMisplacement = 150
