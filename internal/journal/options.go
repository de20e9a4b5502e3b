package journal

import (
	"fmt"
	"log/slog"
)

// Defaults and limits of Options.
const (
	defaultSegmentBytes = 64 << 20 // unit in which space is freed; Open scans one segment, which takes 0.03 s
	defaultMaxRecord    = 1 << 20
	maxMaxRecord        = 1 << 30 // a batch and a record must fit into a frame, whose length has 32 bits
	minSegments         = 2       // minimum of segments within MaxBytes: the newest one and one for new records
	boundSegments       = 8       // default number of segments within MaxBytes
)

// Options are a journal's settings. A zero value means the default.
type Options struct {
	SegmentBytes int64        // size at which a new segment begins; default 64 MiB, or less with MaxBytes
	MaxRecord    int          // maximum length of a record in bytes, at most 1 GiB; default 1 MiB
	MaxBytes     int64        // maximum size of all segments, see Space in the package documentation; default: no bound
	MinFree      int64        // free bytes of the disk to leave unused, see Space; default 0
	Logger       *slog.Logger // for damage and failures; default: no log

	// KnownSeq is the highest seq that others have noted of this journal. New records get higher seqs, even if the
	// journal is missing or older than the notes. See Recovery in the package documentation.
	KnownSeq uint64
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentBytes < 0 {
		return o, fmt.Errorf("journal: SegmentBytes: must not be negative, got %d", o.SegmentBytes)
	}
	if o.MinFree < 0 {
		return o, fmt.Errorf("journal: MinFree: must not be negative, got %d", o.MinFree)
	}
	if o.MaxRecord < 0 || o.MaxRecord > maxMaxRecord {
		return o, fmt.Errorf("journal: MaxRecord: must be between 0 and %d, got %d", maxMaxRecord, o.MaxRecord)
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = defaultMaxRecord
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes != 0 {
		return o.withBound()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	return o, nil
}

// withBound checks the rules that keep a bounded journal from being full permanently. The newest segment is never
// deleted, so there must be space for any record beside it.
func (o Options) withBound() (Options, error) {
	longest := headerSize + frameHeader + recordSize(o.MaxRecord)
	if o.SegmentBytes == 0 {
		o.SegmentBytes = max(min(defaultSegmentBytes, o.MaxBytes/boundSegments), longest)
	}
	if o.SegmentBytes < longest {
		return o, fmt.Errorf("journal: SegmentBytes: must be at least %d to hold a record of MaxRecord, got %d",
			longest, o.SegmentBytes)
	}
	if o.MaxBytes/minSegments < o.SegmentBytes {
		return o, fmt.Errorf("journal: MaxBytes: must be at least %d times SegmentBytes, %d, got %d",
			minSegments, o.SegmentBytes, o.MaxBytes)
	}
	return o, nil
}
