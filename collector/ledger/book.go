package ledger

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options are a book's settings.
type Options struct {
	Late   time.Duration // how long facts are remembered after the hour they belong to; nhip.LateWindow when 0
	Logger *slog.Logger  // nowhere when nil
}

// Book is an open book. Judge, Checkpoint, Maintain and Close are for one goroutine; the rest is for
// any.
type Book struct {
	dir   string
	files fileSystem
	late  time.Duration
	log   *slog.Logger

	// What only the goroutine that judges touches.
	devices map[string]*device
	cells   []*cell     // with facts that no checkpoint holds yet
	spare   []*cell     // for reuse
	hands   *hands      // open runs
	saved   checkpoint  // the last that is on disk
	failed  *checkpoint // the one after it, when it may be on disk in part or whole
	litter  []string    // the runs of failed
	now     int64       // the hour of the last Maintain

	mu      sync.Mutex // never held across I/O
	shelf   shelf
	tally   tally // since the last checkpoint began
	writing tally // of the checkpoint that is under way
	marks   marks
	readers int    // pages under way
	doomed  []*run // what merges replaced, which pages may still read

	unsaved    atomic.Int64 // facts
	known      atomic.Int64 // devices
	damaged    atomic.Int64
	unread     atomic.Int64
	unbalanced atomic.Int64
}

// Close closes the book. What no checkpoint holds is gone.
func (b *Book) Close() error {
	return b.hands.close()
}

// Stats returns the book's figures.
func (b *Book) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	runs, bytes := b.shelf.totals()
	return Stats{
		Runs:       runs,
		Bytes:      bytes,
		Facts:      int(b.unsaved.Load()),
		Cells:      b.tally.cells() + b.writing.cells(),
		Devices:    int(b.known.Load()),
		Damaged:    int(b.damaged.Load()),
		Unread:     b.unread.Load(),
		Unbalanced: b.unbalanced.Load(),
	}
}

// Unsaved returns how many facts and cells of counts are not on disk yet, by which the caller
// decides when to checkpoint.
func (b *Book) Unsaved() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.unsaved.Load()) + b.tally.cells() + b.writing.cells()
}

// onShelf returns the runs that count now.
func (b *Book) onShelf() shelf {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shelf
}
