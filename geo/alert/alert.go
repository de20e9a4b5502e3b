// Package alert decides when staff are told: three grades with hysteresis and a time that they must hold.
package alert

import (
	"fmt"
	"math"
	"time"

	"nhip"
)

// What rules can be about beside quantities and scales.
const (
	Silent  = "silent"  // minutes since the last value
	Frozen  = "frozen"  // the flag that the checks of flat lines give: 3 suspect, 4 fail
	Capture = "capture" // percent of the last 24 hours that are complete; low is bad
)

// Rule says when an alert begins and ends.
type Rule struct {
	Name       string
	Measure    string     // a quantity (its hourly mean), a scale (its hourly index), or one of the above
	Station    string     // "": every one
	Area       string     // of the fleet; "": every one
	Grades     [3]float64 // thresholds of nhip.Tendency to nhip.Exceeding; NaN: there is no such grade
	Hysteresis float64    // how far back behind a threshold a value must come to leave its grade
	Hold       time.Duration
}

// sign turns measures of which low is bad.
func (r *Rule) sign() float64 {
	if r.Measure == Capture {
		return -1
	}
	return 1
}

// grade returns the grade of a value, at which the present one is left only beyond the hysteresis.
func (r *Rule) grade(v float64, present int) int {
	s := r.sign()
	for g := len(r.Grades); g > 0; g-- {
		threshold := s * r.Grades[g-1]
		if g <= present {
			threshold -= r.Hysteresis
		}
		if s*v >= threshold { // never of NaN
			return g
		}
	}
	return 0
}

// State is where a rule stands at one station. The zero State is quiet.
type State struct {
	Alert   nhip.Alert `json:"alert,omitzero"`
	Pending int        `json:"pending,omitempty"` // a higher grade that has not held for long enough
	From    time.Time  `json:"from,omitzero"`     // since when it is pending
	Seen    time.Time  `json:"seen,omitzero"`     // of the last value
}

// Observe takes in the value of a moment and reports whether the alert began, changed its grade or ended. What is
// not later than what was seen is passed over, so that nothing is told twice.
func (s *State) Observe(r *Rule, station string, at time.Time, v float64) bool {
	if !at.After(s.Seen) {
		return false
	}
	s.Seen = at
	a := &s.Alert
	if a.Grade > 0 && r.sign()*v > r.sign()*a.Peak {
		a.Peak = v
	}
	target := r.grade(v, a.Grade)
	switch {
	case target == a.Grade:
		s.Pending = 0
		return false
	case target < a.Grade:
		s.Pending = 0
		a.Grade, a.Value, a.Time = target, v, at
		return true
	}
	if s.Pending == 0 {
		s.From = at
	}
	s.Pending = target
	if at.Sub(s.From) < r.Hold {
		return false
	}
	if a.Grade == 0 {
		*a = nhip.Alert{
			ID:   fmt.Sprintf("%s.%s.%d", r.Name, station, at.Unix()),
			Rule: r.Name, Measure: r.Measure, Station: station, Since: at, Peak: v,
		}
	}
	s.Pending = 0
	a.Grade, a.Value, a.Time = target, v, at
	a.AckBy, a.AckNote, a.AckTime = "", "", time.Time{} // a higher grade is to be seen anew
	return true
}

// Applies reports whether a rule is about a station.
func (r *Rule) Applies(station, area string) bool {
	return (r.Station == "" || r.Station == station) && (r.Area == "" || r.Area == area)
}

// None is a grade that there is not.
func None() float64 { return math.NaN() }
