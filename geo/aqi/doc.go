// Package aqi turns hourly concentrations into air-quality indices: Vietnam's VN_AQI, the US EPA's AQI and
// the ratio to WHO's guidelines.
//
// Hours are means that END at a full hour, newest first, NaN where there is none: index 0 ends at the hour
// that is asked about, index 1 an hour before. A day's 24 hours are the ones that end at 01:00 … 24:00 local
// time, so its index 0 is the hour that ends at midnight.
//
// Sources: Decision 1459/QĐ-TCMT (Vietnam Environment Administration, 12 November 2019); US EPA, Technical
// Assistance Document for the Reporting of Daily Air Quality, breakpoints of May 2024; WHO global air quality
// guidelines (2021), table 0.1.
package aqi

import (
	"math"

	"nhip"
)

// Hours are the hourly means of one place by quantity, in Quantity.Unit.
type Hours map[nhip.Quantity][]float64

// The rules that an index follows.
const (
	Hourly = "hourly"
	Daily  = "daily"
)

// What a sub-index is the index of.
const (
	averageNowCast = "nowcast"
	average1h      = "1h"
	average8h      = "8h"
	average24h     = "24h"
	averageMax1h   = "max_1h"
	averageMax8h   = "max_8h"
)

// Lengths of averages, in hours. DayHours is how many hours a daily index looks at: the day's own, and the
// seven before that its first 8-hour mean reaches back to.
const (
	nowCastHours = 12
	eightHours   = 8
	dayHours     = 24
	DayHours     = dayHours + eightHours - 1
)

// UsualCompleteness is the share of an average's hours that must be there. Decision 1459 names none; three
// quarters is the practice of the agencies.
const UsualCompleteness = 0.75

// Missing stands for an hour without a mean.
func Missing() float64 { return math.NaN() }
