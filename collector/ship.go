package collector

import (
	"context"
	"errors"
	"time"

	"nhip/collector/ledger"
	"nhip/internal/journal"
	"nhip/internal/pause"
)

// lastShipped returns how far into the intake the outbox reaches.
func lastShipped(outbox *journal.Journal) (uint64, error) {
	last := outbox.LastSeq()
	if last == 0 || outbox.FirstSeq() > last {
		return 0, nil
	}
	r := outbox.Reader(last)
	_, record, ok, err := r.TryNext()
	if err != nil || !ok {
		return 0, errors.Join(err, r.Close())
	}
	p := newParcel()
	return p.through, errors.Join(p.read(record), r.Close())
}

// ship puts the parcel into the outbox, however long that takes to have room for it.
func (k *clerk) ship(ctx context.Context) bool {
	if len(k.parcel.rows) == 0 {
		return true
	}
	k.parcel.through, k.parcel.made = k.last, time.Now()
	k.record = k.parcel.append(k.record[:0])
	err := k.post(k.record)
	if err == nil {
		return true
	}
	k.log.Error("the outbox takes nothing, the intake waits", "rows", len(k.parcel.rows), "error", err)
	return k.shipWithRoom(ctx)
}

// shipWithRoom makes room by a checkpoint, which lets go of what the database has taken. What is judged
// and not shipped would be lost with it, so the parcel is a part of it for as long.
func (k *clerk) shipWithRoom(ctx context.Context) bool {
	k.setParcel(k.record)
	defer k.setParcel(nil)
	for {
		k.checkpoint()
		if k.post(k.record) == nil {
			k.log.Info("the outbox takes parcels again")
			return true
		}
		if !pause.For(ctx, diskRetry) {
			return false
		}
	}
}

func (k *clerk) setParcel(record []byte) {
	k.book.Update(func(tx *ledger.Tx) { tx.SetMark(parcelMark, record) })
}

// post appends to the outbox and waits for the disk.
func (k *clerk) post(record []byte) error {
	outcome := make(chan error, 1)
	k.outbox.Append(record, func(_ uint64, err error) { outcome <- err })
	return <-outcome
}

// shipLeftOver ships the parcel that a former life had judged and had no room for.
func (k *clerk) shipLeftOver(ctx context.Context) bool {
	record := k.book.Mark(parcelMark)
	if len(record) == 0 {
		return true
	}
	if err := k.parcel.read(record); err != nil {
		k.log.Error("the ledger holds a parcel that can't be read, its rows are lost", "error", err)
		return true
	}
	through := k.parcel.through
	k.parcel.reset()
	if through <= k.shipped { // it went after that checkpoint
		return true
	}
	k.record = append(k.record[:0], record...)
	k.shipped = through
	return k.post(k.record) == nil || k.shipWithRoom(ctx)
}
