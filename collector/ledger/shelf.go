package ledger

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// run is a run on disk.
type run struct {
	span
	path  string
	size  int64
	facts int64

	hurt    atomic.Bool // damage was found in it, and said
	misread atomic.Bool // a read of it failed, and that was said
}

// runName returns the name of a run's file.
func (s span) runName() string {
	return fmt.Sprintf("%s.%d-%d%s", formatHour(s.hour), s.first, s.last, runSuffix)
}

// parseRunName reads what runName wrote, and nothing else.
func parseRunName(name string) (span, bool) {
	hour, numbers, _ := strings.Cut(strings.TrimSuffix(name, runSuffix), ".")
	var s span
	var ok bool
	if s.hour, ok = parseHour(hour); !ok {
		return span{}, false
	}
	if _, err := fmt.Sscanf(numbers, "%d-%d", &s.first, &s.last); err != nil {
		return span{}, false
	}
	return s, s.runName() == name && s.first <= s.last
}

// partition is the runs of an hour, by their checkpoints.
type partition struct {
	hour int64
	runs []*run
}

// shelf is the partitions by their hours. One that was made is never changed, so that whoever took
// it may read on.
type shelf []partition

func compareHours(p partition, hour int64) int { return cmp.Compare(p.hour, hour) }

// runs returns the runs of an hour.
func (s shelf) runs(hour int64) []*run {
	i, ok := slices.BinarySearchFunc(s, hour, compareHours)
	if !ok {
		return nil
	}
	return s[i].runs
}

// between returns the partitions of the hours from first to last, both included.
func (s shelf) between(first, last int64) shelf {
	i, _ := slices.BinarySearchFunc(s, first, compareHours)
	j, ok := slices.BinarySearchFunc(s, last, compareHours)
	if ok {
		j++
	}
	return s[i:max(i, j)]
}

// change returns the shelf without some runs and with others.
func (s shelf) change(without, with []*run) shelf {
	changed := slices.Clone(s)
	for _, r := range without {
		if i, ok := slices.BinarySearchFunc(changed, r.hour, compareHours); ok {
			isR := func(o *run) bool { return o == r }
			changed[i].runs = slices.DeleteFunc(slices.Clone(changed[i].runs), isR)
		}
	}
	for _, r := range with {
		changed = changed.insert(r)
	}
	return slices.DeleteFunc(changed, func(p partition) bool { return len(p.runs) == 0 })
}

// insert puts a run on a shelf that is nobody else's yet.
func (s shelf) insert(r *run) shelf {
	i, ok := slices.BinarySearchFunc(s, r.hour, compareHours)
	if !ok {
		s = slices.Insert(s, i, partition{hour: r.hour})
	}
	runs := append(slices.Clone(s[i].runs), r)
	slices.SortFunc(runs, func(a, b *run) int { return cmp.Compare(a.first, b.first) })
	s[i].runs = runs
	return s
}

// totals returns how many runs there are and how large they are.
func (s shelf) totals() (runs int, bytes int64) {
	for _, p := range s {
		runs += len(p.runs)
		for _, r := range p.runs {
			bytes += r.size
		}
	}
	return runs, bytes
}

// pathIn returns where a span's run lies.
func (s span) pathIn(dir string) string { return filepath.Join(dir, s.runName()) }
