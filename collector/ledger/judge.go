package ledger

import (
	"math"
	"time"
)

// Judge tells what a fact is, and remembers it if it is New or Revised; for Revised, n is the
// revision's number, from 1. It is for the goroutine that checkpoints.
//
// What a disk that fails or a damaged run does not tell counts as never said: the fact is New, and
// Stats.Unread or Stats.Damaged says that it may not be.
func (b *Book) Judge(f *Fact) (v Verdict, n int) {
	d, i := b.find(f.Device, f.Series)
	s := &d.series[i]
	if s.top == unknown {
		b.establish(d, s, f.Time)
	}
	e := entry{f.Time, f.Print & printMask}
	if f.Within > 0 {
		v = b.judgeUndated(d, s, e, f.Within)
	} else {
		v, n = b.judgeDated(d, s, e)
	}
	if v == New || v == Revised {
		b.remember(d, i, e)
	}
	return v, n
}

// judgeDated judges a fact of a device that has a clock. Most are later than all before.
func (b *Book) judgeDated(d *device, s *series, e entry) (Verdict, int) {
	if e.time > s.top {
		return New, 0
	}
	if e.time == s.top && s.sole {
		if e.print == s.print {
			return Duplicate, 0
		}
		return Revised, 1
	}
	n, same := b.printsAt(d, s, e)
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

// judgeUndated judges a fact whose time is that of its arrival.
func (b *Book) judgeUndated(d *device, s *series, e entry, within time.Duration) Verdict {
	reach := int64((within - 1) / time.Millisecond) // the greatest distance that is less than within
	first, last := minus(e.time, reach), plus(e.time, reach)
	switch {
	case s.top < first:
		return New
	case s.sole && s.print == e.print && s.top <= last:
		return Duplicate
	case b.saidBetween(d, s, e.print, first, last):
		return Duplicate
	default:
		return New
	}
}

// plus and minus take d, which is not negative, as far as there are numbers.
func plus(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

func minus(t, d int64) int64 {
	if t < math.MinInt64+d {
		return math.MinInt64
	}
	return t - d
}
