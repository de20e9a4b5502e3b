package nhip

import "time"

// Saying is what a person says to the city. It takes the same road as what devices say: journaled once, counted in
// the ledger, told to all. Exactly one of its fields is there.
type Saying struct {
	Review *Review `json:"review,omitempty"`
	Ack    *Ack    `json:"ack,omitempty"`
}

// Kinds of sayings, as they stand in topics.
const (
	SayReview = "review"
	SayAck    = "ack"
)

// Kind returns what it is.
func (s *Saying) Kind() string {
	if s.Ack != nil {
		return SayAck
	}
	return SayReview
}

// ID returns its name, unique among its kind.
func (s *Saying) ID() string {
	if s.Ack != nil {
		return s.Ack.Alert
	}
	return s.Review.ID
}

// When returns when it was said.
func (s *Saying) When() time.Time {
	if s.Ack != nil {
		return s.Ack.Time
	}
	return s.Review.Time
}

// ValidateIn checks s against the rules at the door and returns an *Error naming the field.
func (s *Saying) ValidateIn(w Window) error {
	var err error
	if s.Ack != nil {
		err = s.Ack.Validate()
	} else {
		err = s.Review.Validate()
	}
	if err != nil {
		return err
	}
	return w.check(s.When())
}
