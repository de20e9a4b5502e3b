package nhip

import "time"

// ReviewAction is what a review does to a span of readings.
type ReviewAction string

// The actions. Where several reviews cover a reading, the latest exclusion or reinstatement decides.
const (
	ActionExclude   ReviewAction = "strike"   // the readings are invalid
	ActionReinstate ReviewAction = "restore"  // the readings are valid, whatever the automatic checks found
	ActionAnnotate  ReviewAction = "annotate" // a remark that changes no flag
	// The monitor's usual difference from the others in the span is right, and later ones are measured against it. It
	// changes no flag of the span.
	ActionBaseline ReviewAction = "baseline"
	// The review that Of names counts no longer, as if it had never been decided; all others do. It may itself be undone.
	ActionUndo ReviewAction = "undo"
)

// Review is a decision of staff about a span of one station's readings. Reviews are never changed or deleted; a later
// review supersedes an earlier one.
type Review struct {
	ID       string       `json:"id"`
	Station  string       `json:"station"`
	Quantity Quantity     `json:"quantity,omitempty"` // "" for all
	From     time.Time    `json:"from"`               // exclusive, because a reading's time is the END of its period
	To       time.Time    `json:"to"`                 // inclusive
	Action   ReviewAction `json:"action"`
	Of       string       `json:"of,omitempty"` // of ActionUndo: the id of the review, whose station and span it repeats
	By       string       `json:"by"`
	Why      string       `json:"why"`
	Time     time.Time    `json:"time"` // of the decision
}

// MaxReviewSpan is the longest span of one review.
const MaxReviewSpan = 366 * 24 * time.Hour

// MinBaselineSpan is the shortest span of a baseline: in fewer days, weather and one source nearby look like a usual
// difference.
const MinBaselineSpan = 5 * 24 * time.Hour

// Validate checks r. It returns an *Error that names the field.
func (r *Review) Validate() error {
	for _, text := range []struct{ field, value string }{
		{"id", r.ID},
		{"station", r.Station},
		{"by", r.By},
		{"why", r.Why},
	} {
		if err := CheckID(text.field, text.value); err != nil {
			return err
		}
	}
	if r.Of != "" {
		if err := CheckID("of", r.Of); err != nil {
			return err
		}
	}
	switch {
	case r.Quantity != "" && !r.Quantity.Known():
		return Errorf(CodeUnknownField, "quantity", "%q is not a known quantity", string(r.Quantity))
	case !r.Action.Known():
		return Errorf(CodeOutOfRange, "action", "must be strike, restore, annotate, baseline or undo, got %q",
			string(r.Action))
	case r.Action != ActionUndo && r.Of != "":
		return Errorf(CodeOutOfRange, "of", "belongs to the action undo only")
	case r.Action == ActionUndo && (r.Of == "" || r.Of == r.ID):
		return Errorf(CodeOutOfRange, "of", "must be the id of the review that is undone")
	case r.From.IsZero():
		return Errorf(CodeMissing, "from", "is required")
	case r.To.IsZero():
		return Errorf(CodeMissing, "to", "is required")
	case !r.From.Before(r.To):
		return Errorf(CodeOutOfRange, "from", "must be before to")
	case r.To.Sub(r.From) > MaxReviewSpan:
		return Errorf(CodeOutOfRange, "from", "must be at most %s before to", formatDays(MaxReviewSpan))
	case r.Action == ActionBaseline && r.To.Sub(r.From) < MinBaselineSpan:
		return Errorf(CodeOutOfRange, "from", "must be at least %s before to", formatDays(MinBaselineSpan))
	case r.Time.IsZero():
		return Errorf(CodeMissing, "time", "is required")
	}
	return nil
}

// Known reports whether a is an action.
func (a ReviewAction) Known() bool {
	switch a {
	case ActionExclude, ActionReinstate, ActionAnnotate, ActionBaseline, ActionUndo:
		return true
	}
	return false
}

// Decides reports whether r decides about the flags of the readings that it covers.
func (r *Review) Decides() bool { return r.Action == ActionExclude || r.Action == ActionReinstate }

// ChangesFlags reports whether r may change the flags of the readings that it covers.
func (r *Review) ChangesFlags() bool { return r.Decides() || r.Action == ActionUndo }

// Covers reports whether r applies to a value of q whose period ends at t.
func (r *Review) Covers(q Quantity, t time.Time) bool {
	return (r.Quantity == "" || r.Quantity == q) && t.After(r.From) && !t.After(r.To)
}

// SameAs reports whether a review decides the same, whoever decides it and when: it may be a repeated request.
func (r *Review) SameAs(o *Review) bool {
	a, b := *r, *o
	a.By, a.Time, b.By, b.Time = "", time.Time{}, "", time.Time{}
	sameSpan := a.From.Equal(b.From) && a.To.Equal(b.To)
	a.From, a.To, b.From, b.To = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return sameSpan && a == b
}

// Supersedes returns the review of its station that r takes the place of, nil if there is none: the one that an undo
// names; for a decision about flags, or a baseline, the latest one in force that has a part of its span and quantity.
// reviews are in the order of their decisions.
func (r *Review) Supersedes(reviews []Review) *Review {
	for i := len(reviews) - 1; i >= 0; i-- {
		o := &reviews[i]
		if !o.Time.Before(r.Time) || o.ID == r.ID {
			continue
		}
		if r.Action == ActionUndo {
			if o.ID == r.Of {
				return o
			}
			continue
		}
		sameKind := r.Decides() && o.Decides() || r.Action == ActionBaseline && o.Action == ActionBaseline
		sameQuantity := r.Quantity == "" || o.Quantity == "" || r.Quantity == o.Quantity
		overlaps := r.From.Before(o.To) && o.From.Before(r.To)
		if sameKind && sameQuantity && overlaps && !Undone(reviews, i) {
			return o
		}
	}
	return nil
}

// Undone reports whether the i-th of the reviews of a station counts no longer. A review can only be undone later than
// it was decided.
func Undone(reviews []Review, i int) bool {
	for k := range reviews {
		u := &reviews[k]
		if u.Action == ActionUndo && u.Of == reviews[i].ID && u.Time.After(reviews[i].Time) && !Undone(reviews, k) {
			return true
		}
	}
	return false
}

// Decide applies the reviews of a station, given in the order of their decisions, to the flag of a value of q whose
// period ends at t. It returns the resulting flag and whether any review decided it.
func Decide(reviews []Review, q Quantity, t time.Time, flag Flag) (Flag, bool) {
	for i := len(reviews) - 1; i >= 0; i-- {
		r := &reviews[i]
		switch {
		case !r.Decides() || !r.Covers(q, t) || Undone(reviews, i):
		case r.Action == ActionExclude:
			return FlagFail, true
		default:
			return FlagGood, true
		}
	}
	return flag, false
}
