package alert

import (
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// Unit returns the unit of a measure; "" for indices and flags.
func Unit(measure string) string {
	switch measure {
	case MeasureSilent:
		return "min"
	case MeasureCapture:
		return "%"
	}
	return nhip.Quantity(measure).Unit()
}

// Round rounds a value to what its measure tells: indices, minutes and flags are whole; quantities and multiples of a
// guideline have tenths, those in mg/m³ hundredths.
func Round(measure string, v float64) float64 {
	steps := 10.0
	switch {
	case measure == MeasureSilent, measure == MeasureFrozen, measure == string(nhip.ScaleVNAQI),
		measure == string(nhip.ScaleUSEPA):
		steps = 1
	case nhip.Quantity(measure).Unit() == "mg/m³":
		steps = 100
	}
	return math.Round(v*steps) / steps
}

// Amount formats a rounded value with its unit for readers in a language: with a decimal comma in Vietnamese.
func Amount(measure string, v float64, lang string) string {
	text := strconv.FormatFloat(Round(measure, v), 'f', -1, 64)
	if lang == "vi" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return strings.TrimSpace(text + " " + Unit(measure))
}

// LocalMinute formats a local time for readers in a language, with its offset.
func LocalMinute(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("2 January 2006 15:04 (UTC-07:00)")
	}
	return t.Format("15:04 02/01/2006 (UTC-07:00)")
}

// OfMonitor reports whether a measure is about the monitor, not about the air.
func OfMonitor(measure string) bool {
	return measure == MeasureSilent || measure == MeasureFrozen || measure == MeasureCapture
}

// measureNames are the names of the measures that are neither quantities nor scales.
var measureNames = map[string]nhip.LocalizedText{
	MeasureSilent:  {Vi: "Thời gian không có số liệu", En: "Time without values"},
	MeasureFrozen:  {Vi: "Giá trị không đổi", En: "Constant value"},
	MeasureCapture: {Vi: "Tỷ lệ dữ liệu 24 giờ", En: "Data capture of 24 hours"},
}

// MeasureName returns the display name of a measure: that of a quantity, the name of a scale, or what the measure
// tells.
func MeasureName(measure string) nhip.LocalizedText {
	if name, ok := measureNames[measure]; ok {
		return name
	}
	if name := nhip.Quantity(measure).Name(); name != (nhip.LocalizedText{}) {
		return name
	}
	return nhip.LocalizedText{Vi: measure, En: measure}
}
