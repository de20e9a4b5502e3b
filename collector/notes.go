package collector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"strconv"

	"nhip/collector/ledger"
	"nhip/internal/durable"
	"nhip/internal/journal"
)

// The files of a collector refer to each other's records by their seqs: the ledger to those of the intake and the
// outbox, the outbox to those of the intake, and the snapshot and the dead letters to those of the intake. If one of
// them is missing or restored from another moment, a seq must not be assigned again that any of them refers to:
// otherwise a new record would be taken for one that is processed.

// outboxMark is the name of the ledger mark with the last record of the outbox.
const outboxMark = "outbox"

// Names of marks in the ledger. They are on disk and must not change.
const (
	dedupMark     = "clerk"     // the last intake record that is classified
	inlineMark    = "parcel"    // until format 1 of unqueuedMark: the outbox record itself
	unqueuedMark  = "unqueued"  // an outbox record that is classified but found no room in the outbox
	documentsMark = "documents" // the file of documents that counts; see document.Store.Save
	reconcileMark = "reconcile" // set while the counts of queued rows are to be compared with the outbox
)

// readMark returns a numeric mark of the ledger, 0 if it is not set.
func readMark(l *ledger.Ledger, name string) (uint64, error) {
	raw := l.Mark(name)
	if raw == nil {
		return 0, nil
	}
	seq, err := strconv.ParseUint(string(raw), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid ledger mark %q: %q", name, raw)
	}
	return seq, nil
}

// lastEnqueued returns the last intake record whose rows are in the outbox.
func lastEnqueued(outbox *journal.Journal) (uint64, error) {
	r := outbox.Reader(outbox.LastSeq())
	_, raw, ok, err := r.TryNext()
	if err = errors.Join(err, r.Close()); err != nil {
		return 0, err
	}
	rec := newOutboxRecord()
	if ok {
		if err = rec.read(raw); err == nil {
			return rec.through, nil
		}
		if errors.Is(err, errNewerOutbox) {
			return 0, err
		}
	}
	var through uint64 // the last record is lost
	err = eachOutboxRecord(outbox, 1, outbox.LastSeq(), func(_ uint64, rec *outboxRecord) {
		through = max(through, rec.through)
	})
	return through, err
}

// eachOutboxRecord calls f for the readable records of a range. The record is valid until f returns.
func eachOutboxRecord(outbox *journal.Journal, from, to uint64, f func(seq uint64, rec *outboxRecord)) error {
	r := outbox.Reader(from)
	rec := newOutboxRecord()
	for {
		seq, raw, ok, err := r.TryNext()
		if err != nil || !ok || seq > to {
			return errors.Join(err, r.Close())
		}
		if rec.read(raw) == nil {
			f(seq, rec)
		}
	}
}

// unqueued keeps an outbox record in a file, and its checksum in a mark of the ledger. In the ledger itself, the record
// would be copied to each of its segments.
type unqueued struct{ path string }

// unqueuedNote is the JSON of unqueuedMark.
type unqueuedNote struct {
	Through  uint64 `json:"through"` // as in the record
	Checksum uint32 `json:"crc32c"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// save makes an encoded record durable and returns the value of unqueuedMark.
func (u unqueued) save(through uint64, encoded []byte) ([]byte, error) {
	if err := durable.WriteFile(u.path, encoded); err != nil {
		return nil, err
	}
	return json.Marshal(unqueuedNote{through, crc32.Checksum(encoded, castagnoli)})
}

// load returns the record that the ledger refers to, or nil if there is none. The last intake record is known even if
// the record is lost.
func (u unqueued) load(l *ledger.Ledger) (encoded []byte, through uint64, err error) {
	if inline := l.Mark(inlineMark); len(inline) > 0 {
		rec := newOutboxRecord()
		err := rec.read(bytes.Clone(inline))
		return inline, rec.through, err
	}
	raw := l.Mark(unqueuedMark)
	if len(raw) == 0 {
		return nil, 0, nil
	}
	var note unqueuedNote
	if err := json.Unmarshal(raw, &note); err != nil {
		return nil, 0, fmt.Errorf("invalid ledger mark %q: %w", unqueuedMark, err)
	}
	encoded, err = os.ReadFile(u.path)
	if err != nil {
		return nil, note.Through, err
	}
	if crc32.Checksum(encoded, castagnoli) != note.Checksum {
		return nil, note.Through, fmt.Errorf("%s is damaged or of another moment than the ledger", u.path)
	}
	return encoded, note.Through, nil
}

func (u unqueued) remove() error {
	if err := os.Remove(u.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
