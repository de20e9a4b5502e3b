package nhip

import "time"

// DeadLetter is a rejected message or fact with the reason. It is kept until it is older than the late window.
type DeadLetter struct {
	ID           string    `json:"id"` // unique within its collector: "20260216-1234.0"
	Collector    string    `json:"collector"`
	Received     time.Time `json:"received"`
	Topic        string    `json:"topic,omitempty"`
	Device       string    `json:"device"` // as in the ledger
	Code         Code      `json:"code"`
	Field        string    `json:"field,omitempty"`
	Rule         string    `json:"rule"`
	Rows         int       `json:"rows"`
	Decoder      string    `json:"decoder,omitempty"`     // "format/version"
	Size         int       `json:"size"`                  // of the payload, in bytes
	Payload      string    `json:"payload,omitempty"`     // may be truncated
	PayloadB     []byte    `json:"payload_b64,omitempty"` // instead of Payload where it is not UTF-8
	LineProtocol string    `json:"line,omitempty"`        // row that the database refused, instead of a payload

	// Unkept is the number of earlier dead letters of the same device and code that were counted but not kept, because
	// the device exceeded its share.
	Unkept int `json:"unkept,omitempty"`

	Replay *Replay `json:"replay,omitempty"` // latest replay
}

// Replay is the result of decoding a dead letter again with the current decoder.
type Replay struct {
	Time   time.Time `json:"time"`
	Passed int       `json:"passed"` // rows that are accepted now, duplicates included
	Code   Code      `json:"code,omitempty"`
	Rule   string    `json:"rule,omitempty"` // why the others are still rejected
}

// DeadLetterQuery asks a collector for a page of its dead letters, newest first. A zero time is unbounded.
type DeadLetterQuery struct {
	Device string    `json:"device,omitempty"` // as in LedgerQuery
	Code   Code      `json:"code,omitempty"`
	From   time.Time `json:"from,omitzero"`   // of arrival, inclusive
	To     time.Time `json:"to,omitzero"`     // exclusive
	After  string    `json:"after,omitempty"` // DeadLetterPage.Next of the previous page
	Limit  int       `json:"limit"`           // maximum letters; the size of a page is bounded as well
}

// DeadLetterPage answers a DeadLetterQuery. Payloads are truncated to one kilobyte.
type DeadLetterPage struct {
	Letters []DeadLetter `json:"letters"`
	Next    string       `json:"next,omitempty"` // "" on the last page
}

// DeadLetterChunk asks for a dead letter with a chunk of its payload, which may be too long for one answer: 16 KiB from
// Offset on, always in DeadLetter.PayloadB.
type DeadLetterChunk struct {
	ID     string `json:"id"`
	Offset int    `json:"offset"`
}

// MaxReplay is the maximum number of ids in a ReplayQuery, so that the answer fits into one MQTT packet.
const MaxReplay = 100

// ReplayQuery asks a collector to decode at most MaxReplay dead letters again with the current decoders.
type ReplayQuery struct {
	IDs []string `json:"ids"`
}

// ReplayResults answers a ReplayQuery, in the order of its ids.
type ReplayResults struct {
	Results []ReplayResult `json:"replayed"`
}

// ReplayResult is the result for one dead letter. An unknown id has CodeNotFound.
type ReplayResult struct {
	Collector string `json:"collector,omitempty"` // set where the answers of several collectors are merged
	ID        string `json:"id"`
	Passed    int    `json:"passed"` // rows that are accepted now, duplicates included
	Code      Code   `json:"code,omitempty"`
	Rule      string `json:"rule,omitempty"` // why the others are still rejected
}
