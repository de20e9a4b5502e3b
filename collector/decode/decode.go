// Package decode defines decoders, which turn messages in a wire format into facts in the platform's units, and holds
// what they share. Each format has its own subpackage.
//
// Several functions read numbers and times, because senders write them in different ways:
//
//   - Float, Int, Bool, Bearing and Time read JSON that follows the format strictly.
//   - Measured and ParseMeasured read what low-cost instruments send: numbers, numbers as text, and words for "none".
//   - Time reads RFC 3339; LocalTime reads a local time without an offset.
//   - Table reads CSV files with a header line.
package decode

import (
	"time"

	"nhip"
)

// Feed is the configuration of the devices behind a topic filter.
type Feed struct {
	Topic   string        // MQTT topic filter
	Format  string        // name of the decoder
	Agency  string        // agency of the buses
	Latency time.Duration // largest delay of facts in the feed, as declared by its provider

	// Timetable is the timetable that ids of trips, routes and stops are of: its number among those that are merged, from
	// 1. 0: the feed names none, and an id is looked up in all of them.
	Timetable int

	Predictions nhip.Predictions // whose expected times are told, of feeds of trips

	Zone      *time.Location // of times without an offset; nil: the default of the format, or UTC
	Period    time.Duration  // averaging period if messages do not contain it; 0: the default of the format
	SpeedUnit string         // of formats without a unit of speed: KilometresPerHour (also "") or MetresPerSecond
	Fields    []Field        // quantities of payloads that have no fixed structure (LoRaWAN)
}

// Speed units of a feed.
const (
	KilometresPerHour = "km/h"
	MetresPerSecond   = "m/s"
)

// Field maps a value of a decoded payload to a quantity.
type Field struct {
	Name     string        // dotted path in the payload, as in "air.pm2_5"
	Quantity nhip.Quantity // the quantity that the value measures
	Unit     string        // unit of the value; "": the platform's unit of the quantity
}

// Input is one message for a decoder.
type Input struct {
	Topic    string
	Payload  []byte
	Received time.Time // for devices without a clock
	Feed     *Feed     // never nil

	// Reject rejects a single row of the message, such as a line of a file or a vehicle of a feed, and keeps the
	// others. The fault is an *nhip.Error whose field names the row. Rejected rows count only if Decode returns nil: a
	// message that can't be decoded counts as one row. Reject is never nil; decoders call it through Faults.
	Reject func(fault error)

	OwnFaults int // rows that are rejected with a fault of their own; 0 is MaxOwnFaults

	// Drop reports a field that a row can do without and that the decoder has left out because it is invalid. The fault's
	// field is one of the format's, whose number is bounded; row names the row, or is "". Drop may be nil; decoders call
	// it through Dropped.
	Drop func(row string, field *nhip.Error)
}

// Dropped reports a field that is left out of a row, see Drop.
func (in *Input) Dropped(row string, field *nhip.Error) {
	if in.Drop != nil {
		in.Drop(row, field)
	}
}

// Decoder decodes one wire format. A Decoder is stateless and safe for concurrent use.
type Decoder struct {
	Format  string // name in the configuration and on the command line
	Version int    // increased when the same payload may result in other facts; stored with dead letters

	// Decode appends the facts of the message to out. It converts units and checks the syntax; nhip.Facts.Validate
	// checks ranges. The error is an *nhip.Error that names the field; in that case the facts in out and the rejected
	// rows are incomplete and must be ignored. Strings in out do not share the payload's memory.
	Decode func(in Input, out *nhip.Facts) error
}
