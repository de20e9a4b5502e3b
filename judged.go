package nhip

import "time"

// Quality says how much of what is known about values is used to answer for them.
type Quality string

// The qualities. Nothing of a lower one is lost by a higher one.
const (
	Raw       Quality = "raw"       // what the device said, whatever anybody thinks of it
	Automatic Quality = "automatic" // corrected, and without what the checks failed
	Reviewed  Quality = "reviewed"  // as people have decided; where nobody did, automatic
)

// Verdict is what the platform itself makes of a reading. The zero Verdict is none yet.
type Verdict struct {
	Flag      Flag         `json:"flag,omitempty"`     // of the automatic checks
	Tests     string       `json:"tests,omitempty"`    // those that it did not pass: "spike=4,humidity=3"
	Corrected Opt[float64] `json:"corrected,omitzero"` // what it should have said, where a correction applies
	Rule      string       `json:"rule,omitempty"`     // the correction's name
}

// Judged is a reading and what the platform makes of it.
type Judged struct {
	Reading
	Verdict Verdict `json:"verdict,omitzero"`
}

// At returns the value and its flag at a quality below Reviewed. Who is not judged yet keeps the device's flag.
func (j *Judged) At(q Quality) (float64, Flag) {
	if q == Raw {
		return j.Value, j.Flag
	}
	flag := j.Verdict.Flag
	if flag == 0 {
		flag = j.Flag
	}
	return j.Verdict.Corrected.Or(j.Value), flag
}

// Lengths of roll-ups as they are written.
const (
	HourPeriod  = "1h"
	DayPeriod   = "1d"
	MonthPeriod = "1mo"
)

// Rollup sums up the values of one quantity at one station over an hour, a local day or a local month. A day
// and a month are made of the hours that are complete.
type Rollup struct {
	Station  string    `json:"station"`
	Quantity Quantity  `json:"quantity"`
	Period   string    `json:"period"`
	Quality  Quality   `json:"level"`
	Time     time.Time `json:"time"` // END, UTC
	Stats
}

// Stats are the numbers of a Rollup, in Quantity.Unit. Where Count is 0 there are none.
type Stats struct {
	Mean    float64      `json:"mean"`
	Min     float64      `json:"min"`
	Max     float64      `json:"max"`
	P98     float64      `json:"p98"`
	Median  float64      `json:"median"`
	Max1h   Opt[float64] `json:"max_1h,omitzero"` // of a day: the highest hour
	Max8h   Opt[float64] `json:"max_8h,omitzero"` // of a day: the highest mean of 8 hours that ends in it
	Count   int          `json:"count"`           // values of an hour; complete hours of a day or a month
	Capture float64      `json:"capture_pct"`     // Count of as many as there could be, 0 to 100

	// Flag is Good or Suspect for a complete one, NotEvaluated where too little was captured to stand for the
	// whole, Fail where there were values and none was any good.
	Flag Flag `json:"flag"`
}

// Complete reports whether the numbers stand for the whole.
func (s *Stats) Complete() bool { return s.Flag == Good || s.Flag == Suspect }

// Action is what a person does to a span of readings.
type Action string

// The actions. Of several on one reading the last of Strike and Restore counts.
const (
	Strike   Action = "strike"   // it is no measurement
	Restore  Action = "restore"  // it is one, whatever the checks said
	Annotate Action = "annotate" // a remark that changes nothing
)

// Review is what somebody decided about a span of one station's readings. Reviews are never changed or taken
// back; a later one may say otherwise.
type Review struct {
	ID       string    `json:"id"`
	Station  string    `json:"station"`
	Quantity Quantity  `json:"quantity,omitempty"` // "": all
	From     time.Time `json:"from"`               // exclusive, as averages END after their span has begun
	To       time.Time `json:"to"`                 // inclusive
	Action   Action    `json:"action"`
	By       string    `json:"by"`
	Why      string    `json:"why"`
	Time     time.Time `json:"time"` // when it was decided
}

// MaxReview is the longest span of one review.
const MaxReview = 366 * 24 * time.Hour

// Validate checks r and returns an *Error naming the field.
func (r *Review) Validate() error {
	for _, text := range []struct{ field, value string }{{"id", r.ID}, {"station", r.Station}, {"by", r.By}, {"why", r.Why}} {
		if err := CheckID(text.field, text.value); err != nil {
			return err
		}
	}
	switch {
	case r.Quantity != "" && !r.Quantity.Known():
		return Errorf(UnknownField, "quantity", "%q is not a known quantity", string(r.Quantity))
	case r.Action != Strike && r.Action != Restore && r.Action != Annotate:
		return Errorf(OutOfRange, "action", "must be strike, restore or annotate, got %q", string(r.Action))
	case r.From.IsZero():
		return Errorf(Missing, "from", "is required")
	case r.To.IsZero():
		return Errorf(Missing, "to", "is required")
	case !r.From.Before(r.To):
		return Errorf(OutOfRange, "from", "must be before to")
	case r.To.Sub(r.From) > MaxReview:
		return Errorf(OutOfRange, "from", "must be at most %s before to", formatDays(MaxReview))
	case r.Time.IsZero():
		return Errorf(Missing, "time", "is required")
	}
	return nil
}

// Covers reports whether r is about a value of q that ends at t.
func (r *Review) Covers(q Quantity, t time.Time) bool {
	return (r.Quantity == "" || r.Quantity == q) && t.After(r.From) && !t.After(r.To)
}

// Decide returns what reviews, in the order in which they were decided, make of the flag of a value of q that
// ends at t, and whether any says so.
func Decide(reviews []Review, q Quantity, t time.Time, flag Flag) (Flag, bool) {
	decided := false
	for i := range reviews {
		r := &reviews[i]
		switch {
		case r.Action == Annotate || !r.Covers(q, t):
		case r.Action == Strike:
			flag, decided = Fail, true
		default:
			flag, decided = Good, true
		}
	}
	return flag, decided
}
