package qc

import (
	"slices"
	"sync"
)

// flatStretch finds where the flat stretch that ends with a sample began. A gap ends a stretch: nobody knows what the
// instrument measured meanwhile. Successive questions about later samples take a constant time each on average, however
// long the stretch is: the earliest start never moves back.
type flatStretch struct {
	tolerance float64
	next      int        // samples before it are considered
	start     int        // of the stretch that ends with sample next-1
	low, high indexQueue // samples from start on whose values no later one undercuts or exceeds
}

// maxScan is how many samples are looked back at without a queue: most stretches are shorter.
const maxScan = 64

// since returns the index of the sample with which the stretch that ends with sample j began.
func (f *flatStretch) since(s *Series, j int) int {
	if j < f.next-1 || f.next == 0 {
		start, ended := f.scan(s, j, maxScan)
		if ended {
			f.next = 0
			return start
		}
		f.rewind(s, j)
	}
	for ; f.next <= j; f.next++ {
		f.add(s, f.next)
	}
	return f.start
}

// scan looks back from sample j for the begin of its stretch, at no more than so many samples. ended reports whether it
// was found.
func (f *flatStretch) scan(s *Series, j, most int) (start int, ended bool) {
	low, high := s.Samples[j].Value, s.Samples[j].Value
	for start = j; start > 0; start-- {
		v := s.Samples[start-1].Value
		if low, high = min(low, v), max(high, v); high-low > f.tolerance || !s.adjacent(start-1) {
			return start, true
		}
		if j-start == most {
			return start, false
		}
	}
	return 0, true
}

// rewind starts anew at the stretch that ends with sample j.
func (f *flatStretch) rewind(s *Series, j int) {
	f.start, _ = f.scan(s, j, j)
	f.next = f.start
	f.low.clear()
	f.high.clear()
}

func (f *flatStretch) add(s *Series, k int) {
	value := s.Samples[k].Value
	if k > 0 && !s.adjacent(k-1) {
		f.start = k
		f.low.clear()
		f.high.clear()
	}
	for f.low.len() > 0 && s.Samples[f.low.last()].Value >= value {
		f.low.dropLast()
	}
	for f.high.len() > 0 && s.Samples[f.high.last()].Value <= value {
		f.high.dropLast()
	}
	f.low.push(k)
	f.high.push(k)
	for s.Samples[f.high.first()].Value-s.Samples[f.low.first()].Value > f.tolerance {
		f.start++
		if f.low.first() < f.start {
			f.low.dropFirst()
		}
		if f.high.first() < f.start {
			f.high.dropFirst()
		}
	}
}

// indexQueue is a queue of indices of samples, which keeps its memory.
type indexQueue struct {
	items []int
	head  int // of the first one
}

func (q *indexQueue) len() int   { return len(q.items) - q.head }
func (q *indexQueue) first() int { return q.items[q.head] }
func (q *indexQueue) last() int  { return q.items[len(q.items)-1] }
func (q *indexQueue) dropFirst() { q.head++ }
func (q *indexQueue) dropLast()  { q.items = q.items[:len(q.items)-1] }
func (q *indexQueue) clear()     { q.items, q.head = q.items[:0], 0 }

func (q *indexQueue) push(k int) {
	if q.head > 0 && len(q.items) == cap(q.items) { // before it grows
		n := copy(q.items, q.items[q.head:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, k)
}

// flatStretches are the stretches of one series: within the tolerance of its flat-line check, and without any change.
type flatStretches struct {
	line   flatLines
	frozen flatStretch
}

// reset makes the stretches ready for another series.
func (f *flatStretches) reset(tolerance float64) {
	f.frozen.reset(0)
	f.line.reset(tolerance)
}

func (f *flatStretch) reset(tolerance float64) {
	f.next, f.start, f.tolerance = 0, 0, tolerance
	f.low.clear()
	f.high.clear()
}

// unusedStretches keep the memory of stretches between two stations.
var unusedStretches = sync.Pool{New: func() any { return new([]flatStretches) }}

// takeStretches returns stretches for n series, which must be given back by unusedStretches.Put.
func takeStretches(n int) *[]flatStretches {
	all := unusedStretches.Get().(*[]flatStretches)
	*all = slices.Grow(*all, max(0, n-len(*all)))
	*all = (*all)[:n]
	return all
}
