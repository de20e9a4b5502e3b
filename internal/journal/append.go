package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

const (
	// maxPending is how much may wait for the disk before Append waits too: 0.04 s of writing at the
	// 0.4 GB/s of a plain virtual disk, and 100,000 records of 150 bytes.
	maxPending = 16 << 20
	// keepBatch is the largest buffer kept between batches, so that one flood is not paid for ever.
	keepBatch = 4 << 20
)

// batch is what will be one frame. Its buffer has room in front for a segment's header and the
// frame's own, so that any commit is one write.
type batch struct {
	buf   []byte
	dones []func(seq uint64, err error)
}

// recordSize returns what a record of n bytes takes in a frame.
func recordSize(n int) int64 {
	const bitsPerByte = 7 // of a uvarint
	return int64(bits.Len64(uint64(n)|1)+bitsPerByte-1)/bitsPerByte + int64(n)
}

func newBatch() *batch { return &batch{buf: make([]byte, headerSize+frameHeader)} }

func (b *batch) add(record []byte, done func(uint64, error)) {
	b.buf = binary.AppendUvarint(b.buf, uint64(len(record)))
	b.buf = append(b.buf, record...)
	b.dones = append(b.dones, done)
}

// takes reports whether n more bytes leave b a frame that a segment of the given size holds. A batch
// without records takes any.
func (b *batch) takes(n, segmentBytes int64) bool {
	return len(b.dones) == 0 || len(b.buf) < maxPending && int64(len(b.buf))+n <= segmentBytes
}

// seal numbers the records from first on and returns the bytes to write.
func (b *batch) seal(first uint64, withHeader bool) []byte {
	putFrame(b.buf[headerSize:], first, uint32(len(b.dones)))
	if !withHeader {
		return b.buf[headerSize:]
	}
	putHeader(b.buf)
	return b.buf
}

// answer tells every record's appender how it went.
func (b *batch) answer(first uint64, err error) {
	for i, done := range b.dones {
		switch {
		case done == nil:
		case err != nil:
			done(0, err)
		default:
			done(first+uint64(i), nil)
		}
	}
}

func (b *batch) reset() {
	if cap(b.buf) > keepBatch {
		*b = *newBatch()
		return
	}
	b.buf = b.buf[:headerSize+frameHeader]
	clear(b.dones) // they hold on to their callers
	b.dones = b.dones[:0]
}

// Append hands a copy of record to the next commit and returns; the caller may reuse its buffer. It
// never waits for the disk unless 16 MiB or a segment's worth are pending, and then until they were
// taken.
//
// done, which may be nil, is called exactly once: with the record's seq when it is on disk, else
// with 0 and an error. It is called from the committer's goroutine in the order of seqs, and holds
// up every other record: it must be quick and must not call Append or Close. Only a record that is
// refused at once (ErrTooBig, ErrFull, ErrClosed) is answered from the caller's goroutine, before Append
// returns.
func (j *Journal) Append(record []byte, done func(seq uint64, err error)) {
	err := j.enqueue(record, done)
	if errors.Is(err, ErrFull) {
		j.sayFull()
	}
	if err != nil && done != nil {
		done(0, err)
	}
}

func (j *Journal) enqueue(record []byte, done func(uint64, error)) error {
	if len(record) > j.opts.MaxRecord {
		return fmt.Errorf("%w: %d bytes, the most is %d", ErrTooBig, len(record), j.opts.MaxRecord)
	}
	n := recordSize(len(record))
	j.mu.Lock()
	defer j.mu.Unlock()
	for !j.closing && j.admits(n) && !j.pending.takes(n, j.opts.SegmentBytes) {
		j.room.Wait()
	}
	if j.closing {
		return ErrClosed
	}
	if !j.admits(n) {
		return j.refuse(n)
	}
	j.space.refused = 0
	j.pending.add(record, done)
	if len(j.pending.dones) == 1 {
		j.work.Signal()
	}
	return nil
}

// take waits for records and exchanges the batch that holds them for an empty one; false when the
// journal closes and nothing is left.
func (j *Journal) take(empty *batch) (*batch, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.pending.dones) == 0 {
		if j.closing {
			j.closed = true
			j.wake()
			return nil, false
		}
		j.work.Wait()
	}
	full := j.pending
	j.pending = empty
	j.space.flight = int64(len(full.buf))
	j.room.Broadcast()
	return full, true
}
