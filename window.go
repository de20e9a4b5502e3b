package nhip

import "time"

// Bounds of a fact's own time around the clock.
const (
	FutureTolerance = 5 * time.Minute
	LateWindow      = 100 * 24 * time.Hour // default; configurable
)

// Window is the span in which a fact's own time must lie: from Late before Now to FutureTolerance after Now.
type Window struct {
	Now  time.Time
	Late time.Duration
}

// WindowAt returns the default window around now.
func WindowAt(now time.Time) Window { return Window{Now: now, Late: LateWindow} }

// check returns an *Error with CodeMissing, CodeFuture or CodeTooOld where t is not in the window.
func (w Window) check(t time.Time) error {
	switch {
	case t.IsZero():
		return Errorf(CodeMissing, "time", "is required")
	case t.After(w.Now.Add(FutureTolerance)):
		return Errorf(CodeFuture, "time", "%s is more than %s ahead of the clock (%s)",
			t.UTC().Format(time.RFC3339), FutureTolerance, w.Now.UTC().Format(time.RFC3339))
	case t.Before(w.Now.Add(-w.Late)):
		return Errorf(CodeTooOld, "time", "%s is more than %s before the clock (%s)",
			t.UTC().Format(time.RFC3339), formatDays(w.Late), w.Now.UTC().Format(time.RFC3339))
	}
	return nil
}
