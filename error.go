package nhip

import (
	"errors"
	"fmt"
)

// Code says what kind of thing went wrong. Codes are part of the ledger, of metric labels and of
// HTTP answers, so an existing one never changes its meaning.
type Code string

// Codes of facts that are turned away at the door.
const (
	Malformed    Code = "malformed"     // the payload is not what its format says
	Missing      Code = "missing"       // a required field is absent
	OutOfRange   Code = "out_of_range"  // a value that can't be
	NullIsland   Code = "null_island"   // a receiver without a fix says 0,0
	Future       Code = "future"        // more than FutureTolerance ahead of the clock
	TooOld       Code = "too_old"       // older than LateWindow
	UnknownField Code = "unknown_field" // a field or quantity the format does not have
	NoFeed       Code = "no_feed"       // no feed is configured for the topic
	Refused      Code = "refused"       // the database does not take the row
	StuckClock   Code = "stuck_clock"   // too many different things are said of one moment
)

// Codes of questions that can't be answered.
const (
	Invalid      Code = "invalid"      // the request breaks a rule
	Unauthorized Code = "unauthorized" // whoever asks does not show that they may
	Forbidden    Code = "forbidden"    // whoever asks may not do this
	NotFound     Code = "not_found"    // there is no such thing
	TooLarge     Code = "too_large"    // the request holds more than is taken
	TooMany      Code = "too_many"     // whoever asks does so too often
	Unavailable  Code = "unavailable"  // a part that is needed is away; ask again
	Internal     Code = "internal"     // our fault
)

// Error is an error that may be shown to whoever caused it: which field, and which rule it broke.
type Error struct {
	Code  Code
	Field string // as the sender wrote it: "lat", "values.pm25", "near"; empty when it is the whole
	Rule  string // one clause without a full stop: "must be between -90 and 90"
}

// Error returns "field: rule".
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Rule
	}
	return e.Field + ": " + e.Rule
}

// Errorf returns an *Error; format and args make its rule.
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Rule: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of the first *Error in err's chain, Internal for any other error, and
// "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
