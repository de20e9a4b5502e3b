// Package say decodes user actions, which the api publishes for authenticated callers. The name of the format, "say",
// is that of the topic.
//
//	topic    nhip/say/review/5c1f…
//	payload  {"id":"5c1f…","station":"hn-01","quantity":"pm25","from":"2026-02-16T03:00:00Z",
//	          "to":"2026-02-16T05:00:00Z","action":"strike","by":"Lan","why":"lọc bụi bẩn",
//	          "time":"2026-02-17T01:12:00Z","actor":{"name":"Lan","key":"k1","role":"analyst"}}
//	topic    nhip/say/key/k2
//	payload  {"kind":"key","id":"k2","request":"…","object":"key/k2","time":"…","if_version":3,"body":{…},"actor":{…}}
//
// The levels of the topic are the kind and the id, and a payload with others is rejected. An unknown field is an error.
// Only roles may publish to these topics; see nhip.Review, nhip.Ack and nhip.Document for the rules.
package say

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/topics"
)

// Decoder decodes reviews, acknowledgements of alerts and changes of documents, which differ in their topics.
var Decoder = decode.Decoder{Format: "say", Version: 2, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	kind, id, ok := topics.ParseUserAction(in.Topic)
	if !ok {
		return nhip.Errorf(nhip.CodeMalformed, "topic", "must be nhip/say/<kind>/<id>")
	}
	var a *nhip.UserAction
	var err error
	switch kind {
	case nhip.ActionKindAck:
		a, err = readAck(in.Payload)
	case nhip.ActionKindReview:
		a, err = readReview(in.Payload)
	default:
		a, err = readDocument(in.Payload)
	}
	if err != nil {
		return err
	}
	if a.ID() != id {
		field := "id"
		if a.Ack != nil {
			field = "alert"
		}
		return nhip.Errorf(nhip.CodeMalformed, field,
			"must be the id in the topic, %q, got %q", decode.Clip(id), decode.Clip(a.ID()))
	}
	if a.Kind() != kind {
		return nhip.Errorf(nhip.CodeMalformed, "kind",
			"must be the kind in the topic, %q, got %q", decode.Clip(kind), decode.Clip(a.Kind()))
	}
	out.UserActions = append(out.UserActions, *a)
	return nil
}

func readAck(payload []byte) (*nhip.UserAction, error) {
	var a struct {
		nhip.Ack
		Actor *nhip.Actor `json:"actor"`
	}
	if err := nhip.DecodeStrict(payload, &a); err != nil {
		return nil, err
	}
	a.Time = truncate(a.Time)
	return &nhip.UserAction{Ack: &a.Ack, Actor: a.Actor}, nil
}

func readReview(payload []byte) (*nhip.UserAction, error) {
	var r struct {
		nhip.Review
		Actor *nhip.Actor `json:"actor"`
	}
	if err := nhip.DecodeStrict(payload, &r); err != nil {
		return nil, err
	}
	r.From, r.To, r.Time = truncate(r.From), truncate(r.To), truncate(r.Time)
	return &nhip.UserAction{Review: &r.Review, Actor: r.Actor}, nil
}

func readDocument(payload []byte) (*nhip.UserAction, error) {
	var d struct {
		nhip.Document
		Actor *nhip.Actor `json:"actor"`
	}
	if err := nhip.DecodeStrict(payload, &d); err != nil {
		return nil, err
	}
	d.Time = truncate(d.Time)
	if string(d.Body) == "null" {
		d.Body = nil
	}
	return &nhip.UserAction{Document: &d.Document, Actor: d.Actor}, nil
}

// truncate truncates a time to milliseconds, the platform's resolution.
func truncate(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
