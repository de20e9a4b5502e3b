package alert

import (
	"math"

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
