// Package alert decides when staff are alerted. An alert has three grades with hysteresis and a minimum duration.
package alert

import (
	"fmt"
	"time"

	"nhip"
)

// Measures of rules, besides quantities and scales.
const (
	MeasureSilent  = "silent"  // minutes since the last value
	MeasureFrozen  = "frozen"  // flag of the flat-line checks: 3 suspect, 4 fail
	MeasureCapture = "capture" // percent of the last 24 hours that are complete; low values are bad
)

// Rule defines when an alert begins and ends.
type Rule struct {
	Name       string
	Measure    string        // a quantity (its hourly mean), a scale (its hourly index), or one of the above
	Station    string        // "": all stations
	Area       string        // area in the fleet file; "": all areas
	Thresholds [3]float64    // of nhip.GradeTendency to nhip.GradeExceeding; NaN disables a grade
	Hysteresis float64       // how far a value must fall below a threshold to leave its grade
	Hold       time.Duration // how long a higher grade must persist
}

// sign returns -1 for measures of which low values are bad, and 1 otherwise.
func (r *Rule) sign() float64 {
	if r.Measure == MeasureCapture {
		return -1
	}
	return 1
}

// grade returns the grade of a value. The current grade is left only beyond the hysteresis.
func (r *Rule) grade(v float64, present int) int {
	s := r.sign()
	for g := len(r.Thresholds); g > 0; g-- {
		threshold := s * r.Thresholds[g-1]
		if g <= present {
			threshold -= r.Hysteresis
		}
		if s*v >= threshold { // false for NaN
			return g
		}
	}
	return 0
}

// State is the state of one rule at one station. The zero State has no alert.
type State struct {
	Alert        nhip.Alert `json:"alert,omitzero"`
	Pending      int        `json:"pending,omitempty"` // a higher grade that has not persisted long enough
	PendingSince time.Time  `json:"from,omitzero"`     // start of the pending grade
	LastObserved time.Time  `json:"seen,omitzero"`     // time of the last value
}

// Observe updates the state with a value and reports whether the alert began, changed its grade or ended. A value
// that is not newer than the last one is ignored, so that no change is reported twice.
func (s *State) Observe(r *Rule, station string, at time.Time, v float64) bool {
	if !at.After(s.LastObserved) {
		return false
	}
	s.LastObserved = at
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
		r.tellThreshold(a)
		a.Record()
		return true
	}
	if s.Pending == 0 {
		s.PendingSince = at
	}
	s.Pending = target
	if at.Sub(s.PendingSince) < r.Hold {
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
	r.tellThreshold(a)
	a.Record()
	a.AckBy, a.AckNote, a.AckTime = "", "", time.Time{} // a higher grade requires a new acknowledgement
	return true
}

// tellThreshold sets the threshold of an alert's grade. One that has ended keeps its last one.
func (r *Rule) tellThreshold(a *nhip.Alert) {
	if a.Grade > 0 {
		a.Threshold = nhip.Some(r.Thresholds[a.Grade-1])
	}
}

// Applies reports whether the rule covers a station.
func (r *Rule) Applies(station, area string) bool {
	return (r.Station == "" || r.Station == station) && (r.Area == "" || r.Area == area)
}
