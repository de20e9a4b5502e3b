package network

import (
	"fmt"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Bounds of what a timetable expands to. A few rows of a file can describe a path around the earth, or make thousands
// of patterns along a shape of many points.
const (
	// maxLength bounds the lengths of all patterns together, in metres: the grid of places needs about 1 kB for each
	// kilometre. The buses of New York have about 60,000 km.
	maxLength = 400_000e3
	// undrawnWeight is what a line that nothing draws counts: it may borrow stops and get maxRatio times as long, and the
	// grid has it on both sides out to maxReach.
	undrawnWeight = 3
	// maxPoints bounds the points of all patterns' lines. New York has about 2 million.
	maxPoints = 10_000_000
	// maxPlacing bounds the sum of stops × points over all patterns, which is the work of placing stops on lines.
	maxPlacing = 1_000_000_000
)

// Check returns an error if a timetable would need too much memory or computation as a Network.
func Check(feed *gtfs.Feed) error {
	seen := make(map[string]bool)
	lengths := make(map[*gtfs.Shape]float64)
	length, total, placing := 0.0, 0, 0
	for _, t := range feed.Trips {
		if len(t.StopTimes) < 2 {
			continue
		}
		id := patternID(t)
		if seen[id] {
			continue
		}
		seen[id] = true
		points := len(t.StopTimes)
		if t.Shape == nil {
			length += undrawnWeight * lengthOfStops(t)
		} else {
			points = len(t.Shape.Line)
			own, known := lengths[t.Shape]
			if !known {
				own = lengthOf(t.Shape.Line)
				lengths[t.Shape] = own
			}
			length += max(own, min(lengthOfStops(t), longestDetour(own))) // the shape may not fit the stops
		}
		total += points
		placing += len(t.StopTimes) * max(points, len(t.StopTimes)) // points, and stops in another order
		switch {
		case length > maxLength:
			return fmt.Errorf("the paths of its trips up to trip %s are longer than %.0f km together", t.ID, maxLength/1000)
		case total > maxPoints:
			return fmt.Errorf("the paths of its trips up to trip %s have more than %d points", t.ID, maxPoints)
		case placing > maxPlacing:
			return fmt.Errorf("the paths of its trips up to trip %s have too many stops and points", t.ID)
		}
	}
	return nil
}

func lengthOf(line orb.LineString) (metres float64) {
	for i := 1; i < len(line); i++ {
		metres += geo.DistanceHaversine(line[i-1], line[i])
	}
	return metres
}
