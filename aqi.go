package nhip

import "time"

// Scale is a way to turn concentrations into one number. Numbers of two scales say nothing of each other.
type Scale string

// The scales.
const (
	VNAQI Scale = "VN_AQI" // Decision 1459/QĐ-TCMT of 12 November 2019
	USAQI Scale = "US_EPA" // as of 6 May 2024
	WHO   Scale = "WHO"    // how many times the guideline of 2021
)

// AQI is an air-quality index of one place: its number, and all that is needed to read it.
type AQI struct {
	Scale    Scale      `json:"scale"`
	Source   string     `json:"source"` // the text that says how it is made
	Rule     string     `json:"rule"`   // "hourly" or "daily"
	Time     time.Time  `json:"time"`   // END of the hour or the day
	Value    float64    `json:"value"`
	Level    Level      `json:"level"`
	Dominant Quantity   `json:"dominant"`    // whose sub-index is the highest
	Capture  float64    `json:"capture_pct"` // of what Dominant's average asks for, 0 to 100
	Sub      []SubIndex `json:"sub_indices"` // the highest first
}

// SubIndex is what one quantity alone makes of a scale.
type SubIndex struct {
	Quantity      Quantity `json:"quantity"`
	Average       string   `json:"average"`       // "nowcast", "1h", "8h", "24h", "max_1h" or "max_8h"
	Concentration float64  `json:"concentration"` // of that average, in Quantity.Unit
	Value         float64  `json:"value"`
	Capture       float64  `json:"capture_pct"` // of the hours that the average asks for
}

// Level is a class of a scale.
type Level struct {
	Number int    `json:"number"` // 1 is the cleanest
	Name   Name   `json:"name"`
	Colour string `json:"colour"` // #RRGGBB
}

// Exists reports whether there is an index: the zero AQI is none.
func (a *AQI) Exists() bool { return a.Scale != "" }
