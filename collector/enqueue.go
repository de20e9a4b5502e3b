package collector

import (
	"context"
	"time"

	"nhip/collector/ledger"
	"nhip/internal/wait"
)

// enqueue writes the batch to the outbox. It waits as long as the outbox is full.
func (d *deduplicator) enqueue(ctx context.Context) error {
	b := &d.batch
	if len(b.record.rows) == 0 {
		return nil
	}
	b.through = b.last
	b.record.through, b.record.made = b.last, time.Now()
	b.encoded = b.record.append(b.encoded[:0])
	err := d.appendToOutbox(b.encoded)
	if err == nil {
		return nil
	}
	d.log.Error("can't write to the outbox; the intake waits", "rows", len(b.record.rows), "error", err)
	return d.enqueueWithRoom(ctx)
}

// enqueueWithRoom frees space by checkpoints, which release what the database has stored, until the batch fits into
// the outbox. Such a checkpoint covers the batch, which is classified already, so it must contain its record.
func (d *deduplicator) enqueueWithRoom(ctx context.Context) error {
	saved := false
	for {
		if !saved {
			saved = d.saveUnqueued()
		}
		if saved { // otherwise a checkpoint would cover rows that are nowhere on disk
			d.checkpoint()
		}
		if d.appendToOutbox(d.batch.encoded) == nil {
			d.forgetUnqueued()
			d.log.Info("the outbox is writable again")
			return nil
		}
		if err := wait.Sleep(ctx, diskRetry); err != nil {
			return err
		}
	}
}

// saveUnqueued keeps the batch's record for a checkpoint.
func (d *deduplicator) saveUnqueued() bool {
	note, err := d.unqueued.save(d.batch.through, d.batch.encoded)
	if err != nil {
		d.log.Error("can't save what the outbox has no room for; the intake waits", "error", err)
		return false
	}
	d.ledger.Update(func(tx *ledger.Tx) {
		tx.SetMark(unqueuedMark, note)
		tx.SetMark(inlineMark, nil)
	})
	return true
}

// forgetUnqueued removes the record, which is in the outbox now. A crash before the next checkpoint does no harm: the
// outbox then has all rows through the record's last one.
func (d *deduplicator) forgetUnqueued() {
	d.ledger.Update(func(tx *ledger.Tx) {
		tx.SetMark(unqueuedMark, nil)
		tx.SetMark(inlineMark, nil)
	})
	if err := d.unqueued.remove(); err != nil {
		d.log.Warn("can't remove an outbox record that is enqueued", "error", err)
	}
}

// appendToOutbox waits until the record is on disk.
func (d *deduplicator) appendToOutbox(encoded []byte) error {
	done := make(chan error, 1)
	d.outbox.Append(encoded, func(_ uint64, err error) { done <- err })
	return <-done
}

// enqueueLeftOver enqueues the record that was classified before the last stop or crash and found no room in the
// outbox.
func (d *deduplicator) enqueueLeftOver(ctx context.Context) error {
	b := &d.batch
	if len(d.leftOver) == 0 {
		return nil
	}
	defer d.waiting.Store(false)
	if err := b.record.read(d.leftOver); err != nil {
		b.record.reset()
		d.losses.lost.Store(true)
		d.losses.outbox.Add(1)
		d.losses.note("unreadable outbox record beside the ledger; its rows are lost", "error", err)
		return nil
	}
	b.through = b.record.through
	b.record.reset()
	if b.through <= d.enqueued { // enqueued after that checkpoint
		d.forgetUnqueued()
		return nil
	}
	b.encoded = d.leftOver
	d.enqueued, d.leftOver = b.through, nil
	if d.appendToOutbox(b.encoded) == nil {
		d.forgetUnqueued()
		return nil
	}
	return d.enqueueWithRoom(ctx)
}
