package collector

import (
	"context"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/ledger"
	"nhip/internal/influx"
	"nhip/internal/journal"
)

// batch is the rows of one or more outbox records, for one write to the database.
type batch struct {
	lines []byte
	rows  []batchRow
	last  uint64 // last outbox record in it; 0 if there is none
	lossy bool   // records before last are lost
}

// batchRow is one row of a batch.
type batchRow struct {
	device  string
	hour    int64 // Unix hours
	end     int   // offset in lines
	revised bool

	rejected bool   // by the database
	reason   string // if rejected

	record uint64 // of the outbox
	index  int    // in the record
}

func (b *batch) reset() {
	b.lines, b.rows, b.last, b.lossy = b.lines[:0], b.rows[:0], 0, false
}

func (b *batch) full() bool { return len(b.rows) >= batchRows || len(b.lines) >= batchBytes }

// span returns the lines of rows [from, to).
func (b *batch) span(from, to int) []byte {
	start := 0
	if from > 0 {
		start = b.rows[from-1].end
	}
	return b.lines[start:b.rows[to-1].end]
}

// add adds the rows of an outbox record.
func (b *batch) add(seq uint64, rec *outboxRecord) {
	offset := len(b.lines)
	b.lines = append(b.lines, rec.lines...)
	for i, r := range rec.rows {
		b.rows = append(b.rows, batchRow{
			device: rec.devices[r.device], hour: r.hour, end: offset + r.end, revised: r.revised, record: seq, index: i,
		})
	}
	b.last = seq
}

func (b *batch) reject(i int, reason *influx.WriteError) {
	b.rows[i].rejected, b.rows[i].reason = true, reason.Error()
}

// letters returns the dead letters of the rejected rows.
func (b *batch) letters() []deadletter.Letter {
	var out []deadletter.Letter
	now := time.Now().UTC()
	for i := range b.rows {
		r := &b.rows[i]
		if !r.rejected {
			continue
		}
		line := b.span(i, i+1)
		l := deadletter.NewLetter(deadletter.NewID(now, deadletter.Rows, r.record, r.index))
		l.Received, l.Device, l.Rows = now, r.device, 1
		l.Code, l.Rule, l.LineProtocol, l.Size = nhip.CodeRefused, r.reason, string(line[:len(line)-1]), len(line)-1
		out = append(out, l)
	}
	return out
}

// addTo counts a row in the ledger.
func (r *batchRow) addTo(tx *ledger.Tx) {
	c := tx.Counts(r.device, r.hour)
	switch {
	case r.rejected:
		c.Reject(nhip.CodeRefused, 1)
	case r.revised:
		c.Revised++
	default:
		c.Stored++
	}
}

// batchReader reads the outbox in batches.
type batchReader struct {
	*dbWriter
	reader *journal.Reader
	record outboxRecord // the current one
	batch  *batch
	next   uint64 // the next record, if none is missing
}

// newBatchReader returns a reader of the records from a seq on.
func (w *dbWriter) newBatchReader(from uint64) *batchReader {
	return &batchReader{dbWriter: w, reader: w.outbox.Reader(from), batch: new(batch), next: from}
}

// add adds a record to the batch. It skips an unreadable one. The journal verifies checksums, so this hardly ever
// happens.
func (r *batchReader) add(seq uint64, err error) {
	r.skipTo(seq)
	if err != nil {
		r.log.Error("unreadable outbox record skipped", "seq", seq, "error", err)
		r.skipTo(seq + 1)
		return
	}
	r.batch.add(seq, &r.record)
	r.next = seq + 1
}

// skipTo adds the records before seq to the batch as missing ones.
func (r *batchReader) skipTo(seq uint64) {
	if seq <= r.next {
		return
	}
	r.losses.loseOutbox(r.next, seq-1, r.writtenBefore)
	r.batch.last, r.batch.lossy, r.next = seq-1, true, seq
}

// fillFresh waits for a record and adds those that are available. It stops before a record that has waited for too
// long and reports it as stale. With an error, the batch contains the records before it.
func (r *batchReader) fillFresh(ctx context.Context) (stale bool, err error) {
	r.batch.reset()
	seq, raw, ok, err := r.reader.TryNext()
	if !ok && err == nil {
		if r.skipTo(r.reader.Position() + 1); r.batch.lossy {
			return false, nil
		}
		seq, raw, err = r.reader.Next(ctx)
		ok = true
	}
	for ok && err == nil {
		unreadable := r.record.read(raw)
		if unreadable == nil && len(r.batch.rows) > 0 && time.Since(r.record.made) > r.freshFor &&
			r.progress.hasRoomForGap() {
			return true, nil
		}
		r.add(seq, unreadable)
		if r.batch.full() {
			break
		}
		seq, raw, ok, err = r.reader.TryNext()
	}
	return false, err
}

// fillUpTo adds records up to last, the missing ones too.
func (r *batchReader) fillUpTo(last uint64) error {
	r.batch.reset()
	for !r.batch.full() {
		seq, raw, ok, err := r.reader.TryNext()
		if err != nil {
			return err
		}
		if !ok || seq > last {
			r.skipTo(last + 1)
			return nil
		}
		r.add(seq, r.record.read(raw))
		if seq == last {
			return nil
		}
	}
	return nil
}

// skipBacklog leaves the records that are waiting to runBacklog and continues after them.
func (r *batchReader) skipBacklog() {
	last := r.outbox.LastSeq()
	if r.progress.skipTo(last) {
		r.log.Info("writing new rows before the outbox backlog", "pending_records", r.pending())
		select {
		case r.gapAdded <- struct{}{}:
		default:
		}
	}
	_ = r.reader.Close() // errors don't matter after reading
	r.next = r.progress.head()
	r.reader = r.outbox.Reader(r.next)
}
