package collector

import (
	"fmt"
	"maps"
	"time"

	"nhip/collector/ledger"
)

// reconcileRetry is the time between two attempts to read the ledger or the outbox on a failing disk.
const reconcileRetry = 30 * time.Second

// reconcileDue reports whether queued rows must be compared with the outbox. Before the records that were enqueued
// before the start are classified again, the ledger does not count them.
func (d *deduplicator) reconcileDue() bool {
	return d.losses.outbox.Load() != d.reconciled.Load() && d.classified.Load() >= d.enqueued &&
		time.Now().After(d.reconcileAfter)
}

// reconcile compares the rows that the ledger counts as pending with those that wait in the outbox. The difference was
// lost with records of the outbox. The result is the same if it is repeated. It must run between two batches, because
// then all classified rows are in the outbox.
func (d *deduplicator) reconcile() {
	found := d.losses.outbox.Load()
	missing, err := d.missingRows()
	if err != nil {
		d.reconcileAfter = time.Now().Add(reconcileRetry)
		d.log.Error("can't compare the ledger with the outbox; trying again later", "error", err)
		return
	}
	lost := d.losses.lost.Load()
	var rows, surplus int64
	d.ledger.Update(func(tx *ledger.Tx) {
		for cell, n := range missing {
			c := tx.Counts(cell.Device, cell.Hour)
			switch {
			case n < 0: // enqueued, but the ledger is older
				c.Received -= n
				c.Queued -= n
				surplus -= n
			case lost:
				c.Lost += n
				rows += n
			default:
				c.Stored += n
				rows += n
			}
		}
		if d.losses.outbox.Load() == found {
			tx.SetMark(reconcileMark, nil)
		}
	})
	d.reconciled.Store(found)
	if lost && rows > 0 {
		d.metrics.lost.WithLabelValues("outbox").Add(float64(rows))
		d.losses.note("acknowledged rows are lost with records of the outbox", "rows", rows)
	}
	d.log.Warn("ledger compared with the outbox", "missing_rows", rows, "lost", lost, "rows_not_counted_before", surplus)
}

// missingRows returns the number of rows that are pending in the ledger but not in the outbox; a negative number if the
// outbox has more.
func (d *deduplicator) missingRows() (map[ledger.Cell]int64, error) {
	out, err := d.ledger.Outstanding()
	if err != nil {
		return nil, err
	}
	p, err := parseProgress(out.Marks[writerMark])
	if err != nil {
		return nil, err
	}
	missing := maps.Clone(out.Pending)
	count := func(_ uint64, rec *outboxRecord) {
		for _, row := range rec.rows {
			missing[ledger.Cell{Device: rec.devices[row.device], Hour: row.hour}]--
		}
	}
	for _, g := range append(p.Gaps, gap{p.Next, d.outbox.LastSeq()}) {
		if g.From > g.To {
			continue
		}
		if err := eachOutboxRecord(d.outbox, g.From, g.To, count); err != nil {
			return nil, fmt.Errorf("can't read the outbox: %w", err)
		}
	}
	maps.DeleteFunc(missing, func(_ ledger.Cell, n int64) bool { return n == 0 })
	return missing, nil
}
