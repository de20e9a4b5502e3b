package nhip

import "time"

// The window around the clock in which a fact's own time must lie.
const (
	FutureTolerance = 5 * time.Minute
	LateWindow      = 100 * 24 * time.Hour
)

// Origin says where a fact comes from. The zero value is a device in the street.
type Origin string

// Simulated marks the facts of the built-in simulator; they travel with the mark everywhere.
const Simulated Origin = "simulated"

// Facts is what one message said: its decoder's output, the journal's content and the unit of
// acknowledgement. Each position and each reading is one row of the ledger.
type Facts struct {
	Positions []Position `json:"positions,omitempty"`
	Readings  []Reading  `json:"readings,omitempty"`

	// Undated says that the device has no clock: the times of its facts are those of arrival, so the
	// same payload sent twice does not carry the same times.
	Undated bool `json:"undated,omitempty"`
}

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	f.Positions = f.Positions[:0]
	f.Readings = f.Readings[:0]
	f.Undated = false
}

// Validate checks every fact against the rules at the door and returns the first *Error.
func (f *Facts) Validate(now time.Time) error {
	for i := range f.Positions {
		if err := f.Positions[i].Validate(now); err != nil {
			return err
		}
	}
	for i := range f.Readings {
		if err := f.Readings[i].Validate(now); err != nil {
			return err
		}
	}
	return nil
}

// checkTime holds a fact's own time against the clock: Missing, Future or TooOld.
func checkTime(t, now time.Time) error {
	switch {
	case t.IsZero():
		return Errorf(Missing, "time", "is required")
	case t.After(now.Add(FutureTolerance)):
		return Errorf(Future, "time", "%s is more than %s ahead of the clock (%s)",
			t.UTC().Format(time.RFC3339), FutureTolerance, now.UTC().Format(time.RFC3339))
	case t.Before(now.Add(-LateWindow)):
		return Errorf(TooOld, "time", "%s is more than %d days before the clock (%s)",
			t.UTC().Format(time.RFC3339), int(LateWindow.Hours()/24), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// CheckID holds the name of a device against what topics, tags and addresses can carry.
func CheckID(field, id string) error {
	if id == "" {
		return Errorf(Missing, field, "is required")
	}
	return CheckText(field, id)
}

// MaxText is the longest text a fact may carry in one field, in bytes.
const MaxText = 256

// CheckText refuses text that is too long or holds control characters, which have no business in
// an id or a headsign and break every format downstream.
func CheckText(field, s string) error {
	if len(s) > MaxText {
		return Errorf(OutOfRange, field, "must be at most %d bytes, got %d", MaxText, len(s))
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return Errorf(OutOfRange, field, "must be printable UTF-8, got %q", s)
		}
	}
	return nil
}
