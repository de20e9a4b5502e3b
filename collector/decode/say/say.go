// Package say decodes user actions, which the api publishes for authenticated callers. The name of the format, "say",
// is that of the topic.
//
//	topic    nhip/say/review/5c1f…
//	payload  {"id":"5c1f…","station":"hn-01","quantity":"pm25","from":"2026-02-16T03:00:00Z",
//	          "to":"2026-02-16T05:00:00Z","action":"strike","by":"Lan","why":"lọc bụi bẩn",
//	          "time":"2026-02-17T01:12:00Z"}
//
// The last level of the topic is the id, and a payload with another id is rejected. An unknown field is an error. Only
// roles may publish to these topics; see nhip.Review for the rules.
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
	"nhip/internal/topics"
)

// Decoder decodes reviews and acknowledgements of alerts, which differ in their topics.
var Decoder = decode.Decoder{Format: "say", Version: 1, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	if strings.HasPrefix(in.Topic, topics.UserActionTopic(nhip.ActionKindAck, "")) {
		return readAck(in, out)
	}
	return readReview(in, out)
}

func readAck(in decode.Input, out *nhip.Facts) error {
	a := new(nhip.Ack)
	if err := unmarshalStrict(in.Payload, a); err != nil {
		return err
	}
	if id := idOf(in.Topic); a.Alert != id {
		return nhip.Errorf(nhip.CodeMalformed, "alert",
			"must be the id in the topic, %q, got %q", decode.Clip(id), decode.Clip(a.Alert))
	}
	a.Time = truncate(a.Time)
	out.UserActions = append(out.UserActions, nhip.UserAction{Ack: a})
	return nil
}

func readReview(in decode.Input, out *nhip.Facts) error {
	r := new(nhip.Review)
	if err := unmarshalStrict(in.Payload, r); err != nil {
		return err
	}
	if id := idOf(in.Topic); r.ID != id {
		return nhip.Errorf(nhip.CodeMalformed, "id",
			"must be the id in the topic, %q, got %q", decode.Clip(id), decode.Clip(r.ID))
	}
	r.From, r.To, r.Time = truncate(r.From), truncate(r.To), truncate(r.Time)
	out.UserActions = append(out.UserActions, nhip.UserAction{Review: r})
	return nil
}

// unmarshalStrict reads one JSON object without unknown fields. Errors contain the field if encoding/json reports it.
func unmarshalStrict(payload []byte, into any) error {
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
	case errors.Is(err, io.EOF):
		return nhip.Errorf(nhip.CodeMalformed, "", "must be one JSON object, got an empty payload")
	case errors.As(err, &mismatch):
		return nhip.Errorf(nhip.CodeMalformed, mismatch.Field, "must not be a %s", mismatch.Value)
	}
	return nhip.Errorf(nhip.CodeMalformed, "", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// truncate truncates a time to milliseconds, the platform's resolution.
func truncate(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func idOf(topic string) string {
	return topics.Unescape(topic[strings.LastIndexByte(topic, '/')+1:])
}
