package nhip

import (
	"errors"
	"fmt"
)

// Code classifies an error. Codes are part of the ledger, of metric labels and of HTTP answers, so the meaning of an
// existing code never changes.
type Code string

// Codes of rejected facts.
const (
	CodeMalformed    Code = "malformed"     // the payload violates its format
	CodeMissing      Code = "missing"       // a required field is absent
	CodeOutOfRange   Code = "out_of_range"  // an impossible value
	CodeNullIsland   Code = "null_island"   // 0,0: the receiver has no fix
	CodeFuture       Code = "future"        // more than FutureTolerance ahead of the clock
	CodeTooOld       Code = "too_old"       // older than LateWindow
	CodeUnknownField Code = "unknown_field" // a field or quantity that the format does not define
	CodeNoFeed       Code = "no_feed"       // no feed is configured for the topic
	CodeRefused      Code = "refused"       // the database refuses the row
	CodeStuckClock   Code = "stuck_clock"   // too many different values carry one device time

	CodeTooManySeries Code = "too_many_series" // the sender has named too many new vehicles or stations in an hour
	CodeTooManyRows   Code = "too_many_rows"   // the sender has sent too many rows over a day
)

// Codes of failed requests.
const (
	CodeInvalid      Code = "invalid"      // the request violates a rule
	CodeUnauthorized Code = "unauthorized" // the caller is not authenticated
	CodeForbidden    Code = "forbidden"    // the caller lacks the permission
	CodeNotFound     Code = "not_found"    // the resource does not exist
	CodeConflict     Code = "conflict"     // the resource has changed meanwhile; also of refused user actions
	CodeTooLarge     Code = "too_large"    // the request exceeds a size limit
	CodeTooMany      Code = "too_many"     // the caller exceeds a rate limit
	CodeUnavailable  Code = "unavailable"  // a dependency is unavailable; retry later
	CodeInternal     Code = "internal"     // a fault of the platform
)

// Error is an error that may be shown to the caller: the field and the rule that it violates.
type Error struct {
	Code  Code
	Field string // as the sender spells it: "lat", "values.pm25", "near"; empty for the whole payload or request
	Rule  string // one clause without a full stop: "must be between -90 and 90"
}

// Error returns "field: rule".
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Rule
	}
	return e.Field + ": " + e.Rule
}

// Errorf returns an *Error whose rule is formatted from format and args.
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Rule: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of the first *Error in err's chain, CodeInternal for any other error, "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
