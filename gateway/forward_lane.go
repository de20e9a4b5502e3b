package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nhip/internal/journal"
	"nhip/internal/wait"
)

// lane is a journal whose records are forwarded in their order, with its cursor.
type lane struct {
	name    string
	journal *journal.Journal
	reader  *journal.Reader
	window  *window
	log     *slog.Logger
	bound   int64 // of the journal, in bytes; 0: none

	next       uint64 // the record expected next, if none is missing
	saved      uint64 // the cursor on disk
	saveFailed bool   // the last save failed, and that was logged
}

func openLane(name, dir string, o journal.Options) (*lane, error) {
	j, err := journal.Open(dir, o)
	if err != nil {
		return nil, err
	}
	l := &lane{name: name, journal: j, log: o.Logger.With("lane", name), bound: o.MaxBytes}
	l.saved = l.cursor()
	l.window = newWindow(max(l.saved, j.FirstSeq()-1))
	l.next = l.saved + 1
	if l.saved == 0 {
		l.next = j.FirstSeq() // without a cursor, it is unknown what was forwarded
	}
	l.reader = j.Reader(l.saved + 1)
	return l, nil
}

// cursor returns the saved cursor: the seq up to which every message was forwarded. It returns 0 if the cursor can't
// be read; every message in the journal is then sent again.
func (l *lane) cursor() uint64 {
	seq, err := l.journal.Cursor(forwardCursor)
	if err != nil {
		l.log.Error("can't read the forward cursor; all messages in the journal are sent again", "error", err)
	}
	return seq
}

// pending returns how many records are on disk and not acknowledged.
func (l *lane) pending() uint64 {
	last := l.journal.LastSeq()
	return last - min(l.window.position(), last)
}

// overfull reports whether the journal has less free space than a pass needs to move records from its begin to its end
// until the first segments are free.
func (l *lane) overfull() bool {
	const needed = 3 * waitingSegmentBytes
	s := l.journal.Stats()
	return s.Full || l.bound > 0 && s.Bytes > l.bound-needed
}

// skipped returns how many records are missing before seq, which was just read. A record that is read again after
// rewind has none.
func (l *lane) skipped(seq uint64) uint64 {
	missing := max(seq, l.next) - l.next
	l.next = max(l.next, seq+1)
	return missing
}

// rewind makes the reader return again every record from the first that is not acknowledged. No acknowledgement of an
// earlier record may follow.
func (l *lane) rewind() error {
	err := l.reader.Close()
	l.window.reset()
	l.reader = l.journal.Reader(l.window.position() + 1)
	return err
}

// oldest returns the age of the oldest record in the window; 0 if there is none.
func (l *lane) oldest(now time.Time) time.Duration {
	received, ok := l.window.oldest()
	if !ok {
		return 0
	}
	return max(0, now.Sub(received))
}

// saveCursors saves the cursor at an interval until ctx ends.
func (l *lane) saveCursors(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, saveEvery); err != nil {
			return err
		}
		err := l.saveCursor()
		switch {
		case err != nil && !l.saveFailed:
			l.log.Error("can't save the forward cursor; retrying", "error", err)
		case err == nil && l.saveFailed:
			l.log.Info("forward cursor saved again")
		}
		l.saveFailed = err != nil
	}
}

// saveCursor saves the cursor and deletes the journal up to there. It deletes the journal even if the disk is too full
// for the cursor, because nothing else frees space. That is safe: what is deleted was forwarded, and a reader that
// starts at an older cursor skips it.
func (l *lane) saveCursor() error {
	seq := l.window.position()
	if seq == l.saved {
		return nil
	}
	err := l.journal.SaveCursor(forwardCursor, seq)
	if err == nil {
		l.saved = seq
	}
	if err = errors.Join(err, l.journal.Release(seq)); err != nil {
		return fmt.Errorf("can't save the forward cursor: %w", err)
	}
	return nil
}

// close saves the cursor and closes the journal.
func (l *lane) close() error {
	return errors.Join(l.saveCursor(), l.reader.Close(), l.journal.Close())
}
