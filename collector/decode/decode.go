// Package decode says what a decoder is: the one place of the platform where the words of a wire
// format become facts in our units. Each format lives in a folder of its own beside this file.
package decode

import (
	"time"

	"nhip"
)

// Feed is what the configuration says of the devices behind a topic filter.
type Feed struct {
	Topic   string        // MQTT topic filter
	Format  string        // name of the decoder
	Agency  string        // whose buses these are
	Latency time.Duration // how late the feed may pass facts on, declared by its provider

	Zone      *time.Location // of stamps that carry no offset; nil: the format's own, or UTC
	Period    time.Duration  // averaging period where the format does not say it; 0: the format's own usual one
	SpeedUnit string         // of formats whose speed has no unit: KilometresPerHour (also "") or MetresPerSecond
	Fields    []Field        // what a payload that has no form of its own (LoRaWAN) says under which name
}

// Speed units that a feed may declare.
const (
	KilometresPerHour = "km/h"
	MetresPerSecond   = "m/s"
)

// Field maps a value of a decoded payload to a quantity.
type Field struct {
	Name     string        // dotted path in the payload, as in "air.pm2_5"
	Quantity nhip.Quantity // what it is
	Unit     string        // what it is in; "": the quantity's own unit
}

// Input is one message for a decoder.
type Input struct {
	Topic    string
	Payload  []byte
	Received time.Time // for devices without a clock
	Feed     *Feed     // never nil

	// Reject turns one row away and lets the others stand: a line of a file, a vehicle of a feed. The
	// fault is an *nhip.Error whose field names the row. It counts only when Decode returns nil, for a
	// message that can't be decoded is one row. Never nil; see Faults.
	Reject func(fault error)
}

// Decoder reads one wire format. A Decoder is stateless and safe from any goroutine.
type Decoder struct {
	Format  string // what configuration and command line call it
	Version int    // rises when the same payload may give other facts; kept with dead letters

	// Decode appends what the message says to out. It converts units and checks form; ranges are
	// checked by nhip.Facts.Validate. The error is an *nhip.Error that names the field; out may
	// then hold part of the facts and must not be used, nor must what was rejected. Texts in out do
	// not share the payload's memory.
	Decode func(in Input, out *nhip.Facts) error
}
