package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"nhip"
)

// QuantityOf returns the entry of a quantity; the zero Quantity with its name if the station has none.
func (s *Station) QuantityOf(q nhip.Quantity) Quantity {
	if i := s.indexOf(q); i >= 0 {
		return s.Quantities[i]
	}
	return Quantity{Name: q}
}

// indexOf returns the index of the entry that counts: the last one, if a file has several.
func (s *Station) indexOf(q nhip.Quantity) int {
	for i := len(s.Quantities) - 1; i >= 0; i-- {
		if s.Quantities[i].Name == q {
			return i
		}
	}
	return -1
}

// Base returns the digest of the calibration and the correction of an entry, which tells its versions apart; "" if it
// has neither. It is the same for an entry of a file and for the one that a gateway publishes.
func (q *Quantity) Base() string {
	if len(q.Calibration) == 0 && q.Correction == "" {
		return ""
	}
	entry := Quantity{Name: q.Name, Correction: q.Correction}
	for _, line := range q.Calibration {
		line.From = line.From.UTC()
		entry.Calibration = append(entry.Calibration, line)
	}
	raw, err := json.Marshal(entry) // never fails for texts, times and finite numbers
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// Lines returns the calibration of an entry in the form of those over the web.
func (q *Quantity) Lines() []nhip.CalibrationLine {
	lines := make([]nhip.CalibrationLine, len(q.Calibration))
	for i, c := range q.Calibration {
		lines[i] = nhip.CalibrationLine{From: c.From.UTC(), Slope: c.Slope, Offset: c.Offset}
	}
	return lines
}

// CalibrationState returns the state of a change of the calibration of a quantity, whose entry in the file is q.
func (q *Quantity) CalibrationState(c *nhip.CalibrationChange) ChangeState {
	switch {
	case c.Base != q.Base():
		return ChangeSuperseded
	case q.Correction != "":
		return ChangeInvalid // a value is corrected once
	}
	return ChangeInForce
}

// CalibrationsOf returns lines in the form of a file.
func CalibrationsOf(lines []nhip.CalibrationLine) []Calibration {
	out := make([]Calibration, len(lines))
	for i, l := range lines {
		out[i] = Calibration{From: l.From.UTC(), Slope: l.Slope, Offset: l.Offset}
	}
	return out
}

// WithCalibrations returns a station of a file with the changes over the web that are in force. The station itself
// stays as it is.
func (s *Station) WithCalibrations(changes map[nhip.Quantity]nhip.CalibrationChange) Station {
	out := *s
	out.Quantities = slices.Clone(s.Quantities)
	for q, c := range changes {
		entry := s.QuantityOf(q)
		if entry.CalibrationState(&c) != ChangeInForce {
			continue
		}
		entry.Calibration = CalibrationsOf(c.Lines)
		if i := s.indexOf(q); i >= 0 {
			out.Quantities[i] = entry
		} else {
			out.Quantities = append(out.Quantities, entry)
		}
	}
	return out
}

// diffCalibrations compares the calibrations of a file with those over the web.
func diffCalibrations(file *Fleet, changes []nhip.MadeCalibration) (lines []string) {
	for i := range changes {
		c := &changes[i]
		var station Station
		if at := slices.IndexFunc(file.Stations, func(s Station) bool { return s.ID == c.Station }); at >= 0 {
			station = file.Stations[at]
		}
		entry, name := station.QuantityOf(c.Quantity), fmt.Sprintf("calibration %s %s", c.Station, c.Quantity)
		if entry.CalibrationState(&c.CalibrationChange) != ChangeInForce {
			lines = append(lines, "! "+name+": the file was edited later and wins"+madeBy(c.By, c.Time))
			continue
		}
		from, to := shownLines(entry.Lines()), shownLines(c.Lines)
		lines = append(lines, fmt.Sprintf("~ %s: %s → %s%s", name, from, to, madeBy(c.By, c.Time)))
	}
	return lines
}

// shownLines returns lines on one line; "–" for none.
func shownLines(lines []nhip.CalibrationLine) string {
	if len(lines) == 0 {
		return "–"
	}
	parts := make([]string, len(lines))
	for i, l := range lines {
		parts[i] = fmt.Sprintf("%v×%+g from %s", l.Slope, l.Offset, l.From.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}
