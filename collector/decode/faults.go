package decode

import (
	"errors"

	"nhip"
)

// maxFaults is how many rows of one message are turned away each with a fault of its own. A fault
// becomes a dead letter with the whole payload in it: a file of a thousand broken lines must not
// become a thousand copies of itself.
const maxFaults = 20

// Faults turns rows of one message away.
type Faults struct {
	reject func(fault error)
	n      int
}

// Faults returns where a decoder puts the faults of single rows.
func (in *Input) Faults() Faults { return Faults{reject: in.Reject} }

// Reject turns a row away with an *nhip.Error that names it. Beyond the twentieth row of a message
// those of one code share one fault; they are counted all the same.
func (f *Faults) Reject(fault error) {
	if f.n++; f.n > maxFaults {
		fault = nhip.Errorf(nhip.ErrorCode(fault), "", "more than %d rows of the message are broken", maxFaults)
	}
	f.reject(fault)
}

// Within puts the name of a row before the field of its fault: "line 3" and "value" make "line 3
// value".
func Within(row string, fault error) error {
	var e *nhip.Error
	if !errors.As(fault, &e) {
		return fault
	}
	named := *e
	named.Field = row
	if e.Field != "" {
		named.Field += " " + e.Field
	}
	return &named
}
