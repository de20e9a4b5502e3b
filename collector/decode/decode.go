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
}

// Input is one message for a decoder.
type Input struct {
	Topic    string
	Payload  []byte
	Received time.Time // for devices without a clock
	Feed     *Feed     // never nil
}

// Decoder reads one wire format. A Decoder is stateless and safe from any goroutine.
type Decoder struct {
	Format  string // what configuration and command line call it
	Version int    // rises when the same payload may give other facts; kept with dead letters

	// Decode appends what the message says to out. It converts units and checks form; ranges are
	// checked by nhip.Facts.Validate. The error is an *nhip.Error that names the field; out may
	// then hold part of the facts and must not be used. Texts in out do not share the payload's
	// memory.
	Decode func(in Input, out *nhip.Facts) error
}
