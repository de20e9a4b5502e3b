package decode

import (
	"strconv"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// MaxBatch is how many objects one message may hold. They are one record of the journal, which takes
// a megabyte, and wait together for one acknowledgement. The largest packet of the embedded broker
// (64 KiB) has room for about as many fixes; a box that kept more sends several messages.
const MaxBatch = 500

// Batch reads a payload that is one object or an array of them, to its end, and calls row with the
// scanner at each, in order. row appends what the object says to out. Errors name the element, as in
// "[3].lat".
//
// What is no JSON costs the whole message. An element that is JSON but not what the format says is
// handed to reject and costs itself only; with a nil reject it costs the whole message too.
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
			return nhip.Errorf(nhip.OutOfRange, "", "must hold at most %d elements", MaxBatch)
		}
		n++
		return element(s, out, reject, n-1, row)
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return nhip.Errorf(nhip.Missing, "", "must hold at least one element")
	}
	return s.End()
}

// element reads element n. When it is faulty, what it said is taken back and the scanner is put behind
// it, so that the next can be read.
func element(s *jsonscan.Scanner, out *nhip.Facts, reject func(error), n int, row func() error) error {
	start, positions, readings := *s, len(out.Positions), len(out.Readings)
	err := row()
	if err == nil {
		return nil
	}
	out.Positions, out.Readings = out.Positions[:positions], out.Readings[:readings]
	if reject == nil || start.Skip() != nil {
		return within(n, err)
	}
	*s = start
	reject(within(n, err))
	return nil
}

// within puts the element before the name of the field.
func within(n int, err error) error {
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
