package collector

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/journal"
	"nhip/internal/pause"
)

// The drain's rhythm. A batch is as large as the database likes (5,000 to 10,000 rows a request);
// a small one waits a moment for company.
const (
	batchRows  = 5_000
	batchBytes = 2 << 20
	linger     = 200 * time.Millisecond
	cursorName = "influx"
	saveEvery  = time.Second // how often the cursor is saved: what is sent again after a crash is the same points
	minBackoff = 500 * time.Millisecond
	maxBackoff = 30 * time.Second

	finishTimeout = 5 * time.Second // that a stop leaves to what is pending
)

// drain feeds the database from the journal, in order, and the dead letters' folder. It is the
// only place that writes to either.
type drain struct {
	journal *journal.Journal
	reader  *journal.Reader
	store   Store
	grave   *graveyard
	log     *slog.Logger
	metrics *metrics

	stored  atomic.Uint64 // last record that is in the database or among the dead letters
	failing atomic.Bool   // the last write was not answered, or put off
	saved   uint64
	savedAt time.Time
	batch   batch
}

// batch is rows on their way, with the ends of each so that it can be split.
type batch struct {
	lines   []byte
	ends    []int    // of each row
	seqs    []uint64 // of each row's record
	letters []letter
	kept    int // bytes of the letters' payloads
	last    uint64
	outcome outcome // read into again and again
}

func (b *batch) reset() {
	b.lines, b.ends, b.seqs, b.letters, b.kept = b.lines[:0], b.ends[:0], b.seqs[:0], b.letters[:0], 0
}

func (b *batch) full() bool { return len(b.ends) >= batchRows || len(b.lines)+b.kept >= batchBytes }

// row notes that a row of record seq ends here.
func (b *batch) row(seq uint64) {
	b.ends = append(b.ends, len(b.lines))
	b.seqs = append(b.seqs, seq)
}

func newDrain(dir string, j *journal.Journal, store Store, log *slog.Logger, m *metrics) (*drain, error) {
	cursor, err := j.Cursor(cursorName)
	if err != nil {
		return nil, err
	}
	grave, err := openGraveyard(dir)
	if err != nil {
		return nil, err
	}
	d := &drain{
		journal: j, reader: j.Reader(cursor + 1), store: store, grave: grave, log: log, metrics: m,
		saved: cursor,
	}
	d.stored.Store(cursor)
	return d, nil
}

func (d *drain) pending() uint64 {
	return d.journal.LastSeq() - min(d.stored.Load(), d.journal.LastSeq())
}

// run feeds the database until ctx ends.
func (d *drain) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := d.fill(ctx)
		// What was gathered before an error is behind the reader and must not be left there.
		if d.batch.last > d.stored.Load() && !d.deliver(ctx) {
			return
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("can't read the journal", "error", err)
			pause.For(ctx, maxBackoff)
		}
	}
}

// fill waits for a record and gathers what else is there. With an error, the batch holds what came
// before it.
func (d *drain) fill(ctx context.Context) error {
	d.batch.reset()
	seq, record, err := d.reader.Next(ctx)
	if err != nil {
		return err
	}
	d.add(seq, record)
	lingered := false
	for !d.batch.full() {
		seq, record, ok, err := d.reader.TryNext()
		if err != nil {
			return err
		}
		if ok {
			d.add(seq, record)
			continue
		}
		if lingered {
			break
		}
		pause.For(ctx, linger)
		lingered = true
	}
	return nil
}

// add takes a record into the batch; one that can't be read becomes a dead letter itself.
func (d *drain) add(seq uint64, record []byte) {
	b := &d.batch
	b.last = seq
	if err := readRecord(record, &b.outcome); err != nil {
		d.log.Error("a journal record can't be read; it is kept among the dead letters", "seq", seq, "error", err)
		d.metrics.rejected.WithLabelValues(string(nhip.Internal)).Inc()
		b.letters = append(b.letters, letter{
			Seq: seq, Received: time.Now().UTC(), Code: nhip.Internal, Rule: err.Error(), Rows: 1, PayloadB: slices.Clone(record),
		})
		return
	}
	for i := range b.outcome.facts.Positions {
		b.lines = influx.AppendPosition(b.lines, &b.outcome.facts.Positions[i], b.outcome.received)
		b.row(seq)
	}
	for i := range b.outcome.facts.Readings {
		b.lines = influx.AppendReading(b.lines, &b.outcome.facts.Readings[i], b.outcome.received)
		b.row(seq)
	}
	letters := b.outcome.letters(seq)
	b.letters = append(b.letters, letters...)
	b.kept += len(letters) * len(b.outcome.payload)
}

// deliver brings the batch home, however long it takes, and moves the cursor. It reports false
// when ctx ended first.
func (d *drain) deliver(ctx context.Context) bool {
	if !d.write(ctx, 0, len(d.batch.ends)) || len(d.batch.letters) > 0 && !d.bury(ctx) {
		return false
	}
	d.stored.Store(d.batch.last)
	if now := time.Now(); now.Sub(d.savedAt) >= saveEvery {
		d.saveCursor(now)
	}
	return true
}

// write stores rows [from, to) of the batch. Rows that the database refuses are halved until the
// bad one stands alone and becomes a dead letter.
func (d *drain) write(ctx context.Context, from, to int) bool {
	if from == to {
		return true
	}
	lines := d.batch.rows(from, to)
	backoff := minBackoff
	for {
		began := time.Now()
		err := d.store.Write(ctx, lines)
		var refused *influx.WriteError
		answered := err == nil || errors.As(err, &refused) && refused.Kind != influx.Retry
		d.failing.Store(!answered)
		if err == nil {
			d.metrics.wrote(to-from, time.Since(began))
			return true
		}
		if answered {
			return d.divide(ctx, from, to, refused)
		}
		d.metrics.writeErrors.Inc()
		d.log.Warn("the database does not take rows; they wait in the journal", "rows", to-from,
			"retry_in", backoff, "error", err)
		wait := backoff
		if refused != nil {
			wait = max(wait, refused.RetryAfter)
		}
		if !pause.For(ctx, wait) {
			return false
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (d *drain) divide(ctx context.Context, from, to int, refused *influx.WriteError) bool {
	if to-from > 1 {
		middle := (from + to) / 2
		return d.write(ctx, from, middle) && d.write(ctx, middle, to)
	}
	line := string(d.batch.rows(from, to))
	d.log.Error("the database refuses a row", "line", line, "error", refused)
	d.metrics.rejected.WithLabelValues(string(nhip.Refused)).Inc()
	d.batch.letters = append(d.batch.letters, letter{
		Seq: d.batch.seqs[from], Received: time.Now().UTC(), Code: nhip.Refused, Rule: refused.Error(),
		Rows: 1, Statement: line,
	})
	return true
}

func (b *batch) rows(from, to int) []byte {
	start := 0
	if from > 0 {
		start = b.ends[from-1]
	}
	return b.lines[start:b.ends[to-1]]
}

// bury writes the batch's dead letters, trying again while the disk does not take them.
func (d *drain) bury(ctx context.Context) bool {
	for {
		err := d.grave.bury(d.batch.letters)
		if err == nil {
			err = d.grave.sync()
		}
		if err == nil {
			return true
		}
		d.log.Error("can't keep dead letters", "error", err)
		if !pause.For(ctx, maxBackoff) {
			return false
		}
	}
}

func (d *drain) saveCursor(now time.Time) {
	d.savedAt = now
	seq := d.stored.Load()
	if seq == d.saved {
		return
	}
	if err := d.journal.SaveCursor(cursorName, seq); err != nil {
		d.log.Error("can't save the cursor of the database", "error", err)
		return
	}
	d.saved = seq
}

// finish waits until nothing is pending, the database does not take it, or the time for it is over.
func (d *drain) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	t := time.NewTicker(linger)
	defer t.Stop()
	for d.pending() > 0 {
		select {
		case <-t.C:
			if !d.failing.Load() {
				continue
			}
			cancel()
		case <-ctx.Done():
			d.log.Warn("stopping with rows that are not in the database yet; they stay in the journal",
				"records", d.pending())
			return
		}
	}
}

// close must come after run has returned.
func (d *drain) close() error {
	d.saveCursor(time.Now())
	return errors.Join(d.reader.Close(), d.grave.close())
}
