package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/ledger"
	"nhip/collector/live"
	"nhip/internal/journal"
	"nhip/internal/wait"

	"golang.org/x/time/rate"
)

// Limits of a batch, for requests of 5,000 to 10,000 rows as InfluxDB recommends, and the times of the writer.
const (
	batchRows  = 5_000
	batchBytes = 2 << 20
	minBackoff = 250 * time.Millisecond
	maxBackoff = 5 * time.Second

	// freshFor is how long an outbox record may wait until newer ones are written before it: readers ask for the last
	// minutes, not for the hour of a database outage.
	freshFor = 10 * time.Second

	refusedLogEvery = time.Minute // between two lines in the log about refused rows

	finishTimeout = 5 * time.Second        // for pending rows during a stop
	finishPoll    = 100 * time.Millisecond // between two checks for pending rows
)

// Store is the database that facts are written to.
type Store interface {
	// Write stores rows of line protocol. An influx.WriteError describes a failure.
	Write(ctx context.Context, lines []byte) error
}

// dbWriter writes the outbox to the database with two readers: fresh rows go at once, and a backlog from a database
// outage follows at a limited rate. Nothing else writes facts to the database.
type dbWriter struct {
	outbox    *journal.Journal
	store     Store
	ledger    *ledger.Ledger
	progress  *progress
	letters   *deadletter.Store   // kind Rows; used by the holder of lettersToken
	sampler   *deadletter.Sampler // of announcements; likewise
	unlogged  int                 // letters since the last line in the log; likewise
	logged    time.Time           // time of that line; likewise
	publisher *live.Publisher
	log       *slog.Logger
	metrics   *metrics
	losses    *losses
	rate      *rate.Limiter // of backlog rows
	freshFor  time.Duration // shorter in tests

	lettersToken chan struct{} // holds one token
	gapAdded     chan struct{} // signals a new gap in progress

	writtenBefore uint64 // last record that a ledger has counted as written, which may be newer than this one

	refusedRows  *deadletter.Refused // what the dead letters of this writer take on disk
	maxDeadBytes int64               // limit of that
	refusals     refusals
	fresh        *lane
	backlog      *lane
}

type dbWriterOptions struct {
	outbox      *journal.Journal
	store       Store
	ledger      *ledger.Ledger
	backlogRate int // rows per second; 0: no limit
	letters     *deadletter.Store
	progress    *progress
	losses      *losses
	refused     *deadletter.Refused
	maxDead     int64 // bytes of refused rows
	publisher   *live.Publisher
	log         *slog.Logger
	metrics     *metrics
}

func newDBWriter(o dbWriterOptions) *dbWriter {
	w := &dbWriter{
		outbox: o.outbox, store: o.store, ledger: o.ledger, sampler: deadletter.NewSampler(), publisher: o.publisher,
		log: o.log, refusedRows: o.refused, maxDeadBytes: o.maxDead, fresh: new(lane), backlog: new(lane),
		metrics: o.metrics, rate: rate.NewLimiter(backlogLimit(o.backlogRate), 2*batchRows),
		letters: o.letters, progress: o.progress, losses: o.losses,
		freshFor: freshFor, lettersToken: make(chan struct{}, 1), gapAdded: make(chan struct{}, 1),
	}
	w.lettersToken <- struct{}{}
	var err error
	if w.writtenBefore, err = o.outbox.Cursor(writerMark); err != nil {
		w.log.Warn("can't read the cursor of the outbox", "error", err)
	}
	if w.writtenBefore > w.progress.contiguous() {
		w.losses.outbox.Add(1)
		w.losses.note("the ledger is missing or older than the outbox; rows are written again",
			"counted_seq", w.progress.contiguous(), "written_seq", w.writtenBefore)
	}
	return w
}

func (w *dbWriter) close() error { return w.letters.Close() }

func backlogLimit(rows int) rate.Limit {
	if rows == 0 {
		return rate.Inf
	}
	return rate.Limit(rows)
}

// backlogRate returns the limit of the backlog in rows per second, 0 for no limit.
func (w *dbWriter) backlogRate() float64 {
	if limit := w.rate.Limit(); limit != rate.Inf {
		return float64(limit)
	}
	return 0
}

// pending returns the number of outbox records that are not in the database.
func (w *dbWriter) pending() uint64 { return w.progress.remaining(w.outbox.LastSeq()) }

// runFresh writes records in order until ctx ends or the outbox is closed. It leaves records that have waited for too
// long to runBacklog.
func (w *dbWriter) runFresh(ctx context.Context) error {
	r := w.newBatchReader(w.progress.head())
	defer func() { _ = r.reader.Close() }() // errors don't matter after reading
	backoff := minBackoff
	for ctx.Err() == nil {
		stale, err := r.fillFresh(ctx)
		if r.batch.last > 0 {
			deferred, err := w.deliverFresh(ctx, r.batch)
			if err != nil {
				return err
			}
			if deferred != nil {
				if backoff, err = r.leaveToBacklog(ctx, deferred, backoff); err != nil {
					return err
				}
				continue
			}
			backoff = minBackoff
		}
		if stale {
			r.skipBacklog()
		}
		if err := w.checkRead(ctx, err); err != nil {
			return ignoreEOF(err)
		}
	}
	return ctx.Err()
}

// leaveToBacklog leaves a batch to runBacklog. If the database refuses everything, it then waits: whatever comes in
// shows whether it still does. It returns the next backoff.
func (r *batchReader) leaveToBacklog(
	ctx context.Context, reason error, backoff time.Duration,
) (time.Duration, error) {
	var held *heldError
	if !errors.As(reason, &held) {
		r.skipBacklog()
		return backoff, nil
	}
	r.fault(ctx, r.backlog, held) // before runBacklog can report progress
	r.skipBacklog()
	return min(2*backoff, maxBackoff), wait.Sleep(ctx, backoff)
}

// runBacklog fills the gaps that runFresh left, the oldest first, until ctx ends or the outbox is closed.
func (w *dbWriter) runBacklog(ctx context.Context) error {
	for {
		g, ok := w.progress.oldestGap()
		if !ok {
			select {
			case <-w.gapAdded:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := w.fillGap(ctx, g); err != nil {
			return ignoreEOF(err)
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// fillGap writes the records of a gap.
func (w *dbWriter) fillGap(ctx context.Context, g gap) error {
	r := w.newBatchReader(g.From)
	defer func() { _ = r.reader.Close() }()
	for at := g.From; at <= g.To; {
		err := r.fillUpTo(g.To)
		if r.batch.last > 0 {
			if err := w.rate.WaitN(ctx, min(len(r.batch.rows), w.rate.Burst())); err != nil {
				return err
			}
			if err := w.deliver(ctx, w.backlog, r.batch, w.progress.fillOldest); err != nil {
				return err
			}
			at = r.batch.last + 1
		}
		if err := w.checkRead(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// checkRead handles the error of reading the outbox. It returns io.EOF if the outbox is closed and the error of ctx if
// that has ended; it logs other errors and returns nil after a pause.
func (w *dbWriter) checkRead(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return io.EOF
	case ctx.Err() != nil:
		return ctx.Err()
	}
	w.log.Error("can't read the outbox", "error", err)
	return wait.Sleep(ctx, maxBackoff)
}

// deliver writes a batch, however long it takes, and records the result in the ledger. advance updates the progress.
// Its only error is that of ctx.
func (w *dbWriter) deliver(ctx context.Context, l *lane, b *batch, advance func(seq uint64)) error {
	since, _ := w.refusals.acceptances()
	backoff := minBackoff
	for number := 0; ; number++ {
		err := w.try(ctx, &pass{w: w, lane: l, batch: b, number: number, since: since}, advance)
		var held *heldError
		if !errors.As(err, &held) {
			return err
		}
		w.fault(ctx, l, held)
		w.trySample(ctx)
		if err := wait.Sleep(ctx, backoff); err != nil {
			return err
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// trySample writes a row again that the database accepted lately. If it still does, it does not refuse everything, and
// the rows that it has refused since are bad: no other row need come in to show that.
func (w *dbWriter) trySample(ctx context.Context) {
	row := w.refusals.sampleRow(time.Now())
	if row != nil && w.store.Write(ctx, row) == nil {
		w.refusals.acceptSample()
	}
}

// deliverFresh writes a batch like deliver, unless that is not possible at once: it then returns deferred, and
// runBacklog must write the batch.
func (w *dbWriter) deliverFresh(ctx context.Context, b *batch) (deferred error, err error) {
	if !w.progress.hasRoomForGap() {
		return nil, w.deliver(ctx, w.fresh, b, w.progress.advance)
	}
	since, _ := w.refusals.acceptances()
	err = w.try(ctx, &pass{w: w, lane: w.fresh, batch: b, since: since, limit: freshRequests}, w.progress.advance)
	var held *heldError
	if errors.Is(err, errManyRequests) || errors.As(err, &held) {
		return err, nil
	}
	return nil, err
}

// try makes one pass over a batch and records the result.
func (w *dbWriter) try(ctx context.Context, p *pass, advance func(seq uint64)) error {
	if err := p.run(ctx); err != nil {
		return err
	}
	if err := w.putLetters(ctx, p.batch); err != nil {
		return err
	}
	stored := 0
	w.ledger.Update(func(tx *ledger.Tx) {
		for i := range p.batch.rows {
			if p.batch.rows[i].addTo(tx); !p.batch.rows[i].rejected {
				stored++
			}
		}
		advance(p.batch.last)
		tx.SetMark(writerMark, w.progress.mark())
		if p.batch.lossy {
			tx.SetMark(reconcileMark, []byte(w.losses.reconcileValue()))
		}
	})
	w.metrics.stored.Add(float64(stored))
	w.metrics.rejected.WithLabelValues(string(nhip.CodeRefused)).Add(float64(len(p.batch.rows) - stored))
	w.progressed(p.lane)
	return nil
}

// putLetters stores the dead letters of rejected rows, all of them: they were accepted and acknowledged. It returns a
// heldError if there is no room for them.
func (w *dbWriter) putLetters(ctx context.Context, b *batch) error {
	letters := b.letters()
	if len(letters) == 0 {
		return nil
	}
	select {
	case <-w.lettersToken:
		defer func() { w.lettersToken <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	kept := w.refusedRows.Bytes()
	if need := deadletter.SizeOf(letters); kept+need > w.maxDeadBytes {
		return &heldError{fmt.Sprintf("rows that InfluxDB refused fill collector.dead_bytes (%d of %d bytes); "+
			"cure the database and replay them: %s", kept, w.maxDeadBytes, letters[0].Rule)}
	}
	fresh, err := w.letters.PutAll(ctx, letters, w.log)
	w.announce(fresh)
	return err
}

// announce publishes a sample of the letters, and logs at most one line a minute about them.
func (w *dbWriter) announce(letters []nhip.DeadLetter) {
	now := time.Now()
	var sample []nhip.DeadLetter
	for i := range letters {
		if _, drop := w.sampler.Sample(letters[i].Device, letters[i].Size, now); !drop {
			sample = append(sample, letters[i])
		}
	}
	w.publisher.Announce(sample)
	w.unlogged += len(letters)
	if w.unlogged > 0 && now.Sub(w.logged) >= refusedLogEvery {
		w.log.Error("rows refused by the database stored as dead letters", "rows", w.unlogged, "first", letters[0].Rule)
		w.unlogged, w.logged = 0, now
	}
}

// finish waits until nothing is pending, the database fails or finishTimeout is over.
func (w *dbWriter) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	for w.pending() > 0 {
		if w.failing() || wait.Sleep(ctx, finishPoll) != nil {
			w.log.Warn("stopping with unwritten rows, which stay in the outbox", "records", w.pending())
			return
		}
	}
}
