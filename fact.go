package nhip

import (
	"fmt"
	"sort"
	"strconv"
	"time"
)

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

// Origin is the source of a fact. The zero value is a real device.
type Origin string

// OriginSimulated marks the facts of the built-in simulator wherever they are stored or served.
const OriginSimulated Origin = "simulated"

// Facts is the decoded content of one message: the output of a decoder, the content of a journal record and the unit of
// acknowledgement. The ledger counts each position, reading and user action as one row, and of a service report each
// alert and each trip that differs from the timetable in more than its delay.
type Facts struct {
	Positions   []Position   `json:"positions,omitempty"`
	Readings    []Reading    `json:"readings,omitempty"`
	UserActions []UserAction `json:"sayings,omitempty"`

	Service *ServiceReport `json:"service,omitempty"` // trips and alerts of a realtime feed; nil if there are none

	// Undated is true where the device has no clock: its facts carry the time of arrival, so the same payload sent
	// twice carries different times.
	Undated bool `json:"undated,omitempty"`

	// Rows are the rows of the message from which the facts were decoded, if it has several. They are not recorded.
	Rows []FactRow `json:"-"`
}

// FactRow is a row of a message: a line of a table, an element of an array. Its facts are those from Positions and
// Readings on, up to those of the next row.
type FactRow struct {
	Name   string // with N, if N is not negative, and Suffix: "line " and 3
	N      int
	Suffix string

	Positions, Readings int
}

// String returns the name with which faults of the row begin.
func (r *FactRow) String() string {
	if r.N < 0 {
		return r.Name + r.Suffix
	}
	return r.Name + strconv.Itoa(r.N) + r.Suffix
}

// BeginRow says that the facts that are appended from now on are those of a row; see FactRow.
func (f *Facts) BeginRow(name string, n int, suffix string) {
	f.Rows = append(f.Rows, FactRow{name, n, suffix, len(f.Positions), len(f.Readings)})
}

// PositionRow returns the name of the row of position i, "" if the message has no rows.
func (f *Facts) PositionRow(i int) string {
	return f.rowName(sort.Search(len(f.Rows), func(k int) bool { return f.Rows[k].Positions > i }))
}

// ReadingRow returns the name of the row of reading i, "" if the message has no rows.
func (f *Facts) ReadingRow(i int) string {
	return f.rowName(sort.Search(len(f.Rows), func(k int) bool { return f.Rows[k].Readings > i }))
}

// rowName returns the name of the row before next.
func (f *Facts) rowName(next int) string {
	if next == 0 {
		return ""
	}
	return f.Rows[next-1].String()
}

// Reset empties f and keeps its memory for reuse.
func (f *Facts) Reset() {
	f.Positions = f.Positions[:0]
	f.Readings = f.Readings[:0]
	f.UserActions = f.UserActions[:0]
	f.Rows = f.Rows[:0]
	f.Service = nil
	f.Undated = false
}

// Validate checks every fact against the rules of acceptance. It returns the first *Error.
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
	for i := range f.UserActions {
		if err := f.UserActions[i].ValidateIn(WindowAt(now)); err != nil {
			return err
		}
	}
	if f.Service != nil {
		return f.Service.Validate(WindowAt(now))
	}
	return nil
}

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

// formatDays formats whole days as days and anything else as FormatDuration does.
func formatDays(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return FormatDuration(d)
}

// CheckID checks that an id is not empty and can stand in topics, tags and URLs.
func CheckID(field, id string) error {
	if id == "" {
		return Errorf(CodeMissing, field, "is required")
	}
	return CheckText(field, id)
}

// MaxText is the maximum length of a text field of a fact, in bytes.
const MaxText = 256

// CheckText rejects text that is too long or contains control characters, which break the formats downstream.
func CheckText(field, s string) error {
	if len(s) > MaxText {
		return Errorf(CodeOutOfRange, field, "must be at most %d bytes, got %d", MaxText, len(s))
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return Errorf(CodeOutOfRange, field, "must be printable UTF-8, got %q", s)
		}
	}
	return nil
}
