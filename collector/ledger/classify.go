package ledger

import (
	"math"
	"time"
)

// Classify returns the outcome of a fact, and remembers the fact if it is New or Revised. For Revised, n is the number
// of the revision, from 1. Classify must be called from the goroutine that calls Checkpoint.
//
// A segment that can't be read or is damaged counts as empty: a fact in it is classified as New, and Stats.ReadErrors
// or Stats.Damaged shows that this may be wrong.
func (l *Ledger) Classify(f *Fact) (outcome Outcome, revision int) {
	d, i := l.find(f.Device, f.Series)
	s := &d.series[i]
	if s.top == unknown {
		l.establish(d, s, f.Time)
	}
	e := entry{f.Time, f.Print & printMask}
	if f.Within > 0 {
		outcome = l.classifyUndated(d, s, e, f.Within)
	} else {
		outcome, revision = l.classifyDated(d, s, e)
	}
	if outcome == New || outcome == Revised {
		l.remember(d, i, e)
	}
	return outcome, revision
}

// classifyDated classifies a fact of a device with a clock. Most facts are later than all before.
func (l *Ledger) classifyDated(d *device, s *series, e entry) (Outcome, int) {
	if e.time > s.top {
		return New, 0
	}
	if e.time == s.top && s.sole {
		if e.print == s.print {
			return Duplicate, 0
		}
		return Revised, 1
	}
	n, same := l.printsAt(d, s, e)
	switch {
	case same:
		return Duplicate, 0
	case n == 0:
		return New, 0
	case n > MaxRevisions:
		return TooMany, 0
	default:
		return Revised, n
	}
}

// classifyUndated classifies a fact whose time is its time of arrival.
func (l *Ledger) classifyUndated(d *device, s *series, e entry, within time.Duration) Outcome {
	reach := int64((within - 1) / time.Millisecond) // the greatest whole distance less than within
	first, last := subClamped(e.time, reach), addClamped(e.time, reach)
	switch {
	case s.top < first:
		return New
	case s.sole && s.print == e.print && s.top <= last:
		return Duplicate
	case l.hasPrintBetween(d, s, e.print, first, last):
		return Duplicate
	default:
		return New
	}
}

// addClamped and subClamped add and subtract d >= 0, limited to the range of int64.
func addClamped(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

func subClamped(t, d int64) int64 {
	if t < math.MinInt64+d {
		return math.MinInt64
	}
	return t - d
}
