// Package say decodes what people say to the city: what the api publishes for its callers, who have shown there
// who they are.
//
//	topic    nhip/say/review/5c1f…
//	payload  {"id":"5c1f…","station":"hn-01","quantity":"pm25","from":"2026-02-16T03:00:00Z",
//	          "to":"2026-02-16T05:00:00Z","action":"strike","by":"Lan","why":"lọc bụi bẩn",
//	          "time":"2026-02-17T01:12:00Z"}
//
// The last level of the topic is the id, and a payload that claims another is turned away. A field that is not
// known is an error. Only the roles may publish here; see nhip.Review for the rules.
package say

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/mqtt"
)

// Decoder reads reviews and acknowledgements of alerts; the topic tells which.
var Decoder = decode.Decoder{Format: "say", Version: 1, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	if strings.HasPrefix(in.Topic, mqtt.SayTopic(nhip.SayAck, "")) {
		return readAck(in, out)
	}
	return readReview(in, out)
}

func readAck(in decode.Input, out *nhip.Facts) error {
	a := new(nhip.Ack)
	if err := strict(in.Payload, a); err != nil {
		return err
	}
	if id := idOf(in.Topic); a.Alert != id {
		return nhip.Errorf(nhip.Malformed, "alert", "must be the topic's, %q, got %q", decode.Clip(id), decode.Clip(a.Alert))
	}
	a.Time = moment(a.Time)
	out.Sayings = append(out.Sayings, nhip.Saying{Ack: a})
	return nil
}

func readReview(in decode.Input, out *nhip.Facts) error {
	r := new(nhip.Review)
	if err := strict(in.Payload, r); err != nil {
		return err
	}
	if id := idOf(in.Topic); r.ID != id {
		return nhip.Errorf(nhip.Malformed, "id", "must be the topic's, %q, got %q", decode.Clip(id), decode.Clip(r.ID))
	}
	r.From, r.To, r.Time = moment(r.From), moment(r.To), moment(r.Time)
	out.Sayings = append(out.Sayings, nhip.Saying{Review: r})
	return nil
}

// strict reads one JSON object. Errors name the field as far as encoding/json tells it.
func strict(payload []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("must end after one object")
		}
	}
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		return nhip.Errorf(nhip.Malformed, mismatch.Field, "must not be a %s", mismatch.Value)
	}
	return nhip.Errorf(nhip.Malformed, "", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// moment cuts a time to whole milliseconds, which is what is kept.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func idOf(topic string) string {
	return mqtt.Unescape(topic[strings.LastIndexByte(topic, '/')+1:])
}
