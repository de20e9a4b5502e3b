package staff

import (
	"nhip"
	"nhip/api/encode"
	"nhip/geo/alert"
)

// shownAlert is an alert as staff see it: its values are rounded, and what they mean stands beside them.
type shownAlert struct {
	nhip.Alert
	Name *nhip.LocalizedText `json:"station_name,omitempty"` // nil: the station is not known, or has no name
	Unit string              `json:"unit,omitempty"`         // of the values; "" for indices and flags
}

// shown returns an alert as staff see it.
func (h *Handler) shown(a *nhip.Alert) shownAlert {
	out := shownAlert{Alert: *a, Unit: unitOf(a.Measure)}
	if s, ok := h.Stations.Known(a.Station); ok && s.Name != (nhip.LocalizedText{}) {
		out.Name = &s.Name
	}
	out.Value, out.Peak = roundMeasure(a.Measure, a.Value), roundMeasure(a.Measure, a.Peak)
	return out
}

// shownAll returns alerts as staff see them.
func (h *Handler) shownAll(all []nhip.Alert) []shownAlert {
	out := make([]shownAlert, len(all))
	for i := range all {
		out[i] = h.shown(&all[i])
	}
	return out
}

// unitOf returns the unit of a measure of alerts.
func unitOf(measure string) string {
	switch measure {
	case alert.MeasureSilent:
		return "min"
	case alert.MeasureCapture:
		return "%"
	}
	return nhip.Quantity(measure).Unit()
}

// roundMeasure rounds a value to what its measure tells: indices, minutes and flags are whole; quantities and multiples
// of a guideline have tenths, those in mg/m³ hundredths.
func roundMeasure(measure string, v float64) float64 {
	switch {
	case measure == alert.MeasureSilent, measure == alert.MeasureFrozen, measure == string(nhip.ScaleVNAQI),
		measure == string(nhip.ScaleUSEPA):
		return encode.Round(v, 1)
	case nhip.Quantity(measure).Unit() == "mg/m³":
		return encode.Round(v, 100)
	}
	return encode.Round(v, 10)
}
