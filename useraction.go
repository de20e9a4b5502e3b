package nhip

import (
	"encoding/json"
	"time"
)

// UserAction is a decision of a person. It is processed like a device message: journaled once, counted in the ledger
// and published. Exactly one of Review, Ack and Document is set.
type UserAction struct {
	Review   *Review   `json:"review,omitempty"`
	Ack      *Ack      `json:"ack,omitempty"`
	Document *Document `json:"document,omitempty"`

	Actor *Actor `json:"actor,omitempty"` // nil in actions of older versions
}

// Kinds of user actions besides the kinds of documents, as in topics.
const (
	ActionKindReview = "review"
	ActionKindAck    = "ack"
)

// Kind returns ActionKindReview, ActionKindAck or the kind of the document.
func (a *UserAction) Kind() string {
	switch {
	case a.Ack != nil:
		return ActionKindAck
	case a.Document != nil:
		return a.Document.Kind
	}
	return ActionKindReview
}

// ID returns the id of the review, the alert or the document. It is unique within the kind.
func (a *UserAction) ID() string {
	switch {
	case a.Ack != nil:
		return a.Ack.Alert
	case a.Document != nil:
		return a.Document.ID
	}
	return a.Review.ID
}

// When returns the time of the decision.
func (a *UserAction) When() time.Time {
	switch {
	case a.Ack != nil:
		return a.Ack.Time
	case a.Document != nil:
		return a.Document.Time
	}
	return a.Review.Time
}

// ValidateIn checks a against the rules of acceptance. It returns an *Error that names the field.
func (a *UserAction) ValidateIn(w Window) error {
	if err := a.validate(); err != nil {
		return err
	}
	if a.Actor != nil {
		if err := a.Actor.Validate(); err != nil {
			return err
		}
	}
	return w.check(a.When())
}

func (a *UserAction) validate() error {
	switch {
	case a.Ack != nil:
		return a.Ack.Validate()
	case a.Document == nil:
		return a.Review.Validate()
	case a.Actor == nil:
		return Errorf(CodeMissing, "actor", "is required")
	}
	return a.Document.Validate()
}

// Audit returns the row of the audit log of an action. before is the state of the document before it, or the review
// that a review supersedes.
func (a *UserAction) Audit(before json.RawMessage) AuditEntry {
	e := AuditEntry{Time: a.When(), Kind: a.Kind(), ID: a.ID()}
	switch {
	case a.Ack != nil:
		e.By, e.Object, e.After = a.Ack.By, "alert/"+a.Ack.Alert, encodeAudited(a.Ack)
	case a.Document != nil:
		kind, _ := DocumentKindOf(a.Document.Kind)
		e.Object, e.Before, e.After = a.Document.Object, kind.Audited(before), kind.Audited(a.Document.Body)
	default:
		e.By, e.Object = a.Review.By, "station/"+a.Review.Station
		e.Before, e.After = before, encodeAudited(a.Review)
	}
	if a.Actor != nil {
		e.By, e.Role, e.Key = a.Actor.Name, a.Actor.Role, a.Actor.Key
	}
	return e
}

// encodeAudited encodes a review or an acknowledgement, which hold only texts and times.
func encodeAudited(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}

// ActionResult is what a collector tells of a user action, on the event topic of its kind and id. Exactly one of the
// fields besides Actor and Request is set.
type ActionResult struct {
	Review   *Review         `json:"review,omitempty"`
	Ack      *Ack            `json:"ack,omitempty"`
	Document *DocumentChange `json:"document,omitempty"`
	Refused  *Refusal        `json:"refused,omitempty"`
	Actor    *Actor          `json:"actor,omitempty"`   // who made a review or an acknowledgement
	Request  string          `json:"request,omitempty"` // that of a document
}

// DocumentChange is a change of a document that is stored.
type DocumentChange struct {
	Kind    string    `json:"kind"`
	ID      string    `json:"id"`
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
	Removed bool      `json:"removed,omitempty"`
}

// Refusal is why a user action is not stored.
type Refusal struct {
	Code  Code   `json:"code"`
	Field string `json:"field,omitempty"`
	Rule  string `json:"rule"`
}

// Err returns the refusal as an error.
func (r *Refusal) Err() error { return &Error{Code: r.Code, Field: r.Field, Rule: r.Rule} }
