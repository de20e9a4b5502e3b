package decode

import (
	"strconv"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// MaxBatch is the largest number of objects in one message. They are stored as one record of the journal, which takes
// up to a megabyte, and are acknowledged together. The largest packet of the embedded broker (64 KiB) has space for
// about as many positions; a device that buffered more sends several messages.
const MaxBatch = 500

// Batch reads a payload that is one object or an array of objects. It calls row with the scanner at each object, in
// order; row appends the facts of the object to out. Errors name the element, as in "[3].lat".
//
// Invalid JSON is an error of the whole message. An element that is valid JSON but not valid in the format is passed
// to reject, and the others are kept. If reject is nil, it is an error of the whole message too.
func Batch(s *jsonscan.Scanner, out *nhip.Facts, reject func(error), row func() error) error {
	if !s.IsArray() {
		if err := row(); err != nil {
			return err
		}
		return s.End()
	}
	n := 0
	err := s.Array(func() error {
		if n == MaxBatch {
			return nhip.Errorf(nhip.CodeOutOfRange, "", "must contain at most %d elements", MaxBatch)
		}
		n++
		return Element(s, out, n-1, reject, row)
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return nhip.Errorf(nhip.CodeMissing, "", "must contain at least one element")
	}
	return s.End()
}

// Element reads element n of an array. If the element is faulty, its facts are removed from out, the fault is passed to
// reject, and the scanner continues after it. The error is one of the whole message: invalid JSON, or any if reject is
// nil.
func Element(s *jsonscan.Scanner, out *nhip.Facts, n int, reject func(error), row func() error) error {
	start, positions, readings := *s, len(out.Positions), len(out.Readings)
	out.BeginRow("[", n, "]")
	err := row()
	if err == nil {
		return nil
	}
	out.Positions, out.Readings = out.Positions[:positions], out.Readings[:readings]
	if reject == nil || start.Skip() != nil {
		return inElement(n, err)
	}
	*s = start
	reject(inElement(n, err))
	return nil
}

// inElement adds the element to the name of the field.
func inElement(n int, err error) error {
	e, ok := err.(*nhip.Error)
	if !ok {
		return err
	}
	at := "[" + strconv.Itoa(n) + "]"
	if e.Field != "" {
		at += "." + e.Field
	}
	return &nhip.Error{Code: e.Code, Field: at, Rule: e.Rule}
}
