package nhip

import "time"

// Scale is an air-quality index scale. Values on different scales are not comparable.
type Scale string

// The scales.
const (
	ScaleVNAQI Scale = "VN_AQI" // Decision 1459/QĐ-TCMT of 12 November 2019
	ScaleUSEPA Scale = "US_EPA" // as of 6 May 2024
	ScaleWHO   Scale = "WHO"    // ratio to the guidelines of 2021
)

// AQI is the air-quality index of one place, with everything needed to interpret it.
type AQI struct {
	Scale    Scale       `json:"scale"`
	Source   string      `json:"source"` // the regulation that defines it
	Rule     string      `json:"rule"`   // "hourly" or "daily"
	Time     time.Time   `json:"time"`   // END of the hour or the day
	Value    float64     `json:"value"`
	Category AQICategory `json:"level"`
	Dominant Quantity    `json:"dominant"`    // quantity with the highest sub-index
	Capture  float64     `json:"capture_pct"` // capture of Dominant's average, 0 to 100
	Sub      []SubIndex  `json:"sub_indices"` // the highest first
}

// SubIndex is the index of one quantity alone.
type SubIndex struct {
	Quantity      Quantity `json:"quantity"`
	Average       string   `json:"average"`       // "nowcast", "1h", "8h", "24h", "max_1h" or "max_8h"
	Concentration float64  `json:"concentration"` // that average, in Quantity.Unit
	Value         float64  `json:"value"`
	Capture       float64  `json:"capture_pct"` // of the hours that the average needs, 0 to 100
}

// AQICategory is one category of a scale.
type AQICategory struct {
	Number int           `json:"number"` // 1 is the cleanest
	Name   LocalizedText `json:"name"`
	Color  string        `json:"color"` // #RRGGBB
}

// Exists reports whether a is set; the zero AQI is not.
func (a *AQI) Exists() bool { return a.Scale != "" }
