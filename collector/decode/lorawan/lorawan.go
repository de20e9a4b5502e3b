// Package lorawan holds what the decoders of LoRaWAN network servers share: their topics, and an uplink with a payload
// that the server may have decoded to an object.
package lorawan

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Topic is the structure of a network server's topics: <Application><application>/<Device><device>/<Event><event>.
type Topic struct {
	Application string // prefix of the application
	Device      string // prefix of the device
	Event       string // prefix of the event
	In          string // prefix of the device for messages that did not arrive from the server by MQTT
	Form        string // the structure for errors
}

// Parse returns the device and the event in a topic, each "" if the topic does not contain it. The error is that of a
// topic of the server with another structure.
func (t *Topic) Parse(topic string) (device, event string, err error) {
	if strings.HasPrefix(topic, t.In) {
		return decode.Device(topic), "", nil
	}
	rest, ok := strings.CutPrefix(topic, t.Application)
	if !ok {
		return "", "", nil
	}
	_, rest, _ = strings.Cut(rest, "/")
	if rest, ok = strings.CutPrefix(rest, t.Device); ok {
		if device, rest, ok = strings.Cut(rest, "/"); ok {
			event, ok = strings.CutPrefix(rest, t.Event)
		}
	}
	if !ok || device == "" || event == "" {
		return "", "", nhip.Errorf(nhip.CodeMalformed, "topic", "must be %s", t.Form)
	}
	return device, event, nil
}

// Uplink is an uplink message that is being read.
type Uplink struct {
	In     *decode.Input
	JSON   jsonscan.Scanner
	Time   time.Time       // of the uplink
	Values decode.ValueSet // from the decoded payload

	hasPayload bool // the message contains the payload as bytes
	isDecoded  bool // the message contains the decoded payload
}

// NewUplink returns an Uplink at the start of the message.
func NewUplink(in *decode.Input) Uplink {
	return Uplink{In: in, JSON: jsonscan.New(in.Payload)}
}

// Read reads the message, a JSON object, and calls field for each key whose value is not null.
func (u *Uplink) Read(field func(key []byte) error) error {
	err := u.JSON.Object(func(key []byte) error {
		if u.JSON.Null() {
			return nil
		}
		return field(key)
	})
	if err != nil {
		return err
	}
	return u.JSON.End()
}

// ReadPayload reads the payload as bytes in base64, to know whether there is one.
func (u *Uplink) ReadPayload() error {
	text, err := u.JSON.Text()
	u.hasPayload = len(text) > 0
	return err
}

// ReadDecoded reads the values of the decoded payload, an object whose full name in the message is name.
func (u *Uplink) ReadDecoded(name string) error {
	u.isDecoded = true
	return decode.Mapped(u.In, &u.JSON, name, &u.Values)
}

// ReadTime reads the time of the uplink.
func (u *Uplink) ReadTime() (err error) {
	u.Time, err = decode.Time(&u.JSON)
	return err
}

// Check returns an error if the server has not decoded the payload, or if decoded values have no time. The names are
// those of the decoded payload and of the time in the message; hint says how to configure the server.
func (u *Uplink) Check(decodedName, hint, timeName string) error {
	switch {
	case u.hasPayload && !u.isDecoded:
		return nhip.Errorf(nhip.CodeMissing, decodedName, "is required: %s", hint)
	case u.isDecoded && u.Time.IsZero():
		return nhip.Errorf(nhip.CodeMissing, timeName, "is required")
	}
	return nil
}

// AppendTo appends the readings of a station to out. An uplink without bytes has none: what a payload formatter makes
// of no bytes are its defaults.
func (u *Uplink) AppendTo(out *nhip.Facts, station string) {
	if !u.hasPayload {
		return
	}
	u.Values.Station, u.Values.Time = station, u.Time
	u.Values.Period = u.In.Feed.PeriodOr(decode.MappedPeriod)
	u.Values.AppendTo(out)
}
