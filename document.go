package nhip

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// Document is a user action that sets the current state of something that people keep in the platform, such as a key.
// The collectors keep the state, and the broker has it as a retained message; see DocumentState.
type Document struct {
	Kind    string          `json:"kind"` // of DocumentKinds
	ID      string          `json:"id"`   // unique within the kind
	Request string          `json:"request"`
	Object  string          `json:"object,omitempty"` // what it is about, for the audit, as in "station/hn-01"
	Time    time.Time       `json:"time"`             // of the decision
	Body    json.RawMessage `json:"body,omitempty"`   // a JSON object; none removes the document

	// IfVersion is the version that the change was made from; 0 is that there must be no such document. A change is
	// refused with CodeConflict if the document has another version by then. Without it the change is made whatever the
	// version is.
	IfVersion Opt[int64] `json:"if_version,omitzero"`
}

// DocumentState is the current state of a document, as its retained topic has it.
type DocumentState struct {
	Kind    string          `json:"kind"`
	ID      string          `json:"id"`
	Version int64           `json:"version"` // 1 for the first, and one more with each change
	Time    time.Time       `json:"time"`    // of the last change
	By      string          `json:"by"`      // name of who made it
	Body    json.RawMessage `json:"body,omitempty"`
}

// Exists reports whether the document has not been removed.
func (s *DocumentState) Exists() bool { return len(s.Body) > 0 }

// DocumentKind is what the platform knows of the documents of a kind.
type DocumentKind struct {
	Name     string
	MaxBytes int // of a body; at most MaxDocumentBytes
	MaxCount int // of documents

	// Validate checks a body, which is not empty, and returns an *Error that names the field.
	Validate func(id string, body json.RawMessage) error
	// Redact returns a body as the audit may show it, without secrets. nil: as it is.
	Redact func(body json.RawMessage) json.RawMessage
	// Expiry returns when a document is removed without a further change. nil: never.
	Expiry func(body json.RawMessage) time.Time
	// Quiet leaves the changes out of the audit log unless they are asked for: programs make them, not people.
	Quiet bool
}

// Bounds of documents. A message with one must fit into a packet of the broker, of 64 KiB.
const (
	MaxDocumentBytes = 32 << 10
	MaxRequest       = 64 // bytes of Document.Request
)

// DocumentKindOf returns a kind of documents.
func DocumentKindOf(name string) (DocumentKind, bool) {
	for _, k := range documentKinds {
		if k.Name == name {
			return k, true
		}
	}
	return DocumentKind{}, false
}

// DocumentKinds returns all kinds of documents.
func DocumentKinds() []DocumentKind { return slices.Clone(documentKinds) }

// Validate checks d. It returns an *Error that names the field; those of the body begin with "body.".
func (d *Document) Validate() error {
	kind, known := DocumentKindOf(d.Kind)
	if !known {
		return Errorf(CodeUnknownField, "kind", "%q is not a kind of documents", d.Kind)
	}
	if err := CheckID("id", d.ID); err != nil {
		return err
	}
	if err := CheckID("request", d.Request); err != nil {
		return err
	}
	if err := CheckText("object", d.Object); err != nil {
		return err
	}
	before, conditional := d.IfVersion.Get()
	switch {
	case len(d.Request) > MaxRequest:
		return Errorf(CodeOutOfRange, "request", "must be at most %d bytes, got %d", MaxRequest, len(d.Request))
	case d.Time.IsZero():
		return Errorf(CodeMissing, "time", "is required")
	case conditional && before < 0:
		return Errorf(CodeOutOfRange, "if_version", "must not be negative")
	case len(d.Body) == 0:
		return nil
	}
	return kind.check(d.ID, d.Body)
}

// check checks a body. Errors name its fields after "body".
func (k *DocumentKind) check(id string, body json.RawMessage) error {
	switch limit := min(k.MaxBytes, MaxDocumentBytes); {
	case len(body) > limit:
		return Errorf(CodeTooLarge, "body", "must be at most %d bytes, got %d", limit, len(body))
	case !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{':
		return Errorf(CodeMalformed, "body", "must be a JSON object")
	}
	err := k.Validate(id, body)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	field := strings.TrimSuffix("body."+e.Field, ".")
	return &Error{Code: e.Code, Field: field, Rule: e.Rule}
}

// Audited returns a body as the audit may show it.
func (k *DocumentKind) Audited(body json.RawMessage) json.RawMessage {
	if len(body) == 0 || k.Redact == nil {
		return body
	}
	return k.Redact(body)
}
