package nhip

import "time"

// RecomputeQuery asks a collector to assess, correct and roll up stored readings again.
type RecomputeQuery struct {
	Station string    `json:"station"` // "" for all
	From    time.Time `json:"from"`    // exclusive
	To      time.Time `json:"to"`      // inclusive
}

// Validate returns an *Error with the code Invalid.
func (q *RecomputeQuery) Validate() error {
	switch {
	case q.From.IsZero():
		return Errorf(CodeInvalid, "from", "is required")
	case q.To.IsZero():
		return Errorf(CodeInvalid, "to", "is required")
	case !q.From.Before(q.To):
		return Errorf(CodeInvalid, "from", "must be before to")
	}
	return nil
}

// RecomputeStatusQuery asks for the progress of recomputing; Station "" means all.
type RecomputeStatusQuery struct {
	Station string `json:"station"`
}

// RecomputeProgress is the work that a collector has left.
type RecomputeProgress struct {
	Hours int64 `json:"hours"` // station-hours
	Days  int64 `json:"days"`  // station-days
}
