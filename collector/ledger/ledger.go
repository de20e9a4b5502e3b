package ledger

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the settings of a ledger.
type Options struct {
	Late   time.Duration // how long facts are remembered after the hour they belong to; 0: nhip.LateWindow
	Logger *slog.Logger  // nil: no logs
}

// Ledger is an open ledger. Classify, Checkpoint, Maintain and Close must be called from one goroutine; the other
// methods are safe for concurrent use.
type Ledger struct {
	dir   string
	files fileSystem
	late  time.Duration
	log   *slog.Logger

	// Only the goroutine that calls Classify uses these.
	devices     map[string]*device
	cells       []*cell       // with facts that are not in a checkpoint yet
	spare       []*cell       // for reuse
	cache       *segmentCache // open segments
	saved       checkpoint    // the last one on disk
	failed      *checkpoint   // the one after it, if it may be on disk partly or completely
	failedFiles []string      // the segments of failed
	now         int64         // the hour of the last Maintain

	mu       sync.Mutex // never held across I/O
	catalog  catalog
	tally    tally // since the last checkpoint began
	writing  tally // of the checkpoint in progress
	marks    marks
	readers  int        // pages in progress
	obsolete []*segment // replaced by merges; pages may still read them

	unsaved     atomic.Int64 // facts
	deviceCount atomic.Int64
	damaged     atomic.Int64
	readErrors  atomic.Int64
	unbalanced  atomic.Int64
}

// Close closes the ledger. Data that is not in a checkpoint is lost.
func (l *Ledger) Close() error {
	return l.cache.close()
}

// Stats returns the figures of the ledger.
func (l *Ledger) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	segments, bytes := l.catalog.totals()
	return Stats{
		Segments:   segments,
		Bytes:      bytes,
		Facts:      int(l.unsaved.Load()),
		Cells:      l.tally.cells() + l.writing.cells(),
		Devices:    int(l.deviceCount.Load()),
		Damaged:    int(l.damaged.Load()),
		ReadErrors: l.readErrors.Load(),
		Unbalanced: l.unbalanced.Load(),
	}
}

// Unsaved returns the number of facts and counts that are not on disk yet, which tells the caller when to call
// Checkpoint.
func (l *Ledger) Unsaved() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.unsaved.Load()) + l.tally.cells() + l.writing.cells()
}

// currentCatalog returns the segments that count now.
func (l *Ledger) currentCatalog() catalog {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.catalog
}
