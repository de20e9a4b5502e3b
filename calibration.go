package nhip

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// CalibrationChange is what staff have set of the calibration of a station's quantity over the web, beside the fleet
// file: all lines that count instead of those of the file. It counts as long as the file's entry of the quantity is the
// one that it was made from: a later edit of that entry wins. Its document has the id of CalibrationID.
type CalibrationChange struct {
	Base  string            `json:"base"`  // digest of the entry of the file; "" if the file has no calibration
	Lines []CalibrationLine `json:"lines"` // by From, no two with the same; none: the values are not corrected
}

// CalibrationLine corrects the values of an instrument from a time on, until the next line: Slope × value + Offset.
type CalibrationLine struct {
	From   time.Time `json:"valid_from"` // of the END of a reading, inclusive
	Slope  float64   `json:"slope"`      // MinCalibrationSlope to MaxCalibrationSlope
	Offset float64   `json:"offset"`     // in the unit of the quantity; at most MaxCalibrationOffset, either sign
	Why    string    `json:"why,omitempty"`
	By     string    `json:"by,omitempty"`  // who added it over the web; "" for a line of the file
	Time   time.Time `json:"time,omitzero"` // of that decision
}

// Bounds of a calibration. Beyond them an instrument is broken rather than uncalibrated.
const (
	MinCalibrationSlope  = 0.01
	MaxCalibrationSlope  = 100
	MaxCalibrationOffset = 1_000_000

	MaxCalibrationLines = 40 // of one quantity of a station, in a change
)

// Years in which a line may begin to be valid. An early one means that it always is.
const firstCalibrationYear, lastCalibrationYear = 1900, 2200

// CalibrationID returns the id of the document with the calibration of a station's quantity.
func CalibrationID(station string, q Quantity) string { return station + "/" + string(q) }

// ParseCalibrationID returns the station and the quantity of such an id.
func ParseCalibrationID(id string) (station string, q Quantity, ok bool) {
	at := strings.LastIndexByte(id, '/') // which an id of a station may contain, and a quantity does not
	if at <= 0 {
		return "", "", false
	}
	q, ok = ParseQuantity(id[at+1:])
	return id[:at], q, ok
}

// Validate checks l. It returns an *Error that names the field.
func (l *CalibrationLine) Validate() error {
	switch year := l.From.UTC().Year(); {
	case l.From.IsZero():
		return Errorf(CodeMissing, "valid_from", "is required")
	case year < firstCalibrationYear || year > lastCalibrationYear:
		return Errorf(CodeOutOfRange, "valid_from", "must be between the years %d and %d, got %d",
			firstCalibrationYear, lastCalibrationYear, year)
	case !(l.Slope >= MinCalibrationSlope && l.Slope <= MaxCalibrationSlope): // written so that NaN fails
		return Errorf(CodeOutOfRange, "slope", "must be between %v and %v, got %v", MinCalibrationSlope,
			MaxCalibrationSlope, l.Slope)
	case !(math.Abs(l.Offset) <= MaxCalibrationOffset):
		return Errorf(CodeOutOfRange, "offset", "must be between %d and %d, got %v", -MaxCalibrationOffset,
			MaxCalibrationOffset, l.Offset)
	}
	if err := CheckText("why", l.Why); err != nil {
		return err
	}
	return CheckText("by", l.By)
}

// Validate checks c. It returns an *Error that names the field.
func (c *CalibrationChange) Validate() error {
	if err := CheckText("base", c.Base); err != nil {
		return err
	}
	switch {
	case len(c.Lines) > MaxCalibrationLines:
		return Errorf(CodeOutOfRange, "lines", "must be at most %d, got %d", MaxCalibrationLines, len(c.Lines))
	case len(c.Lines) == 0 && c.Base == "":
		return Errorf(CodeOutOfRange, "lines", "must not be empty without an entry of the file")
	}
	for i := range c.Lines {
		if err := c.Lines[i].Validate(); err != nil {
			return err
		}
		if i > 0 && !c.Lines[i].From.After(c.Lines[i-1].From) {
			return Errorf(CodeOutOfRange, "valid_from", "must be later than that of the line before")
		}
	}
	return nil
}

// MadeCalibration is a CalibrationChange with who made it, as the API tells it.
type MadeCalibration struct {
	Station  string    `json:"station"`
	Quantity Quantity  `json:"quantity"`
	By       string    `json:"by"`
	Time     time.Time `json:"time"`
	CalibrationChange
}

// FleetChanges are what staff have changed over the web beside the fleet file.
type FleetChanges struct {
	Changes      []MadeChange      `json:"changes"`      // of devices, by id
	Calibrations []MadeCalibration `json:"calibrations"` // by station and quantity
}

func validateCalibration(id string, body json.RawMessage) error {
	if _, _, ok := ParseCalibrationID(id); !ok {
		return Errorf(CodeMalformed, "id", "must be a station and a quantity, as in hn-01/pm25, got %q", id)
	}
	var c CalibrationChange
	if err := DecodeStrict(body, &c); err != nil {
		return err
	}
	return c.Validate()
}
