package nhip

import "time"

// RecomputeQuery asks a collector to judge, correct and sum up again what stations have said.
type RecomputeQuery struct {
	Station string    `json:"station"` // "": all
	From    time.Time `json:"from"`    // exclusive
	To      time.Time `json:"to"`      // inclusive
}

// Validate returns an *Error with the code Invalid.
func (q *RecomputeQuery) Validate() error {
	switch {
	case q.From.IsZero():
		return Errorf(Invalid, "from", "is required")
	case q.To.IsZero():
		return Errorf(Invalid, "to", "is required")
	case !q.From.Before(q.To):
		return Errorf(Invalid, "from", "must be before to")
	}
	return nil
}

// LeftQuery asks how much is left of that; Station "" is all.
type LeftQuery struct {
	Station string `json:"station"`
}

// Recomputing is how much a collector has still to make.
type Recomputing struct {
	Hours int64 `json:"hours"` // of stations
	Days  int64 `json:"days"`  // of stations
}
