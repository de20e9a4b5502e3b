package nhip

import (
	"sort"
	"strconv"
	"time"
)

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
