package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// Journal is an open journal. Its methods are safe for concurrent use.
type Journal struct {
	dir     string
	opts    Options
	log     *slog.Logger
	files   fileSystem
	lock    *os.File
	stopped chan struct{} // closed when the committer has returned

	tail tail // after Open, used by the committer only

	mu          sync.Mutex
	workReady   sync.Cond // wakes the committer: records are pending, or closing is set
	spaceFreed  sync.Cond // wakes appenders: the committer has taken the pending batch, or closing is set
	pending     *batch
	closing     bool       // no more appends
	closed      bool       // no more commits
	segs        []*segment // oldest first, not empty after Open
	last        uint64     // seq of the last durable record
	changed     chan struct{}
	deleting    []*segment     // released segments that are still on disk
	quarantined []*quarantined // damaged segments that are kept for inspection, oldest first
	space       space
	stats       Stats // only the counters are set
}

// Open opens the journal in dir, which it creates if it is missing, and recovers it (see Recovery in the package
// documentation). It fails with ErrLocked if the journal is already open, and if dir has segments of a newer format.
func Open(dir string, o Options) (*Journal, error) { return open(dir, o, osFS{}) }

func open(dir string, o Options, files fileSystem) (*Journal, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, errors.New("journal: dir: is required")
	}
	if err := makeDir(files, dir); err != nil {
		return nil, fmt.Errorf("journal: create %s: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{
		dir: dir, opts: o, log: o.Logger, files: files, lock: lock,
		stopped: make(chan struct{}), pending: newBatch(),
	}
	j.workReady.L, j.spaceFreed.L = &j.mu, &j.mu
	if err := j.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: open %s: %w", dir, err), j.closeFiles())
	}
	go j.run()
	return j, nil
}

// Close commits the pending records and unlocks the journal. Readers can still read to the end. Further calls do
// nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	alreadyClosing := j.closing
	j.closing = true
	j.workReady.Broadcast()
	j.spaceFreed.Broadcast()
	j.mu.Unlock()
	<-j.stopped
	if alreadyClosing {
		return nil
	}
	return j.closeFiles()
}

// closeFiles closes the files. Closing the lock file releases the lock.
func (j *Journal) closeFiles() error {
	var err error
	if j.tail.file != nil {
		err = j.closeSegment()
	}
	return errors.Join(err, j.lock.Close())
}

// LastSeq returns the seq of the last durable record, or 0 if there never was one.
func (j *Journal) LastSeq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// FirstSeq returns the seq of the oldest record on disk, or LastSeq()+1 if there is none.
func (j *Journal) FirstSeq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.segs[0].first
}
