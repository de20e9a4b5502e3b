package nhip

import "time"

// UserAction is a decision of a person. It is processed like a device message: journaled once, counted in the ledger
// and published. Exactly one field is set.
type UserAction struct {
	Review *Review `json:"review,omitempty"`
	Ack    *Ack    `json:"ack,omitempty"`
}

// Kinds of user actions, as in topics.
const (
	ActionKindReview = "review"
	ActionKindAck    = "ack"
)

// Kind returns ActionKindReview or ActionKindAck.
func (a *UserAction) Kind() string {
	if a.Ack != nil {
		return ActionKindAck
	}
	return ActionKindReview
}

// ID returns the id, which is unique within the kind.
func (a *UserAction) ID() string {
	if a.Ack != nil {
		return a.Ack.Alert
	}
	return a.Review.ID
}

// When returns the time of the decision.
func (a *UserAction) When() time.Time {
	if a.Ack != nil {
		return a.Ack.Time
	}
	return a.Review.Time
}

// ValidateIn checks a against the rules of acceptance. It returns an *Error that names the field.
func (a *UserAction) ValidateIn(w Window) error {
	var err error
	if a.Ack != nil {
		err = a.Ack.Validate()
	} else {
		err = a.Review.Validate()
	}
	if err != nil {
		return err
	}
	return w.check(a.When())
}
