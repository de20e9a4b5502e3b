package openid

import "fmt"

// Reason is why somebody was not signed in.
type Reason string

// Reasons.
const (
	Away    Reason = "away"    // the issuer does not answer, or not as an issuer does
	Busy    Reason = "busy"    // too many sign in at once
	NoState Reason = "state"   // the browser has not begun to sign in, or too long ago, or in another window
	Denied  Reason = "denied"  // the issuer says so, or the person
	Invalid Reason = "invalid" // the issuer's answer does not hold: code, token or nonce
	NoRule  Reason = "no-rule" // no rule is for the person
)

// Reasons are all reasons.
var Reasons = []Reason{Away, Busy, NoState, Denied, Invalid, NoRule}

// Refusal is why somebody was not signed in, as an error.
type Refusal struct {
	Reason Reason
	Err    error // for the log; it has no secrets
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %v", r.Reason, r.Err) }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(reason Reason, err error) error { return &Refusal{reason, err} }

func refusef(reason Reason, format string, args ...any) error {
	return refuse(reason, fmt.Errorf(format, args...))
}
