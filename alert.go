package nhip

import (
	"slices"
	"time"
)

// Grades of an alert, as the environment agency defines them.
const (
	GradeTendency  = 1
	GradePreparing = 2
	GradeExceeding = 3
)

// GradeNames are the display names by grade; grade 0 is the end of an alert.
var GradeNames = [4]LocalizedText{
	{Vi: "kết thúc", En: "ended"},
	{Vi: "có xu hướng vượt", En: "tendency"},
	{Vi: "chuẩn bị vượt", En: "preparing"},
	{Vi: "vượt ngưỡng", En: "exceeding"},
}

// Alert is one episode of one rule at one station, from its first grade to its end.
type Alert struct {
	ID      string  `json:"id"` // unique
	Rule    string  `json:"rule"`
	Measure string  `json:"measure"` // a quantity, a scale, "silent", "frozen" or "capture"
	Station string  `json:"station"`
	Grade   int     `json:"grade"` // GradeTendency to GradeExceeding; 0 after the end
	Value   float64 `json:"value"` // at Time
	Peak    float64 `json:"peak"`  // most extreme value so far
	// Threshold is the one of the grade; after the end, of the last grade. Alerts of older collectors have none.
	Threshold Opt[float64] `json:"threshold,omitzero"`
	Since     time.Time    `json:"since"`
	Time      time.Time    `json:"time"` // of the last change of grade
	// Changes are those of the grade, oldest first: the first one and the newest, MaxAlertChanges in all. The last one is
	// of Time. Alerts of older collectors have none.
	Changes []AlertChange `json:"changes,omitempty"`

	AckBy   string    `json:"ack_by,omitempty"`
	AckNote string    `json:"ack_note,omitempty"`
	AckTime time.Time `json:"ack_time,omitzero"`
}

// MaxAlertChanges is the number of changes that an alert remembers.
const MaxAlertChanges = 32

// AlertChange is a change of an alert's grade.
type AlertChange struct {
	Time      time.Time    `json:"time"`
	Grade     int          `json:"grade"` // 0: the end
	Value     float64      `json:"value"` // at Time
	Threshold Opt[float64] `json:"threshold,omitzero"`
}

// Record adds the present grade to the changes. It leaves the changes of copies of a as they are.
func (a *Alert) Record() {
	kept := a.Changes
	if len(kept) >= MaxAlertChanges {
		kept = slices.Concat(kept[:1], kept[len(kept)-MaxAlertChanges+2:])
	}
	a.Changes = append(slices.Clip(kept), AlertChange{a.Time, a.Grade, a.Value, a.Threshold})
}

// Ack is the acknowledgement of an alert by staff.
type Ack struct {
	Alert string    `json:"alert"` // id of the alert
	By    string    `json:"by"`
	Note  string    `json:"note,omitempty"`
	Time  time.Time `json:"time"`
}

// Validate checks a. It returns an *Error that names the field.
func (a *Ack) Validate() error {
	if err := CheckID("alert", a.Alert); err != nil {
		return err
	}
	if err := CheckID("by", a.By); err != nil {
		return err
	}
	if a.Time.IsZero() {
		return Errorf(CodeMissing, "time", "is required")
	}
	return CheckText("note", a.Note)
}
