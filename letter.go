package nhip

import "time"

// DeadLetter is what a collector turned away, and why. It is kept until it is older than the late
// window.
type DeadLetter struct {
	ID        string    `json:"id"` // within its collector: "20260216-1234.0"
	Collector string    `json:"collector"`
	Received  time.Time `json:"received"`
	Topic     string    `json:"topic,omitempty"`
	Device    string    `json:"device"` // as in the ledger
	Code      Code      `json:"code"`
	Field     string    `json:"field,omitempty"`
	Rule      string    `json:"rule"`
	Rows      int       `json:"rows"`
	Decoder   string    `json:"decoder,omitempty"`     // "format/version"
	Size      int       `json:"size"`                  // of the payload, in bytes
	Payload   string    `json:"payload,omitempty"`     // from its beginning; may be cut
	PayloadB  []byte    `json:"payload_b64,omitempty"` // where the payload is not UTF-8
	Line      string    `json:"line,omitempty"`        // the row of line protocol that the database refused, instead of a payload

	// Unkept is how many letters of the same device and code before this one were counted and not
	// kept, because the device said too much that is wrong.
	Unkept int `json:"unkept,omitempty"`

	Replay *Replay `json:"replay,omitempty"` // the last one
}

// Replay is what came of running a dead letter through today's decoder.
type Replay struct {
	Time   time.Time `json:"time"`
	Passed int       `json:"passed"` // rows that pass now; those that are there already count too
	Code   Code      `json:"code,omitempty"`
	Rule   string    `json:"rule,omitempty"` // why the others are still turned away
}

// LetterQuery asks a collector for a page of its dead letters, the newest first. A zero time is open.
type LetterQuery struct {
	Device string    `json:"device,omitempty"` // as in LedgerQuery
	Code   Code      `json:"code,omitempty"`
	From   time.Time `json:"from,omitzero"`   // of arrival, inclusive
	To     time.Time `json:"to,omitzero"`     // exclusive
	After  string    `json:"after,omitempty"` // LetterPage.Next of the page before
	Limit  int       `json:"limit"`           // most letters; what a page holds is bounded anyway
}

// LetterPage answers a LetterQuery; payloads are cut to their first kilobyte.
type LetterPage struct {
	Letters []DeadLetter `json:"letters"`
	Next    string       `json:"next,omitempty"` // "" when it is the last page
}

// LetterPart asks for a dead letter with a part of its payload, which may be too long for one
// answer: 16 KiB from Offset on, in DeadLetter.PayloadB always.
type LetterPart struct {
	ID     string `json:"id"`
	Offset int    `json:"offset"`
}

// MaxReplay is how many letters one ReplayQuery may name, so that its answer fits into a packet.
const MaxReplay = 100

// ReplayQuery asks a collector to run dead letters through today's decoders: at most MaxReplay.
type ReplayQuery struct {
	IDs []string `json:"ids"`
}

// ReplayPage answers a ReplayQuery, a letter each in the order of its ids.
type ReplayPage struct {
	Replayed []Replayed `json:"replayed"`
}

// Replayed is what came of one letter. A letter that is not there has the code NotFound.
type Replayed struct {
	Collector string `json:"collector,omitempty"` // set by whoever merges the answers of several
	ID        string `json:"id"`
	Passed    int    `json:"passed"` // rows that pass now; those that are there already count too
	Code      Code   `json:"code,omitempty"`
	Rule      string `json:"rule,omitempty"` // why the others are still turned away
}
