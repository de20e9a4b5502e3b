package ledger

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// segment is an immutable file with facts and counts of one hour.
type segment struct {
	span
	path  string
	size  int64
	facts int64

	damaged    atomic.Bool // damage was found and logged
	readFailed atomic.Bool // a read failed and was logged
}

// fileName returns the name of the segment's file.
func (s span) fileName() string {
	return fmt.Sprintf("%s.%d-%d%s", formatHour(s.hour), s.first, s.last, segmentSuffix)
}

// parseFileName parses a name that fileName returned, and rejects all others.
func parseFileName(name string) (span, bool) {
	hour, numbers, _ := strings.Cut(strings.TrimSuffix(name, segmentSuffix), ".")
	var s span
	var ok bool
	if s.hour, ok = parseHour(hour); !ok {
		return span{}, false
	}
	if _, err := fmt.Sscanf(numbers, "%d-%d", &s.first, &s.last); err != nil {
		return span{}, false
	}
	return s, s.fileName() == name && s.first <= s.last
}

// partition holds the segments of an hour, sorted by their checkpoints.
type partition struct {
	hour     int64
	segments []*segment
}

// catalog holds the partitions, sorted by hour. It is immutable, so that a reader may keep it.
type catalog []partition

func compareHours(p partition, hour int64) int { return cmp.Compare(p.hour, hour) }

// segments returns the segments of an hour.
func (c catalog) segments(hour int64) []*segment {
	i, ok := slices.BinarySearchFunc(c, hour, compareHours)
	if !ok {
		return nil
	}
	return c[i].segments
}

// between returns the partitions of the hours from first to last, both inclusive.
func (c catalog) between(first, last int64) catalog {
	i, _ := slices.BinarySearchFunc(c, first, compareHours)
	j, ok := slices.BinarySearchFunc(c, last, compareHours)
	if ok {
		j++
	}
	return c[i:max(i, j)]
}

// change returns a catalog without some segments and with others.
func (c catalog) change(without, with []*segment) catalog {
	changed := slices.Clone(c)
	for _, seg := range without {
		if i, ok := slices.BinarySearchFunc(changed, seg.hour, compareHours); ok {
			isSeg := func(o *segment) bool { return o == seg }
			changed[i].segments = slices.DeleteFunc(slices.Clone(changed[i].segments), isSeg)
		}
	}
	for _, seg := range with {
		changed = changed.insert(seg)
	}
	return slices.DeleteFunc(changed, func(p partition) bool { return len(p.segments) == 0 })
}

// insert adds a segment to a catalog that no reader has yet.
func (c catalog) insert(seg *segment) catalog {
	i, ok := slices.BinarySearchFunc(c, seg.hour, compareHours)
	if !ok {
		c = slices.Insert(c, i, partition{hour: seg.hour})
	}
	segments := append(slices.Clone(c[i].segments), seg)
	slices.SortFunc(segments, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	c[i].segments = segments
	return c
}

// totals returns the number of segments and their total size.
func (c catalog) totals() (segments int, bytes int64) {
	for _, p := range c {
		segments += len(p.segments)
		for _, seg := range p.segments {
			bytes += seg.size
		}
	}
	return segments, bytes
}

// pathIn returns the path of the segment's file.
func (s span) pathIn(dir string) string { return filepath.Join(dir, s.fileName()) }
