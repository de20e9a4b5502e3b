package ledger

import "time"

// MaxRevisions is the number of revisions of a fact that are remembered beside the original. A device that sends
// more for one time is faulty.
const MaxRevisions = 99

// printMask selects the bits of a fingerprint that are compared. Among the 100 contents that one time may have, two
// share 48 bits by chance once in 10¹¹.
const printMask = 1<<48 - 1

// Fact is the identity and fingerprint of something that a device sent.
type Fact struct {
	Device string // "bus/hanoi/29B1", "air/embassy"
	Series string // within the device: "vp", "pm25/1h"
	Time   int64  // ms since 1970, device time
	Print  uint64 // fingerprint of the content, of which the low 48 bits are compared

	// Within is positive for a device without a clock; Time is then the time of arrival. A fact with the same Print
	// less than Within before or after Time is the same fact. Another Print at the same Time is a fact of its own.
	Within time.Duration
}

// Outcome is how the ledger classifies a fact.
type Outcome int

// The outcomes of Classify.
const (
	New       Outcome = iota
	Duplicate         // already remembered with the same content
	Revised           // already remembered with other content
	TooMany           // yet another content after MaxRevisions; not remembered
)

// String returns the outcome as text.
func (o Outcome) String() string {
	switch o {
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
