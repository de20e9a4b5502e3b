package ledger

import "time"

// MaxRevisions is how many other contents of a fact are remembered beside its first. A device that
// says more of one moment is broken.
const MaxRevisions = 99

// printMask is what of a fingerprint counts. Among the hundred contents that one moment may have,
// two share 48 bits by chance once in 10¹¹.
const printMask = 1<<48 - 1

// Fact is what a device said of one moment, as far as it takes to know it again.
type Fact struct {
	Device string // "bus/hanoi/29B1", "air/embassy"
	Series string // what of the device: "vp", "pm25/1h"
	Time   int64  // ms since 1970, of the device
	Print  uint64 // the fingerprint of its content, of which the low 48 bits count

	// Within is positive for a device without a clock, whose Time is that of the arrival: the same
	// Print less than this away from Time, before or after, is the same fact. Another Print at the
	// same Time is a fact of its own.
	Within time.Duration
}

// Verdict is what a fact is to the book.
type Verdict int

// The verdicts.
const (
	New       Verdict = iota
	Duplicate         // remembered already, with the same content
	Revised           // remembered already, with other content
	TooMany           // other content again, after MaxRevisions; not remembered
)

// String returns the verdict in a word or two.
func (v Verdict) String() string {
	switch v {
	case New:
		return "new"
	case Duplicate:
		return "duplicate"
	case Revised:
		return "revised"
	case TooMany:
		return "too many"
	default:
		return "unknown"
	}
}
