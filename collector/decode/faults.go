package decode

import (
	"cmp"
	"errors"
	"strings"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// MaxOwnFaults is the number of rows of one message that are rejected with a fault of their own. A fault becomes a
// dead letter that contains the whole payload, so a file with a thousand faulty lines must not be stored a thousand
// times.
const MaxOwnFaults = 20

// Faults rejects rows of one message.
type Faults struct {
	reject func(fault error)
	most   int
	n      int
}

// Faults returns a Faults for the message.
func (in *Input) Faults() Faults {
	return Faults{reject: in.Reject, most: cmp.Or(in.OwnFaults, MaxOwnFaults)}
}

// Reject rejects a row with an *nhip.Error that names it. After Input.OwnFaults rows of a message, faults of the same
// code are identical; each of them is still counted.
func (f *Faults) Reject(fault error) {
	if f.n++; f.n > f.most {
		fault = tooManyFaults(fault, f.most)
	}
	f.reject(fault)
}

// Recover reads an element or the value of a field with read. If that fails on valid JSON, the scanner continues after
// the value, and fault is the error, whose cost is the caller's choice. broken is an error of the whole message: the
// JSON is invalid.
func Recover(s *jsonscan.Scanner, read func() error) (fault, broken error) {
	start := *s
	fault = read()
	if fault == nil {
		return nil, nil
	}
	if !Resume(s, start) {
		return nil, fault
	}
	return fault, nil
}

// Resume moves a scanner behind the value at start, which could not be read. It returns false if that is no valid JSON.
func Resume(s *jsonscan.Scanner, start jsonscan.Scanner) bool {
	if start.Skip() != nil {
		return false
	}
	*s = start
	return true
}

// DropField reports the fault of a field as Dropped does; nil is no fault. field replaces the name in the fault, so
// that it is one of a bounded number.
func (in *Input) DropField(row, field string, fault error) {
	var e *nhip.Error
	if errors.As(fault, &e) {
		in.Dropped(row, nhip.Errorf(e.Code, field, "%s", e.Rule))
	}
}

// tooManyFaults returns what stands for the fault of a row beyond the most that have one of their own.
func tooManyFaults(fault error, most int) error {
	return nhip.Errorf(nhip.ErrorCode(fault), "", "more than %d rows of the message are faulty", most)
}

// RowFault returns the fault of a fact that breaks a rule, for a message of which so many rows have been rejected: with
// the name of the row, or the one that Faults has for rows beyond the most. A message without rows has row "".
func RowFault(row string, fault error, rejected, most int) error {
	switch {
	case row == "":
		return fault
	case rejected >= most:
		return tooManyFaults(fault, most)
	}
	return InRow(row, fault)
}

// InRow adds the name of a row to the field of a fault: "line 3" and "value" become "line 3 value", "[3]" and "lat"
// "[3].lat". A row without a name leaves the fault as it is.
func InRow(row string, fault error) error {
	var e *nhip.Error
	if row == "" || !errors.As(fault, &e) {
		return fault
	}
	named := *e
	named.Field = row
	if e.Field != "" && strings.HasPrefix(row, "[") {
		named.Field += "." + e.Field
	} else if e.Field != "" {
		named.Field += " " + e.Field
	}
	return &named
}
