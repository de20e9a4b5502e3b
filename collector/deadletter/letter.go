package deadletter

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"nhip"
	"nhip/collector/record"
)

// Letter is a dead letter with its parsed id.
type Letter struct {
	id ID
	nhip.DeadLetter
}

// NewLetter returns a letter that has only its id.
func NewLetter(id ID) Letter {
	return Letter{id: id, DeadLetter: nhip.DeadLetter{ID: id.String()}}
}

// FromOutcome returns the letters of an intake record, one for each rejection. A replay has none, because its letters
// exist already.
func FromOutcome(o *record.Outcome, seq uint64) []Letter {
	if o.LetterDropped || len(o.ReplayOf) > 0 {
		return nil
	}
	var out []Letter
	for i, r := range o.Rejections {
		l := NewLetter(NewID(o.Received, Messages, seq, i))
		l.Received, l.Topic, l.Device, l.Decoder, l.Unkept = o.Received, o.Topic, r.Device, o.Decoder, o.DroppedBefore
		l.Code, l.Field, l.Rule, l.Rows = r.Err.Code, r.Err.Field, r.Err.Rule, r.Rows
		l.setPayload(o.Payload)
		out = append(out, l)
	}
	return out
}

func (l *Letter) setPayload(b []byte) {
	l.Size = len(b)
	if utf8.Valid(b) {
		l.Payload = string(b)
	} else {
		l.PayloadB = slices.Clone(b)
	}
}

// Payload returns the payload of a letter.
func Payload(l *nhip.DeadLetter) []byte {
	if l.PayloadB != nil {
		return l.PayloadB
	}
	return []byte(l.Payload)
}

// MaxExcerpt is the length of payloads and lines in lists and announcements, in bytes: whole ones may exceed the
// largest MQTT packet.
const MaxExcerpt = 1 << 10

// excerpt returns l with its long fields cut to MaxExcerpt. Size stays that of the whole payload.
func excerpt(l nhip.DeadLetter) nhip.DeadLetter {
	if len(l.Payload) > MaxExcerpt {
		l.Payload = strings.ToValidUTF8(l.Payload[:MaxExcerpt], "")
	}
	l.PayloadB = l.PayloadB[:min(len(l.PayloadB), MaxExcerpt)]
	if len(l.LineProtocol) > MaxExcerpt {
		l.LineProtocol = strings.ToValidUTF8(l.LineProtocol[:MaxExcerpt], "")
	}
	return l
}

// Encode returns the JSON of l with its long fields cut to MaxExcerpt.
func Encode(l nhip.DeadLetter) []byte {
	raw, err := json.Marshal(excerpt(l))
	if err != nil {
		panic("a dead letter can't be encoded: " + err.Error()) // all of its fields have a JSON form
	}
	return raw
}
