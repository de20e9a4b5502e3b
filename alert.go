package nhip

import "time"

// The grades of an alert, as the agency's staff know them.
const (
	Tendency  = 1
	Preparing = 2
	Exceeding = 3
)

// GradeNames are what people call the grades; 0 is the end of an alert.
var GradeNames = [4]Name{
	{Vi: "kết thúc", En: "ended"}, {Vi: "có xu hướng vượt", En: "tendency"}, {Vi: "chuẩn bị vượt", En: "preparing"}, {Vi: "vượt ngưỡng", En: "exceeding"},
}

// Alert is one episode of one rule at one station: from its first grade to its end.
type Alert struct {
	ID      string    `json:"id"` // unique
	Rule    string    `json:"rule"`
	Measure string    `json:"measure"` // a quantity, a scale, "silent", "frozen" or "capture"
	Station string    `json:"station"`
	Grade   int       `json:"grade"` // Tendency to Exceeding; 0 when it has ended
	Value   float64   `json:"value"` // at Time
	Peak    float64   `json:"peak"`  // the farthest so far
	Since   time.Time `json:"since"`
	Time    time.Time `json:"time"` // when it took its grade

	AckBy   string    `json:"ack_by,omitempty"`
	AckNote string    `json:"ack_note,omitempty"`
	AckTime time.Time `json:"ack_time,omitzero"`
}

// Ack is that somebody has seen an alert.
type Ack struct {
	Alert string    `json:"alert"` // its id
	By    string    `json:"by"`
	Note  string    `json:"note,omitempty"`
	Time  time.Time `json:"time"`
}

// Validate checks a and returns an *Error naming the field.
func (a *Ack) Validate() error {
	if err := CheckID("alert", a.Alert); err != nil {
		return err
	}
	if err := CheckID("by", a.By); err != nil {
		return err
	}
	if a.Time.IsZero() {
		return Errorf(Missing, "time", "is required")
	}
	return CheckText("note", a.Note)
}
