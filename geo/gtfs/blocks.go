package gtfs

import (
	"cmp"
	"fmt"
	"slices"
)

// MaxBlockOverlap is how much two trips of one vehicle may overlap, in s: timetables have a resolution of minutes.
const MaxBlockOverlap Time = 60

// checkBlocks reports the first two trips of each block and service that overlap: one vehicle can't serve both.
func (l *loader) checkBlocks() error {
	type key struct {
		block   string
		service *Service
	}
	blocks := make(map[key][]*Trip)
	for _, t := range l.feed.Trips {
		if t.Block != "" && len(t.Frequencies) == 0 && len(t.StopTimes) >= 2 {
			k := key{t.Block, t.Service}
			blocks[k] = append(blocks[k], t)
		}
	}
	var found []Finding
	for k, trips := range blocks {
		if a, b := firstOverlap(trips); a != nil {
			found = append(found, Finding{
				SeverityWarning, codeOverlappingBlock, "trips.txt", 0, "block_id",
				fmt.Sprintf("the trips %s and %s of the block %s overlap", a.ID, b.ID, clip(k.block)),
				"a trip that follows them is not predicted from their bus",
			})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Compare(a.Message, b.Message) })
	for _, x := range found {
		l.findings.Add(x)
	}
	return nil
}

// firstOverlap sorts trips by departure and returns the first two that overlap, or nil.
func firstOverlap(trips []*Trip) (a, b *Trip) {
	start := func(t *Trip) Time { return t.StopTimes[0].Departure }
	end := func(t *Trip) Time { return t.StopTimes[len(t.StopTimes)-1].Arrival }
	slices.SortStableFunc(trips, func(a, b *Trip) int { return cmp.Compare(start(a), start(b)) })
	last := trips[0] // to end
	for _, t := range trips[1:] {
		if start(t) < end(last)-MaxBlockOverlap {
			return last, t
		}
		if end(t) > end(last) {
			last = t
		}
	}
	return nil, nil
}
