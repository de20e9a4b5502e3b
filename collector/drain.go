package collector

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/ledger"
	"nhip/internal/influx"
	"nhip/internal/journal"
	"nhip/internal/pause"

	"golang.org/x/time/rate"
)

// The drain's rhythm. A batch is as large as the database likes: 5,000 to 10,000 rows a request.
const (
	batchRows  = 5_000
	batchBytes = 2 << 20
	minBackoff = 250 * time.Millisecond
	maxBackoff = 5 * time.Second

	// freshFor is how long a parcel may wait before what comes after it overtakes it: the city is asked
	// about the last minutes, not about the hour that the database was away.
	freshFor = 10 * time.Second

	finishTimeout = 5 * time.Second        // that a stop leaves to what is pending
	finishPoll    = 100 * time.Millisecond // how often it looks
)

// drain feeds the database from the outbox, on two lanes: what is fresh goes at once, and what waited
// while the database was away follows at a bounded rate. It is the only place that writes there.
type drain struct {
	outbox   *journal.Journal
	store    Store
	book     *ledger.Book
	progress *progress
	dead     *graveyard // the database's plot
	sampler  *sampler
	out      *publisher
	log      *slog.Logger
	metrics  *metrics
	rate     *rate.Limiter // of the rows that were overtaken
	fresh    time.Duration // freshFor; shorter in tests

	burying chan struct{} // holds a token; who has it may write letters
	gapped  chan struct{} // there is a gap to fill
	failing atomic.Bool   // the last write was not answered, or put off
}

func (c *Collector) newDrain(o Options) (*drain, error) {
	d := &drain{
		outbox: c.outbox, store: o.Store, book: c.book, sampler: c.sampler, out: c.out, log: c.log, metrics: c.metrics,
		rate:  rate.NewLimiter(backlogLimit(o.BacklogRate), 2*batchRows),
		fresh: freshFor, burying: make(chan struct{}, 1), gapped: make(chan struct{}, 1),
	}
	d.burying <- struct{}{}
	var err error
	if d.progress, err = newProgress(c.book); err != nil {
		return nil, err
	}
	d.dead, err = openGraveyard(c.deadDir, c.id, databasePlot, d.progress.whole())
	return d, err
}

// backlogLimit is a rate in rows a second; 0 is none.
func backlogLimit(rows int) rate.Limit {
	if rows == 0 {
		return rate.Inf
	}
	return rate.Limit(rows)
}

// backlogRate is the rate of the backlog in rows a second; 0 is none.
func (d *drain) backlogRate() float64 {
	if limit := d.rate.Limit(); limit != rate.Inf {
		return float64(limit)
	}
	return 0
}

// pending returns how many parcels are not in the database.
func (d *drain) pending() uint64 { return d.progress.left(d.outbox.LastSeq()) }

// runFresh brings home what comes in, in order, until ctx ends. What has waited for too long it leaves to
// the other lane.
func (d *drain) runFresh(ctx context.Context) {
	l := lane{drain: d, reader: d.outbox.Reader(d.progress.head()), batch: newBatch()}
	defer func() { _ = l.reader.Close() }() // it was only read
	for ctx.Err() == nil {
		overtaken, err := l.fillFresh(ctx)
		if l.batch.last > 0 && !d.deliver(ctx, l.batch, d.progress.passed) {
			return
		}
		if overtaken {
			l.overtake()
		}
		if !d.readOn(ctx, err) {
			return
		}
	}
}

// runBacklog fills the gaps, oldest first, until ctx ends.
func (d *drain) runBacklog(ctx context.Context) {
	for {
		g, ok := d.progress.oldest()
		if !ok {
			select {
			case <-d.gapped:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !d.fillGap(ctx, g) {
			return
		}
	}
}

// fillGap brings one gap home.
func (d *drain) fillGap(ctx context.Context, g gap) bool {
	l := lane{drain: d, reader: d.outbox.Reader(g.From), batch: newBatch()}
	defer func() { _ = l.reader.Close() }()
	for at := g.From; at <= g.To; {
		ended, err := l.fillUpTo(g.To)
		if ended {
			l.batch.last = g.To // also where the end of it is lost
		}
		if l.batch.last > 0 {
			if d.rate.WaitN(ctx, min(len(l.batch.rows), d.rate.Burst())) != nil || !d.deliver(ctx, l.batch, d.progress.filled) {
				return false
			}
			at = l.batch.last + 1
		}
		if !d.readOn(ctx, err) {
			return false
		}
	}
	return true
}

// readOn deals with what reading the outbox met; false when there is nothing to read any more.
func (d *drain) readOn(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		return false
	}
	d.log.Error("can't read the outbox", "error", err)
	return pause.For(ctx, maxBackoff)
}

// deliver brings a batch home, however long it takes, and tells the ledger and what it has passed. It
// reports false when ctx ended first.
func (d *drain) deliver(ctx context.Context, b *batch, passed func(seq uint64)) bool {
	if !d.write(ctx, b, 0, len(b.rows)) || !d.bury(ctx, b) {
		return false
	}
	d.book.Update(func(tx *ledger.Tx) {
		for i := range b.rows {
			b.rows[i].settle(tx)
		}
		passed(b.last)
		tx.SetMark(drainMark, d.progress.mark())
	})
	return true
}

func (r *batchRow) settle(tx *ledger.Tx) {
	c := tx.Counts(r.device, r.hour)
	switch {
	case r.refused:
		c.Reject(nhip.Refused, 1)
	case r.revised:
		c.Revised++
	default:
		c.Stored++
	}
}

// write stores rows [from, to) of a batch. Rows that the database refuses are halved until the bad one
// stands alone and becomes a dead letter.
func (d *drain) write(ctx context.Context, b *batch, from, to int) bool {
	if from == to {
		return true
	}
	lines := b.span(from, to)
	backoff := minBackoff
	for {
		began := time.Now()
		err := d.store.Write(ctx, lines)
		var refused *influx.WriteError
		answered := err == nil || errors.As(err, &refused) && refused.Kind != influx.Retry
		d.note(answered, err)
		if err == nil {
			d.metrics.wrote(to-from, time.Since(began))
			return true
		}
		if answered {
			return d.divide(ctx, b, from, to, refused)
		}
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

// note counts writes that are tried again, and logs the first of a row and the end of it.
func (d *drain) note(answered bool, err error) {
	was := d.failing.Swap(!answered)
	switch {
	case !answered:
		d.metrics.writeErrors.Inc()
		if !was {
			d.log.Warn("the database does not take rows; they wait on disk", "pending_parcels", d.pending(), "error", err)
		}
	case was:
		d.log.Info("the database takes rows again", "pending_parcels", d.pending())
	}
}

func (d *drain) divide(ctx context.Context, b *batch, from, to int, refused *influx.WriteError) bool {
	if to-from > 1 {
		middle := (from + to) / 2
		return d.write(ctx, b, from, middle) && d.write(ctx, b, middle, to)
	}
	d.metrics.rejected.WithLabelValues(string(nhip.Refused)).Inc()
	b.refuse(from, refused)
	return true
}

// bury writes the letters of the rows that were refused. The lanes share a plot, and take turns.
func (d *drain) bury(ctx context.Context, b *batch) bool {
	letters := b.letters(d.sampler)
	if len(letters) == 0 {
		return true
	}
	select {
	case <-d.burying:
		defer func() { d.burying <- struct{}{} }()
	case <-ctx.Done():
		return false
	}
	d.log.Error("the database refuses rows; they are among the dead letters", "rows", len(letters), "first", letters[0].Rule)
	fresh, ok := d.dead.buryAll(ctx, letters, d.log)
	d.out.announce(fresh)
	return ok
}

// finish waits until nothing is pending, the database does not take it, or the time for it is over.
func (d *drain) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	for d.pending() > 0 {
		if d.failing.Load() || !pause.For(ctx, finishPoll) {
			d.log.Warn("stopping with rows that are not in the database yet; they stay in the outbox", "parcels", d.pending())
			return
		}
	}
}
