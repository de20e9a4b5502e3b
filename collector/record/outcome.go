// Package record defines the records of the collector's intake journal. A record holds the outcome of one message:
// the valid facts, the rejections and, if anything was rejected, the payload.
package record

import (
	"errors"
	"time"

	"nhip"
)

// Outcome is the result of decoding and checking one message. Once it is on disk, the message itself may be
// dropped, so an Outcome contains everything that later stages need.
type Outcome struct {
	Received   time.Time
	Facts      nhip.Facts
	Rejections []Rejection

	// PayloadHash identifies the payload if Facts.Undated is set: the facts of such a message carry the time of
	// arrival, so a redelivery can't be recognised by them.
	PayloadHash uint64

	// The following fields are recorded only with rejections, for the dead letter and its replay.
	Topic         string
	Payload       []byte
	Decoder       string // "format/version"
	LetterDropped bool   // the sender exceeded its quota: the rejections are counted without a dead letter
	DroppedBefore int    // letters of this sender dropped since the last one that was kept

	ReplayOf     []string     // ids of the dead letters that this outcome replays
	Resubmission *RejectedRow // a row to write to the database again; excludes all fields above except Received

	// Hashes of the encoded rows, set by Read only. Rows with equal content have equal hashes.
	PositionHashes, ReadingHashes, UserActionHashes []uint64

	// PackedPositions are the encoded positions, set by Append and Read. They share the memory of that record.
	PackedPositions [][]byte
}

// Rejection is a reason for which rows of a message were rejected. A message that can't be decoded counts as one
// row.
type Rejection struct {
	Err    nhip.Error
	Rows   int
	Device string    // ledger name of the device
	Time   time.Time // device time of the first row; zero if unknown or out of range
}

// RejectedRow is a row that the database rejected, as kept in its dead letter.
type RejectedRow struct {
	Line    string // line protocol without the newline
	Device  string
	Hour    int64 // Unix hours
	Revised bool
}

// RowRef identifies a rejected row.
type RowRef struct {
	Device string
	Time   time.Time
}

// TopicRow identifies a row by the topic of its message, for a row without a usable device id.
func (o *Outcome) TopicRow() RowRef { return RowRef{Device: TopicDevice(o.Topic)} }

// DeviceRow identifies a row by its device and time, or by its topic if the device id is invalid (idErr is not nil).
func (o *Outcome) DeviceRow(idErr error, device string, at time.Time) RowRef {
	if idErr != nil {
		return o.TopicRow()
	}
	return RowRef{device, at}
}

// TopicDevice returns the ledger name of a device that is known only by its topic.
func TopicDevice(topic string) string { return "topic/" + topic }

// Reject records why a row was rejected. Rows of one device with the same error, for example an invalid message
// time, share one Rejection.
func (o *Outcome) Reject(err error, row RowRef) {
	reason := nhip.Error{Code: nhip.CodeMalformed, Rule: err.Error()}
	var known *nhip.Error
	if errors.As(err, &known) {
		reason = *known
	}
	for i := range o.Rejections {
		if r := &o.Rejections[i]; r.Err == reason && r.Device == row.Device {
			r.Rows++
			return
		}
	}
	if reason.Code == nhip.CodeFuture || reason.Code == nhip.CodeTooOld {
		row.Time = time.Time{} // the ledger counts the row in the hour of arrival
	}
	o.Rejections = append(o.Rejections, Rejection{Err: reason, Rows: 1, Device: row.Device, Time: row.Time})
}

// Reset empties o and keeps its slices' memory for reuse.
func (o *Outcome) Reset() {
	o.Facts.Reset()
	*o = Outcome{
		Facts: o.Facts, Rejections: o.Rejections[:0],
		PositionHashes: o.PositionHashes[:0], ReadingHashes: o.ReadingHashes[:0],
		UserActionHashes: o.UserActionHashes[:0], PackedPositions: o.PackedPositions[:0],
	}
}
