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
	"nhip/collector/ledger"
	"nhip/internal/journal"
	"nhip/internal/pause"
)

// The clerk's rhythm. A parcel waits a moment for company, so that the disk is asked to sync ten times
// a second and not for every record.
const (
	parcelRows      = 4_000
	parcelBytes     = 512 << 10
	parcelLinger    = 100 * time.Millisecond
	checkpointEvery = 30 * time.Second
	checkpointFacts = 300_000 // that are in memory only; 5 s of the fastest backlog
	diskRetry       = time.Second
	pressedEvery    = time.Second // between checkpoints that are to make room
	clerkMark       = "clerk"     // in the book: the last record of the intake that it has judged
	parcelMark      = "parcel"    // a parcel that is judged and that the outbox has no room for
)

// clerk reads the intake in the order of arrival, tells what is new from what was said before, keeps
// the ledger, and puts what is new into the outbox. All it remembers is in the book, so that after a
// crash it goes on from the last checkpoint and comes to the same judgements again.
type clerk struct {
	intake  *journal.Journal
	reader  *journal.Reader
	outbox  *journal.Journal
	book    *ledger.Book
	dead    *graveyard // the door's plot
	replays *graveyard
	out     *publisher
	air     *air.Keeper // nil: the air is not kept
	log     *slog.Logger
	metrics *metrics
	clock   nhip.Clock

	// drained tells which record of the outbox is in the database with all before it; release hears
	// after each checkpoint what it covers of both journals.
	drained func() uint64
	release func(covered)

	judged  atomic.Uint64 // last record that is judged and counted
	done    atomic.Uint64 // last record whose rows are in the outbox, too, and whose letters are kept
	shipped uint64        // last record whose rows a former life has put into the outbox
	saved   time.Time     // when the last checkpoint was
	covered covered       // what it covers

	last     uint64 // record in the parcel
	parcel   *parcel
	record   []byte
	letters  []letter
	readings []nhip.Reading // that nobody said before
	sayings  []nhip.Saying
	notes    []replayNote
	entries  []entry
	outcome  outcome
	series   map[seriesKey]string
}

// covered is what of the journals a checkpoint covers: up to here they are not needed any more.
type covered struct{ judged, drained uint64 }

func (c *Collector) newClerk() (*clerk, error) {
	k := &clerk{
		intake: c.intake, outbox: c.outbox, book: c.book, out: c.out, air: c.air, log: c.log, metrics: c.metrics, clock: c.clock,
		drained: c.drain.progress.whole, release: c.release,
		parcel: newParcel(), series: make(map[seriesKey]string), saved: time.Now(),
	}
	judged, err := readMark(c.book, clerkMark)
	if err != nil {
		return nil, err
	}
	k.judged.Store(judged)
	k.done.Store(judged)
	k.reader = c.intake.Reader(judged + 1)
	if k.shipped, err = lastShipped(c.outbox); err != nil {
		return nil, err
	}
	if k.dead, err = openGraveyard(c.deadDir, c.id, doorPlot, judged); err != nil {
		return nil, err
	}
	k.replays, err = openGraveyard(c.deadDir, c.id, replayPlot, judged)
	return k, err
}

// readMark returns a mark of the book that is a number.
func readMark(b *ledger.Book, name string) (uint64, error) {
	raw := b.Mark(name)
	if raw == nil {
		return 0, nil
	}
	return strconv.ParseUint(string(raw), 10, 64)
}

// run judges until ctx ends or the intake is closed, and leaves a checkpoint.
func (k *clerk) run(ctx context.Context) {
	if !k.shipLeftOver(ctx) {
		return
	}
	for ctx.Err() == nil {
		err := k.gather(ctx)
		if k.last > k.done.Load() && !k.settle(ctx) {
			return // what is judged and not shipped must not be in a checkpoint
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && ctx.Err() == nil {
			k.log.Error("can't read the journal", "error", err)
			pause.For(ctx, maxBackoff)
		}
		if k.due() {
			k.checkpoint()
		}
	}
	k.checkpoint()
}

// due reports whether a checkpoint is.
func (k *clerk) due() bool {
	since := time.Since(k.saved)
	return since >= checkpointEvery || k.book.Unsaved() >= checkpointFacts || since >= pressedEvery && k.pressed()
}

// pressed reports whether a checkpoint would make room in a journal that is filling, or on a disk that is
// full.
func (k *clerk) pressed() bool {
	intake, outbox := k.intake.Stats(), k.outbox.Stats()
	full := intake.Full || outbox.Full // the disk is both's
	return (full || half(intake)) && k.judged.Load() > k.covered.judged || (full || half(outbox)) && k.drained() > k.covered.drained
}

// half reports whether half of a journal's room is used.
func half(s journal.Stats) bool { return s.MaxBytes > 0 && s.Bytes > s.MaxBytes/2 }

// gather judges what there is, up to a parcel full. It waits for the first record, but not for long:
// when the intake is full none comes, and only a checkpoint makes room. With an error, the parcel holds
// what came before it.
func (k *clerk) gather(ctx context.Context) error {
	k.parcel.reset()
	k.letters, k.notes, k.entries = k.letters[:0], k.notes[:0], k.entries[:0]
	k.readings, k.sayings = k.readings[:0], k.sayings[:0]
	k.last = k.done.Load()
	waiting, cancel := context.WithTimeout(ctx, pressedEvery)
	defer cancel()
	seq, record, err := k.reader.Next(waiting)
	if err != nil {
		if waiting.Err() != nil {
			return nil
		}
		return err
	}
	k.judge(seq, record)
	lingered := false
	for len(k.parcel.rows) < parcelRows && len(k.parcel.lines) < parcelBytes && len(k.entries) < parcelRows {
		seq, record, ok, err := k.reader.TryNext()
		switch {
		case err != nil:
			return err
		case ok:
			k.judge(seq, record)
		case lingered:
			return nil
		default:
			pause.For(ctx, parcelLinger)
			lingered = true
		}
	}
	return nil
}

// settle counts what was judged and ships it; false when ctx ended first. It counts before it ships, or
// the database's clerk could count a row as stored that was never received.
func (k *clerk) settle(ctx context.Context) bool {
	if !k.tellAir(ctx) {
		return false
	}
	k.book.Update(func(tx *ledger.Tx) {
		for i := range k.entries {
			k.entries[i].addTo(tx)
		}
		tx.SetMark(clerkMark, strconv.AppendUint(nil, k.last, 10))
	})
	k.judged.Store(k.last)
	if !k.ship(ctx) || !k.bury(ctx) {
		return false
	}
	k.done.Store(k.last)
	k.out.echo(k.sayings)
	return true
}

// tellAir hands on what is new, before any checkpoint covers it: the air keeps for itself what it has heard.
func (k *clerk) tellAir(ctx context.Context) bool {
	if k.air == nil {
		return true
	}
	record := k.outbox.LastSeq()
	if len(k.parcel.rows) > 0 {
		record++ // the one that they are about to be in
	}
	k.air.Hear(k.readings, record)
	for i := range k.sayings {
		if ack := k.sayings[i].Ack; ack != nil {
			k.air.Ack(*ack)
			continue
		}
		for {
			err := k.air.Review(*k.sayings[i].Review)
			if err == nil {
				break
			}
			k.log.Error("can't take a review in, the intake waits", "error", err)
			if !pause.For(ctx, diskRetry) {
				return false
			}
		}
	}
	return true
}

// bury keeps the dead letters and what came of replays.
func (k *clerk) bury(ctx context.Context) bool {
	fresh, ok := k.dead.buryAll(ctx, k.letters, k.log)
	k.out.announce(fresh)
	if err := k.replays.keep(k.notes); err != nil {
		k.log.Error("can't keep what came of a replay; the ledger has it all the same", "error", err)
	}
	return ok
}

// checkpoint saves the book and gives back what it covers of the journals.
func (k *clerk) checkpoint() {
	k.saved = time.Now()
	mark, err := readMark(k.book, clerkMark)
	c := covered{mark, k.drained()} // before, because the checkpoint may cover more than this, and not less
	if err == nil && k.air != nil {
		err = k.air.Save()
	}
	if err == nil {
		err = k.book.Checkpoint()
	}
	if err != nil {
		k.log.Error("can't save the ledger; the journal keeps what it lacks", "error", err)
		return
	}
	k.covered = c
	k.release(c)
	if err := k.book.Maintain(k.clock.Now()); err != nil {
		k.log.Error("can't tidy up the ledger", "error", err)
	}
}

// caughtUp waits until one of the clerk's places has come to what was on disk when it was called.
func (k *clerk) caughtUp(ctx context.Context, place *atomic.Uint64) error {
	for want := k.intake.LastSeq(); place.Load() < want; {
		if !pause.For(ctx, parcelLinger/4) {
			return ctx.Err()
		}
	}
	return nil
}

func (k *clerk) close() error {
	return errors.Join(k.reader.Close(), k.dead.close(), k.replays.close())
}

// behind returns how many records of the intake are not judged yet.
func (k *clerk) behind() uint64 {
	last := k.intake.LastSeq()
	return last - min(k.done.Load(), last)
}
