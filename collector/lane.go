package collector

import (
	"context"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/journal"
)

// lane reads the outbox into batches.
type lane struct {
	*drain
	reader *journal.Reader
	parcel parcel
	batch  *batch
}

// batch is rows on their way to the database.
type batch struct {
	lines []byte
	rows  []batchRow
	last  uint64 // parcel in it; 0 when there is none
}

// batchRow is one row of a batch.
type batchRow struct {
	device  string
	hour    int64
	end     int // in lines
	revised bool
	refused bool

	why    string // of a refused one
	parcel uint64
	place  int // in the parcel
}

func newBatch() *batch { return new(batch) }

func (b *batch) reset() { b.lines, b.rows, b.last = b.lines[:0], b.rows[:0], 0 }

func (b *batch) full() bool { return len(b.rows) >= batchRows || len(b.lines) >= batchBytes }

// span returns the text of rows [from, to).
func (b *batch) span(from, to int) []byte {
	start := 0
	if from > 0 {
		start = b.rows[from-1].end
	}
	return b.lines[start:b.rows[to-1].end]
}

// add takes a parcel in.
func (b *batch) add(seq uint64, p *parcel) {
	offset := len(b.lines)
	b.lines = append(b.lines, p.lines...)
	for i, r := range p.rows {
		b.rows = append(b.rows, batchRow{
			device: p.devices[r.device], hour: r.hour, end: offset + r.end, revised: r.revised, parcel: seq, place: i,
		})
	}
	b.last = seq
}

func (b *batch) refuse(i int, why *influx.WriteError) {
	b.rows[i].refused, b.rows[i].why = true, why.Error()
}

// letters returns the dead letters of what was refused, as many as there is room for.
func (b *batch) letters(s *sampler) []letter {
	var out []letter
	now := time.Now().UTC()
	for i := range b.rows {
		r := &b.rows[i]
		if !r.refused {
			continue
		}
		line := b.span(i, i+1)
		skipped, unkept := s.sample(r.device, len(line), now)
		if unkept {
			continue
		}
		l := newLetter(letterID{day: dayOf(now), plot: databasePlot, seq: r.parcel, part: r.place})
		l.Received, l.Device, l.Unkept, l.Rows = now, r.device, skipped, 1
		l.Code, l.Rule, l.Line, l.Size = nhip.Refused, r.why, string(line[:len(line)-1]), len(line)-1
		out = append(out, l)
	}
	return out
}

// take reads the next parcel; false when there is none. One that can't be read is passed over: the
// journal's checksums make it all but impossible, and the ledger will show that rows are missing.
func (l *lane) take(seq uint64, record []byte) bool {
	if err := l.parcel.read(record); err != nil {
		l.log.Error("a parcel of the outbox can't be read, its rows are lost", "seq", seq, "error", err)
		l.batch.last = seq
		return false
	}
	return true
}

// fillFresh waits for a parcel and gathers what else is there. It stops at one that has waited for too
// long, and says so. With an error, the batch holds what came before it.
func (l *lane) fillFresh(ctx context.Context) (overtaken bool, err error) {
	l.batch.reset()
	seq, record, err := l.reader.Next(ctx)
	for ok := true; ok && err == nil; {
		if l.take(seq, record) {
			if len(l.batch.rows) > 0 && time.Since(l.parcel.made) > l.fresh && l.progress.mayOvertake() {
				return true, nil
			}
			l.batch.add(seq, &l.parcel)
		}
		if l.batch.full() {
			break
		}
		seq, record, ok, err = l.reader.TryNext()
	}
	return false, err
}

// fillUpTo gathers parcels up to one, and tells when nothing is left before or at it.
func (l *lane) fillUpTo(last uint64) (ended bool, err error) {
	l.batch.reset()
	for !l.batch.full() {
		seq, record, ok, err := l.reader.TryNext()
		if err != nil {
			return false, err
		}
		if !ok || seq > last {
			return true, nil
		}
		if l.take(seq, record) {
			l.batch.add(seq, &l.parcel)
		}
		if seq == last {
			return true, nil
		}
	}
	return false, nil
}

// overtake leaves what waits to the other lane and goes on with what comes.
func (l *lane) overtake() {
	last := l.outbox.LastSeq()
	if l.progress.overtake(last) {
		l.log.Info("what waits in the outbox is overtaken by what comes in", "parcels", l.pending())
		select {
		case l.gapped <- struct{}{}:
		default:
		}
	}
	_ = l.reader.Close() // it was only read
	l.reader = l.outbox.Reader(l.progress.head())
}
