package nhip

import (
	"fmt"
	"time"
)

// The window around the clock in which a fact's own time must lie.
const (
	FutureTolerance = 5 * time.Minute
	LateWindow      = 100 * 24 * time.Hour // unless it is configured
)

// Window says which times a fact may have: from Late before Now to FutureTolerance after it.
type Window struct {
	Now  time.Time
	Late time.Duration
}

// WindowAt returns the usual window.
func WindowAt(now time.Time) Window { return Window{Now: now, Late: LateWindow} }

// Origin says where a fact comes from. The zero value is a device in the street.
type Origin string

// Simulated marks the facts of the built-in simulator; they travel with the mark everywhere.
const Simulated Origin = "simulated"

// Facts is what one message said: its decoder's output, the journal's content and the unit of
// acknowledgement. Each position, reading and saying is one row of the ledger.
type Facts struct {
	Positions []Position `json:"positions,omitempty"`
	Readings  []Reading  `json:"readings,omitempty"`
	Sayings   []Saying   `json:"sayings,omitempty"`

	// Undated says that the device has no clock: the times of its facts are those of arrival, so the
	// same payload sent twice does not carry the same times.
	Undated bool `json:"undated,omitempty"`
}

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	f.Positions = f.Positions[:0]
	f.Readings = f.Readings[:0]
	f.Sayings = f.Sayings[:0]
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
	for i := range f.Sayings {
		if err := f.Sayings[i].ValidateIn(WindowAt(now)); err != nil {
			return err
		}
	}
	return nil
}

// check holds a fact's own time against the window: Missing, Future or TooOld.
func (w Window) check(t time.Time) error {
	switch {
	case t.IsZero():
		return Errorf(Missing, "time", "is required")
	case t.After(w.Now.Add(FutureTolerance)):
		return Errorf(Future, "time", "%s is more than %s ahead of the clock (%s)",
			t.UTC().Format(time.RFC3339), FutureTolerance, w.Now.UTC().Format(time.RFC3339))
	case t.Before(w.Now.Add(-w.Late)):
		return Errorf(TooOld, "time", "%s is more than %s before the clock (%s)",
			t.UTC().Format(time.RFC3339), formatDays(w.Late), w.Now.UTC().Format(time.RFC3339))
	}
	return nil
}

// formatDays writes a span in days where it is some.
func formatDays(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return d.String()
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
