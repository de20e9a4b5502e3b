package stafftext

import (
	"encoding/json"
	"io"

	"nhip"
)

// factLine is a line of the output: one of them.
type factLine struct {
	Position     *nhip.Position     `json:"position,omitempty"`
	Reading      *readingLine       `json:"reading,omitempty"`
	TripUpdate   *nhip.TripUpdate   `json:"trip_update,omitempty"`
	ServiceAlert *nhip.ServiceAlert `json:"service_alert,omitempty"`
}

// readingLine formats the averaging period as "1h".
type readingLine struct {
	nhip.Reading
	Period string `json:"period"`
}

// EncodeFacts prints a JSON object for each fact, on a line of its own, and returns how many there are.
func EncodeFacts(w io.Writer, f *nhip.Facts) (int, error) {
	lines, all := json.NewEncoder(w), factLines(f)
	for i := range all {
		if err := lines.Encode(all[i]); err != nil {
			return i, err
		}
	}
	return len(all), nil
}

// factLines returns the lines of facts.
func factLines(f *nhip.Facts) (lines []factLine) {
	for i := range f.Positions {
		lines = append(lines, factLine{Position: &f.Positions[i]})
	}
	for i := range f.Readings {
		lines = append(lines, factLine{Reading: &readingLine{f.Readings[i], nhip.FormatPeriod(f.Readings[i].Period)}})
	}
	if f.Service == nil {
		return lines
	}
	for i := range f.Service.Trips {
		lines = append(lines, factLine{TripUpdate: &f.Service.Trips[i]})
	}
	for i := range f.Service.Alerts {
		lines = append(lines, factLine{ServiceAlert: &f.Service.Alerts[i]})
	}
	return lines
}
