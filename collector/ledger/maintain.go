package ledger

import (
	"errors"
	"fmt"
	"time"
)

const (
	// maxSegmentsPerHour is the number of segments of an hour from which some are merged, even if more will follow.
	maxSegmentsPerHour = 8

	// settledAfter is the number of checkpoints without a segment for an hour after which its segments are merged.
	settledAfter = 10

	// idleHours is the number of hours without a fact after which a device is dropped from memory.
	idleHours = 6
)

// Maintain does one unit of housekeeping: it drops idle devices from memory, and then merges the segments of one hour
// or drops the facts of one hour that is older than Options.Late. It must be called from the goroutine that calls
// Classify, and blocks it for the time that rewriting an hour takes.
func (l *Ledger) Maintain(now time.Time) error {
	l.evict(hourOf(now.UnixMilli()))
	err := l.sweep()
	if job := l.nextJob(now); job != nil {
		err = errors.Join(err, l.merge(job))
	}
	if err != nil {
		return fmt.Errorf("can't maintain the ledger: %w", err)
	}
	return nil
}

// mergeJob describes segments of an hour to be merged into one.
type mergeJob struct {
	segments  []*segment
	dropFacts bool // keep only the counts
	wholeHour bool // these are all segments of the hour
}

// nextJob returns the most urgent job, or nil if there is none.
func (l *Ledger) nextJob(now time.Time) *mergeJob {
	horizon := hourOf(now.Add(-l.late).UnixMilli())
	var best *mergeJob
	for _, p := range l.currentCatalog() {
		switch {
		case p.hour < horizon && hasFacts(p.segments):
			return &mergeJob{segments: p.segments, dropFacts: true, wholeHour: true}
		case len(p.segments) >= maxSegmentsPerHour:
			return &mergeJob{segments: newestOf(p.segments)}
		case best == nil && len(p.segments) > 1 && p.segments[len(p.segments)-1].last+settledAfter <= l.saved.number:
			best = &mergeJob{segments: p.segments, wholeHour: true}
		}
	}
	return best
}

func hasFacts(segments []*segment) bool {
	for _, seg := range segments {
		if seg.facts > 0 {
			return true
		}
	}
	return false
}

// newestOf returns the newest segments that are worth merging: two, and each one before them that is not larger than
// the sum of those after it. So a large segment is not rewritten for a few small ones.
func newestOf(segments []*segment) []*segment {
	i := len(segments) - 1
	size := segments[i].size
	for i > 0 && (i >= len(segments)-1 || segments[i-1].size <= size) {
		i--
		size += segments[i].size
	}
	return segments[i:]
}

// sweep removes the files that merges have replaced, unless a page is being read. Damaged ones are renamed to .bad
// instead.
func (l *Ledger) sweep() error {
	var left []*segment
	var err error
	for _, seg := range l.takeObsolete() {
		if seg.damaged.Load() {
			l.renameBad(seg.path)
		} else if e := ignoreMissing(l.files.remove(seg.path)); e != nil {
			err = errors.Join(err, e)
			left = append(left, seg)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.obsolete = append(l.obsolete, left...)
	return err
}

func (l *Ledger) takeObsolete() []*segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers > 0 {
		return nil
	}
	obsolete := l.obsolete
	l.obsolete = nil
	return obsolete
}
