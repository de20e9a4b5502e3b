package collector

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/collector/deadletter"
	"nhip/collector/document"
	"nhip/collector/ledger"
	"nhip/collector/live"
	"nhip/collector/record"
	"nhip/internal/journal"
	"nhip/internal/recovery"
	"nhip/internal/wait"
)

// Limits of an outbox record, and the times of the deduplicator. It waits a moment to gather a record, so that it syncs
// the disk ten times a second and not for every message.
const (
	recordRows      = 4_000
	recordBytes     = 512 << 10
	recordLinger    = 100 * time.Millisecond
	checkpointEvery = 30 * time.Second
	checkpointFacts = 300_000 // in memory only; 5 s of the fastest backlog
	diskRetry       = time.Second
	pressureEvery   = time.Second // between checkpoints under pressure
)

// deduplicator reads the intake in order of arrival, separates new facts from duplicates, counts both in the ledger
// and writes the new ones to the outbox. Its only persistent state is in the ledger: after a crash it continues from
// the last checkpoint and classifies every later record the same way again.
type deduplicator struct {
	intake    *journal.Journal
	reader    *journal.Reader // of intake
	outbox    *journal.Journal
	ledger    *ledger.Ledger
	letters   *deadletter.Store // kind Messages
	replays   *deadletter.Store // kind Replays
	publisher *live.Publisher
	documents *document.Store
	air       *air.Processor // nil if readings are not assessed
	log       *slog.Logger
	guard     *recovery.Guard
	metrics   *metrics
	clock     nhip.Clock
	written   func() uint64         // the last outbox record that is in the database with all before it
	release   func(checkpointMarks) // called after each checkpoint

	classified atomic.Uint64 // last record that is classified and counted
	done       atomic.Uint64 // last record whose rows are in the outbox and whose dead letters are stored, too
	enqueued   uint64        // last record whose rows were in the outbox at start
	processed  uint64        // last record that a ledger has covered, which may be newer than this one
	unqueued   unqueued
	leftOver   []byte      // the record that unqueued had at start
	waiting    atomic.Bool // leftOver is not in the outbox yet
	losses     *losses
	saved      time.Time // time of the last checkpoint
	covered    checkpointMarks

	reconciled     atomic.Uint64 // losses.outbox at the last reconciliation
	reconcileAfter time.Time     // time of the next attempt

	batch  dedupBatch
	series map[seriesKey]string // names by key, see seriesOf
	routes *routeTags
}

// dedupBatch is what is gathered for one outbox record.
type dedupBatch struct {
	last     uint64 // last intake record in the batch
	record   *outboxRecord
	encoded  []byte // record, once complete
	through  uint64 // the last intake record in encoded
	letters  []deadletter.Letter
	replays  []deadletter.Replay
	readings []nhip.Reading    // new ones
	actions  []nhip.UserAction // new reviews and acknowledgements
	results  []live.Event      // outcomes of user actions
	entries  []entry
	outcome  record.Outcome // the intake record in progress
}

// checkpointMarks are the last records of the intake and the outbox that a checkpoint covers.
type checkpointMarks struct{ classified, written uint64 }

type deduplicatorOptions struct {
	intake, outbox *journal.Journal
	ledger         *ledger.Ledger
	letters        *deadletter.Store
	deadDir        string
	collector      string
	enqueued       uint64
	unqueued       unqueued
	leftOver       []byte
	losses         *losses
	publisher      *live.Publisher
	documents      *document.Store
	air            *air.Processor
	routes         *routeTags
	clock          nhip.Clock
	log            *slog.Logger
	guard          *recovery.Guard
	metrics        *metrics
	written        func() uint64
	release        func(checkpointMarks)
}

func openDeduplicator(o deduplicatorOptions) (*deduplicator, error) {
	d := &deduplicator{
		intake: o.intake, outbox: o.outbox, ledger: o.ledger, publisher: o.publisher,
		documents: o.documents, air: o.air, log: o.log, guard: o.guard,
		metrics: o.metrics, clock: o.clock, written: o.written, release: o.release,
		letters: o.letters, enqueued: o.enqueued, unqueued: o.unqueued, leftOver: o.leftOver, losses: o.losses,
		batch: dedupBatch{record: newOutboxRecord()}, series: make(map[seriesKey]string), routes: o.routes, saved: time.Now(),
	}
	classified, err := readMark(o.ledger, dedupMark)
	if err != nil {
		return nil, err
	}
	d.classified.Store(classified)
	d.waiting.Store(len(d.leftOver) > 0)
	d.done.Store(classified)
	d.reader = o.intake.Reader(classified + 1)
	if d.processed, err = o.intake.Cursor(dedupMark); err != nil {
		d.log.Warn("can't read the cursor of the intake", "error", err)
	}
	if d.processed = max(d.processed, classified); d.processed > classified {
		d.losses.outbox.Add(1)
		d.losses.note("the ledger is missing or older than the intake; facts that it does not know are written again",
			"classified_seq", classified, "processed_seq", d.processed)
	}
	d.replays, err = deadletter.Open(o.deadDir, o.collector, deadletter.Replays, classified)
	return d, err
}

// run processes the intake until ctx ends or the intake is closed, and saves a last checkpoint.
func (d *deduplicator) run(ctx context.Context) error {
	if err := d.enqueueLeftOver(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := d.gather(ctx)
		if d.batch.last > d.done.Load() {
			if err := d.settle(ctx); err != nil {
				return err // without a checkpoint, because it would cover rows that are not in the outbox
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("can't read the intake", "error", err)
			_ = wait.Sleep(ctx, maxBackoff)
		}
		if d.reconcileDue() {
			d.reconcile()
		}
		if d.checkpointDue() {
			d.checkpoint()
		}
	}
	d.checkpoint()
	return ctx.Err()
}

func (d *deduplicator) checkpointDue() bool {
	since := time.Since(d.saved)
	return since >= checkpointEvery || d.ledger.Unsaved() >= checkpointFacts ||
		since >= pressureEvery && d.underPressure()
}

// underPressure reports whether a checkpoint would free space in a journal that is more than half full, or on a full
// disk.
func (d *deduplicator) underPressure() bool {
	intake, outbox := d.intake.Stats(), d.outbox.Stats()
	full := intake.Full || outbox.Full // both are on one disk
	return (full || halfFull(intake)) && d.classified.Load() > d.covered.classified ||
		(full || halfFull(outbox)) && d.written() > d.covered.written
}

func halfFull(s journal.Stats) bool { return s.MaxBytes > 0 && s.Bytes > s.MaxBytes/2 }

// gather classifies the available intake records, at most one outbox record full. It waits for the first one, but not
// for long: a full intake receives no records until a checkpoint frees space. With an error, the batch contains the
// records before it.
func (d *deduplicator) gather(ctx context.Context) error {
	b := &d.batch
	b.record.reset()
	b.letters, b.replays, b.entries = b.letters[:0], b.replays[:0], b.entries[:0]
	b.readings, b.actions, b.results = b.readings[:0], b.actions[:0], b.results[:0]
	b.last = d.done.Load()
	waiting, cancel := context.WithTimeout(ctx, pressureEvery)
	defer cancel()
	defer d.takeMissing()
	seq, raw, err := d.reader.Next(waiting)
	if err != nil {
		if waiting.Err() != nil {
			return nil
		}
		return err
	}
	d.classifyRecord(seq, raw)
	lingered := false
	for len(b.record.rows) < recordRows && len(b.record.lines) < recordBytes && len(b.entries) < recordRows {
		seq, raw, ok, err := d.reader.TryNext()
		switch {
		case err != nil:
			return err
		case ok:
			d.classifyRecord(seq, raw)
		case lingered:
			return nil
		default:
			_ = wait.Sleep(ctx, recordLinger)
			lingered = true
		}
	}
	return nil
}

// settle counts the batch, enqueues its rows and stores its dead letters. It counts first: otherwise the database
// writer could count a row as stored before it was counted as received. Its only error is that of ctx.
func (d *deduplicator) settle(ctx context.Context) error {
	if err := d.updateAir(ctx); err != nil {
		return err
	}
	d.ledger.Update(func(tx *ledger.Tx) {
		for i := range d.batch.entries {
			d.batch.entries[i].addTo(tx)
		}
		tx.SetMark(dedupMark, strconv.AppendUint(nil, d.batch.last, 10))
	})
	d.classified.Store(d.batch.last)
	if err := d.enqueue(ctx); err != nil {
		return err
	}
	if err := d.putLetters(ctx); err != nil {
		return err
	}
	d.done.Store(d.batch.last)
	d.publisher.Publish(d.batch.results)
	return nil
}

// updateAir passes new readings and user actions to the air processor, which persists them itself. It must do so
// before a checkpoint covers them.
func (d *deduplicator) updateAir(ctx context.Context) error {
	if d.air == nil {
		return nil
	}
	seq := d.outbox.LastSeq()
	if len(d.batch.record.rows) > 0 {
		seq++ // of the record that is about to be enqueued
	}
	d.air.Observe(d.batch.readings, seq)
	for i := range d.batch.actions {
		if ack := d.batch.actions[i].Ack; ack != nil {
			d.air.Ack(*ack)
			continue
		}
		if err := d.addReview(ctx, *d.batch.actions[i].Review); err != nil {
			return err
		}
	}
	return nil
}

// addReview retries until the review is on disk or ctx ends.
func (d *deduplicator) addReview(ctx context.Context, r nhip.Review) error {
	for {
		err := d.air.Review(r)
		if err == nil {
			return nil
		}
		d.log.Error("can't store a review; the intake waits", "error", err)
		if err := wait.Sleep(ctx, diskRetry); err != nil {
			return err
		}
	}
}

// putLetters stores the dead letters and the results of replays.
func (d *deduplicator) putLetters(ctx context.Context) error {
	fresh, ctxErr := d.letters.PutAll(ctx, d.batch.letters, d.log)
	d.publisher.Announce(fresh)
	if ctxErr != nil {
		return ctxErr
	}
	return d.replays.PutReplays(ctx, d.batch.replays, d.log)
}

// checkpoint saves the ledger and releases what it covers of the journals.
func (d *deduplicator) checkpoint() {
	d.saved = time.Now()
	// The marks are read before the checkpoint, which may cover more than they say but not less.
	d.ledger.Update(func(tx *ledger.Tx) { tx.SetMark(outboxMark, strconv.AppendUint(nil, d.outbox.LastSeq(), 10)) })
	classified, err := readMark(d.ledger, dedupMark)
	covered := checkpointMarks{classified, d.written()}
	if err == nil && d.air != nil {
		err = d.air.Save()
	}
	if err == nil {
		err = d.saveDocuments()
	}
	if err == nil {
		err = d.ledger.Checkpoint()
	}
	if err != nil {
		d.log.Error("can't save the ledger; the journals keep what it lacks", "error", err)
		return
	}
	d.covered = covered
	d.documents.Release()
	d.release(covered)
	if err := d.ledger.Maintain(d.clock.Now()); err != nil {
		d.log.Error("can't compact the ledger", "error", err)
	}
}

// caughtUp waits until position, which is d.classified or d.done, has reached the end of the intake as of the call.
func (d *deduplicator) caughtUp(ctx context.Context, position *atomic.Uint64) error {
	for want := d.intake.LastSeq(); position.Load() < want; {
		if err := wait.Sleep(ctx, recordLinger/4); err != nil {
			return err
		}
	}
	return nil
}

func (d *deduplicator) close() error {
	return errors.Join(d.reader.Close(), d.letters.Close(), d.replays.Close())
}

// behind returns the number of intake records that are not done. The record that is left over counts as one.
func (d *deduplicator) behind() uint64 {
	last := d.intake.LastSeq()
	n := last - min(d.done.Load(), last)
	if d.waiting.Load() {
		n++
	}
	return n
}
