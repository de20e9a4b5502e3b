package network

import (
	"fmt"
	"math"
	"slices"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Limits of a shape that fits the stops of a trip.
const (
	// maxBeside is how far the middle one of the stops may lie from the shape, in metres: as far as a bus may be from its
	// line. Buses that call at stops farther away do not drive along the shape.
	maxBeside = 60
	// maxDisorder is the share of the stops that may lie before their predecessors along the shape.
	maxDisorder = 0.25
	// A shape is left only if the way from stop to stop is at most maxDetour times as long, and detourSlack metres more:
	// otherwise it is the place of a stop that is wrong.
	maxDetour   = 5.0
	detourSlack = 10_000.0
)

// misfit says how the shape of a trip does not fit its stops.
type misfit int

const (
	fits       misfit = iota
	outOfOrder        // the stops come in another order along the shape
	beside            // the shape lies beside its stops
	partly            // the shape covers a part of its stops
	atOneStop         // one stop lies far from the shape
)

// placed is the place of all stops along a line.
type placed struct {
	along      []float64
	disordered int // stops whose nearest point does not lie between those of the others
}

// inOrder keeps the longest rising sequence of places and moves the others between their neighbours: the place of one
// stop may be wrong, or the whole line may run against the order of its stops.
func (p *Pattern) inOrder(along []float64) placed {
	at := placed{along: along}
	if slices.IsSorted(along) {
		return at
	}
	kept := longestRising(along)
	from := 0.0
	for i := range along {
		if kept[i] {
			from = along[i]
			continue
		}
		to := p.Length()
		for k := i + 1; k < len(along); k++ {
			if kept[k] {
				to = along[k]
				break
			}
		}
		plane := PlaneAt(p.Stops[i].Point)
		from = p.Between(&plane, Heading{}, from, to).Along
		if math.Abs(along[i]-from) > passTolerance {
			at.disordered++
		}
		along[i] = from
	}
	return at
}

// longestRising returns which values belong to the longest sequence that never falls.
func longestRising(values []float64) []bool {
	length, previous := make([]int, len(values)), make([]int, len(values))
	end := 0
	for i, v := range values {
		length[i], previous[i] = 1, -1
		for k := range i {
			if values[k] <= v && length[k] >= length[i] {
				length[i], previous[i] = length[k]+1, k
			}
		}
		if length[i] > length[end] {
			end = i
		}
	}
	kept := make([]bool, len(values))
	for i := end; i >= 0; i = previous[i] {
		kept[i] = true
	}
	return kept
}

// fitTo compares the shape of a trip with its stops, and leaves it where it does not fit: there the line goes from stop
// to stop.
func (p *Pattern) fitTo(t *gtfs.Trip, at placed) misfit {
	p.Along = at.along
	metres := make([]float64, len(p.Stops))
	for i, s := range p.Stops {
		here, _ := p.At(p.Along[i])
		metres[i] = geo.DistanceHaversine(here, s.Point)
	}
	m := classify(metres, at.disordered)
	if m == fits || m == atOneStop || lengthOfStops(t) > longestDetour(p.Length()) {
		return m
	}
	if m == partly {
		p.bridge(farStops(metres))
		return m
	}
	p.goThrough(nil)
	return m
}

// longestDetour returns how long the way from stop to stop may be along a shape of that length, in metres.
func longestDetour(shape float64) float64 { return maxDetour*shape + detourSlack }

// classify says how a shape does not fit stops that lie that many metres from their places on it.
func classify(metres []float64, disordered int) misfit {
	sorted := slices.Sorted(slices.Values(metres))
	far := 0
	for _, m := range metres {
		if m > maxMisplacement {
			far++
		}
	}
	near := len(metres) - far
	switch {
	case disordered > 0 && float64(disordered) >= maxDisorder*float64(len(metres)-1):
		return outOfOrder
	case near < 2 || 2*near < len(metres) || sorted[(len(sorted)-1)/2] > maxBeside:
		return beside
	case slices.Contains(farStops(metres), true):
		return partly
	case far > 0:
		return atOneStop
	}
	return fits
}

// farStops returns which stops the line must visit although they lie far from the shape: those at its ends, and those
// next to another one. The place of a single one between others is more likely to be wrong than the shape.
func farStops(metres []float64) []bool {
	far := make([]bool, len(metres))
	for i, m := range metres {
		far[i] = m > maxMisplacement &&
			(i == 0 || i == len(metres)-1 || metres[i-1] > maxMisplacement || metres[i+1] > maxMisplacement)
	}
	return far
}

// bridge makes the line go straight to the stops that are far from it, and along the shape between the others.
func (p *Pattern) bridge(far []bool) {
	var line orb.LineString
	add := func(at orb.Point) int {
		if n := len(line); n == 0 || line[n-1] != at {
			line = append(line, at)
		}
		return len(line) - 1
	}
	along := func(from, to float64) {
		for i, reached := range p.cumulative {
			if from < reached && reached < to {
				add(p.Line[i])
			}
		}
	}
	index := make([]int, len(p.Stops))
	for i, s := range p.Stops {
		if far[i] {
			index[i] = add(s.Point)
			continue
		}
		if i == 0 {
			along(-1, p.Along[0])
		} else if !far[i-1] {
			along(p.Along[i-1], p.Along[i])
		}
		here, _ := p.At(p.Along[i])
		index[i] = add(here)
	}
	if last := p.Last(); !far[last] {
		along(p.Along[last], math.Inf(1))
	}
	p.Line, p.cumulative = line, measure(line)
	p.Along = make([]float64, len(p.Stops))
	p.chords = make([]bool, len(line)-1)
	for i, k := range index {
		p.Along[i] = p.cumulative[k]
		if i > 0 && (far[i-1] || far[i]) {
			for s := index[i-1]; s < k; s++ {
				p.chords[s] = true
			}
		}
	}
}

// CheckShapes returns a finding for each path of a timetable whose shape does not fit its stops. A shape that is not
// used costs no more than that: buses are followed from stop to stop.
func CheckShapes(feed *gtfs.Feed) []gtfs.Finding {
	var all []gtfs.Finding
	seen := make(map[string]bool)
	lines := make(lines)
	for _, t := range feed.Trips {
		if len(t.StopTimes) < 2 || t.Shape == nil {
			continue
		}
		id := patternID(t)
		if seen[id] {
			continue
		}
		seen[id] = true
		if p := newPattern(id, t, lines); p.misfit != fits {
			all = append(all, p.misfit.finding(t))
		}
	}
	return all
}

// finding returns the finding of a shape, in the words of the canonical GTFS validator where it has them.
func (m misfit) finding(t *gtfs.Trip) gtfs.Finding {
	f := gtfs.Finding{
		Severity: gtfs.SeverityWarning, Code: "stop_too_far_from_shape", File: "shapes.txt", Field: "shape_id",
		Done: "the path goes from stop to stop",
	}
	says := ""
	switch m {
	case outOfOrder:
		f.Code, says = "stops_match_shape_out_of_order", "has the stops of trip %s in another order"
	case beside:
		says = "lies beside the stops of trip %s"
	case partly:
		f.Code, says = "trip_distance_exceeds_shape_distance", "covers only a part of the stops of trip %s"
		f.Done = "the path goes straight to the other stops"
	default:
		says, f.Done = "lies far from a stop of trip %s", "the stop is taken to be at the nearest point of the shape"
	}
	f.Message = fmt.Sprintf("the shape %s "+says, t.Shape.ID, t.ID)
	return f
}

// lengthOfStops returns the length of the straight lines from stop to stop, in metres.
func lengthOfStops(t *gtfs.Trip) (metres float64) {
	for i := 1; i < len(t.StopTimes); i++ {
		metres += geo.DistanceHaversine(t.StopTimes[i-1].Stop.Point, t.StopTimes[i].Stop.Point)
	}
	return metres
}
