package ledger

import (
	"errors"
	"fmt"
	"time"
)

const (
	// manyRuns of an hour are merged, whether or not more are to come.
	manyRuns = 8

	// quietCheckpoints without a run for an hour make it one whose runs are merged into one.
	quietCheckpoints = 10

	// idleHours of silence make a device one that memory need not hold.
	idleHours = 6
)

// Maintain does one unit of housekeeping: it drops idle devices from memory, and then merges the
// runs of one hour or forgets the facts of one hour that is older than Options.Late. It is for the
// goroutine that judges, which it holds up for as long as it takes to rewrite an hour.
func (b *Book) Maintain(now time.Time) error {
	b.evict(hourOf(now.UnixMilli()))
	err := b.sweep()
	if job := b.nextJob(now); job != nil {
		err = errors.Join(err, b.do(job))
	}
	if err != nil {
		return fmt.Errorf("can't keep the ledger in order: %w", err)
	}
	return nil
}

// job is runs of an hour that are to be made one.
type job struct {
	runs   []*run
	forget bool // the facts
	whole  bool // it is all runs of the hour
}

// nextJob returns what is most in need of being done, nil when nothing is.
func (b *Book) nextJob(now time.Time) *job {
	horizon := hourOf(now.Add(-b.late).UnixMilli())
	var best *job
	for _, p := range b.onShelf() {
		switch {
		case p.hour < horizon && hasFacts(p.runs):
			return &job{runs: p.runs, forget: true, whole: true}
		case len(p.runs) >= manyRuns:
			return &job{runs: newestOf(p.runs)}
		case best == nil && len(p.runs) > 1 && p.runs[len(p.runs)-1].last+quietCheckpoints <= b.saved.number:
			best = &job{runs: p.runs, whole: true}
		}
	}
	return best
}

func hasFacts(runs []*run) bool {
	for _, r := range runs {
		if r.facts > 0 {
			return true
		}
	}
	return false
}

// newestOf returns the newest runs that are worth merging: two, and each before them that is not
// larger than what is merged anyway. So a large run is not rewritten for a few small ones.
func newestOf(runs []*run) []*run {
	i := len(runs) - 1
	size := runs[i].size
	for i > 0 && (i >= len(runs)-1 || runs[i-1].size <= size) {
		i--
		size += runs[i].size
	}
	return runs[i:]
}

// sweep removes the files that merges have replaced, when no page is reading; damaged ones it sets
// aside.
func (b *Book) sweep() error {
	var left []*run
	var err error
	for _, r := range b.takeDoomed() {
		if r.hurt.Load() {
			b.setAside(r.path)
		} else if e := ignoreMissing(b.files.remove(r.path)); e != nil {
			err = errors.Join(err, e)
			left = append(left, r)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doomed = append(b.doomed, left...)
	return err
}

func (b *Book) takeDoomed() []*run {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers > 0 {
		return nil
	}
	doomed := b.doomed
	b.doomed = nil
	return doomed
}
