package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// What the zero Options mean, and what they may hold.
const (
	defaultSegmentBytes = 64 << 20 // what a release gives back at once; Open scans that much, in 0.03 s
	defaultMaxRecord    = 1 << 20
	maxMaxRecord        = 1 << 30 // a frame's length is 32 bits: one batch and one record must fit
	minSegments         = 2       // segments that MaxBytes must hold: one is kept, one is room
	boundSegments       = 8       // segments that MaxBytes holds by default: a release gives an eighth back
)

// Errors that callers may ask for with errors.Is. ErrNoRoom is in ErrFull and in every error of a
// disk that is full, so it is what tells "send again later" from "something is broken".
var (
	ErrNoRoom = errors.New("no room")
	ErrFull   = fmt.Errorf("%w: journal has reached its bound", ErrNoRoom)
	ErrClosed = errors.New("journal is closed")
	ErrLocked = errors.New("journal is open already, in this process or another")
	ErrTooBig = errors.New("record is too big")
)

// Options are a journal's settings; the zero value of each means its default.
type Options struct {
	SegmentBytes int64        // a segment that would grow beyond this is followed by a new one; default 64 MiB
	MaxRecord    int          // longest record in bytes, at most 1 GiB; default 1 MiB
	MaxBytes     int64        // most bytes of all segments' files, see Room in the package's documentation; default none
	MinFree      int64        // bytes of the disk that are left alone, see Room; default none
	Logger       *slog.Logger // hears of damage and failures; default none
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentBytes < 0 {
		return o, fmt.Errorf("journal: SegmentBytes: must not be negative, got %d", o.SegmentBytes)
	}
	if o.MinFree < 0 {
		return o, fmt.Errorf("journal: MinFree: must not be negative, got %d", o.MinFree)
	}
	if o.MaxRecord < 0 || o.MaxRecord > maxMaxRecord {
		return o, fmt.Errorf("journal: MaxRecord: must be between 0 and %d, got %d", maxMaxRecord, o.MaxRecord)
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = defaultMaxRecord
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes != 0 {
		return o.withBound()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	return o, nil
}

// withBound checks the rules that keep a bounded journal from being full for ever. The newest
// segment is never released, so beside it there must be room for any record.
func (o Options) withBound() (Options, error) {
	longest := headerSize + frameHeader + recordSize(o.MaxRecord)
	if o.SegmentBytes == 0 {
		o.SegmentBytes = max(min(defaultSegmentBytes, o.MaxBytes/boundSegments), longest)
	}
	if o.SegmentBytes < longest {
		return o, fmt.Errorf("journal: SegmentBytes: must be at least %d to hold a record of MaxRecord, got %d", longest, o.SegmentBytes)
	}
	if o.MaxBytes/minSegments < o.SegmentBytes {
		return o, fmt.Errorf("journal: MaxBytes: must be at least %d times SegmentBytes, %d, got %d", minSegments, o.SegmentBytes, o.MaxBytes)
	}
	return o, nil
}

// Journal is an open journal. Its methods are safe from any goroutine.
type Journal struct {
	dir     string
	opts    Options
	log     *slog.Logger
	files   fileSystem
	lock    *os.File
	stopped chan struct{} // closed when the committer has ended

	tail tail // the committer's alone, after Open

	mu      sync.Mutex
	work    sync.Cond // the committer has something to do
	room    sync.Cond // the pending batch was taken
	pending *batch
	closing bool       // no more appends
	closed  bool       // no more commits
	segs    []*segment // oldest first, never empty after Open
	last    uint64     // seq of the last durable record
	changed chan struct{}
	doomed  []*segment // released segments that are still on disk
	aside   []*aside   // damaged segments kept for a human, oldest first
	space   space
	stats   Stats // the counters of it
}

// Open opens the journal in dir, which it creates when it isn't there, and brings it into a state
// that can be appended to (see Recovery in the package's documentation). It fails with ErrLocked
// when the journal is open already, and when dir holds segments of a newer format.
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
	j.work.L, j.room.L = &j.mu, &j.mu
	if err := j.restore(); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: open %s: %w", dir, err), j.shut())
	}
	go j.run()
	return j, nil
}

// Close commits what is pending, lets readers read to the end, and gives the journal free for the
// next opener. The second call does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	again := j.closing
	j.closing = true
	j.work.Broadcast()
	j.room.Broadcast()
	j.mu.Unlock()
	<-j.stopped
	if again {
		return nil
	}
	return j.shut()
}

// shut closes the files; closing the lock's drops the lock.
func (j *Journal) shut() error {
	var err error
	if j.tail.file != nil {
		err = j.leave()
	}
	return errors.Join(err, j.lock.Close())
}

// LastSeq returns the seq of the last durable record, 0 when there never was one.
func (j *Journal) LastSeq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// FirstSeq returns the seq of the oldest record that is still on disk; LastSeq()+1 when none is.
func (j *Journal) FirstSeq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.segs[0].first
}
